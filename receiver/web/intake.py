"""The webhook handler."""

import time
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from receiver.errors import Refused
from receiver.flow.accept import Taken, Webhook, accept
from receiver.settings import Settings
from receiver.sources.shape import kind_of
from receiver.web import security
from receiver.web.body import read_body
from receiver.web.keys import CONFIGURATION, INTO, METERS, SOURCE, UNDERWAY
from receiver.web.underway import Held, Underway

UNKNOWN = "_unknown"
"""Stands for the source of what is refused before it is known whose it is."""
_JSON = {"Content-Type": "application/json"}
_ANSWERED = tuple(Taken.__dataclass_fields__)


async def webhook(request: web.Request) -> web.Response:
    """Take one webhook: 200 once it is stored (202 once it is spooled), 503 for "later", 4xx for what can never be."""
    began = time.perf_counter()
    request[SOURCE] = UNKNOWN
    setup, underway = request.app[CONFIGURATION].setup, request.app[UNDERWAY]
    with underway.holding(setup.settings.limits.in_flight) as held:
        source, body = await _verified(request, setup.settings, underway, held)
        taken = await accept(Webhook(source, request.headers, body), setup, request.app[INTO])
    request.app[METERS].answered(source, time.perf_counter() - began)
    return web.Response(status=202 if taken.spooled else 200, body=to_json(_told(taken)) + b"\n", headers=_JSON)


async def _verified(request: web.Request, settings: Settings, underway: Underway, held: Held) -> tuple[str, bytes]:
    """The configured source and the body, its sender's credentials checked."""
    headers, limits = request.headers, settings.limits
    kind, name = _address(request)
    if kind:
        source = _named(kind, name, settings)
        proven = _first_check(request, settings, source)
        body = await read_body(request, limits, underway, held)
    else:
        # Whose it is shows only in the body.
        body = await read_body(request, limits, underway, held)
        source = _only(kind_of(headers, body, limits.values), settings)
        proven = _first_check(request, settings, source)
    if not proven:
        security.check_signature(headers, body, settings, source)
    return source, body


def _told(taken: Taken) -> dict[str, Any]:
    """The answer. Sentry shows `message` to whoever saves an alert rule with this as its action."""
    if taken.ignored == "alert_rule_action":
        return {"message": "alertsage will be told of this rule's alerts"}
    return {name: getattr(taken, name) for name in _ANSWERED}


def _first_check(request: web.Request, settings: Settings, source: str) -> bool:
    request[SOURCE] = source
    return security.check_source(request.headers, request.query.get("token", ""), settings, source)


def _address(request: web.Request) -> tuple[str, str]:
    """(kind, name) of `/webhook/kind/name`, "" for what is not there."""
    _, _, *told = request.path.rstrip("/").split("/")
    kind, name = (*told, "", "")[:2]
    return kind, name


def _named(kind: str, name: str, settings: Settings) -> str:
    """The configured source the URL means. Raises Refused (404), naming those there are."""
    named = settings.sources.get(name or kind)
    if named is not None and named.kind == kind:
        return name or kind
    if not name:
        return _only(kind, settings)
    raise _nowhere(f"for /webhook/{kind[:40]}/{name[:80]}", settings)


def _only(kind: str, settings: Settings) -> str:
    """The one source of that kind, or of several the one that has its name. Raises Refused (404)."""
    of_kind = [name for name, source in settings.sources.items() if source.kind == kind]
    if len(of_kind) == 1 or kind in of_kind:
        return kind if kind in of_kind else of_kind[0]
    raise _nowhere(f"of kind {kind[:40]}" if not of_kind else f"of kind {kind} alone: there are several", settings)


def _nowhere(what: str, settings: Settings) -> Refused:
    urls = ", ".join(f"/webhook/{source.kind}/{known}" for known, source in settings.sources.items())
    # whoever has no credentials yet need not learn more than that
    there = "see `sources` in the configuration" if settings.server.token else f"there is {urls}"
    return Refused(f"no source is configured {what}; {there}", status=404, reason="unknown_source")
