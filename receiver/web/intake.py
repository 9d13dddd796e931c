"""The webhook handler."""

import time
from typing import Any

from aiohttp import web
from pydantic_core import to_json

from receiver.errors import Refused
from receiver.flow.accept import Taken, Webhook, accept
from receiver.settings import Settings
from receiver.sources import SENDERS
from receiver.sources.shape import kind_of
from receiver.web import security
from receiver.web.body import read_body
from receiver.web.keys import CONFIGURATION, INTO, METERS, SOURCE, UNDERWAY
from receiver.web.underway import Held, Underway

UNKNOWN = "_unknown"
"""Stands for the source of what is refused before it is known whose it is."""
_JSON = {"Content-Type": "application/json"}
_ANSWERED = tuple(Taken.__dataclass_fields__)


async def webhook(request: web.Request, kind: str = "") -> web.Response:
    """Take one webhook: 200 once it is stored (202 once it is spooled), 503 for "later", 4xx for what can never be.

    `kind` is what its address says; without it, that shows in the rest of the address, or only in the webhook itself.
    """
    began = time.perf_counter()
    request[SOURCE] = UNKNOWN
    app = request.app
    setup, underway = app[CONFIGURATION].setup, app[UNDERWAY]
    held = Held(underway, setup.settings.limits.in_flight)
    try:
        source, body = await _verified(request, kind, setup.settings, underway, held)
        taken = await accept(Webhook(source, request.headers, body), setup, app[INTO])
    finally:
        held.give_back()
    app[METERS].answered(source, time.perf_counter() - began)
    return web.Response(status=202 if taken.spooled else 200, body=to_json(_told(taken)) + b"\n", headers=_JSON)


async def _verified(
    request: web.Request, kind: str, settings: Settings, underway: Underway, held: Held
) -> tuple[str, bytes]:
    """The configured source and the body, its sender's credentials checked."""
    headers, limits = request.headers, settings.limits
    told = request.match_info
    kind, name = kind or told.get("kind", ""), told.get("name", "")
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
    token = request.query.get("token", "") if "?" in request.raw_path else ""
    return security.check_source(request.headers, token, settings, source)


def _named(kind: str, name: str, settings: Settings) -> str:
    """The configured source the URL means. Raises Refused (404), naming those there are."""
    named = settings.sources.get(name or kind)
    if named is not None and named.kind == kind and kind in SENDERS:
        return name or kind
    if not name:
        return _only(kind, settings)
    raise _nowhere(f"for /webhook/{kind[:40]}/{name[:80]}", settings)


def _only(kind: str, settings: Settings) -> str:
    """The one source of that kind, or of several the one that has its name. Raises Refused (404)."""
    of_kind = [name for name, source in settings.sources.items() if source.kind == kind and kind in SENDERS]
    if len(of_kind) == 1 or kind in of_kind:
        return kind if kind in of_kind else of_kind[0]
    raise _nowhere(f"of kind {kind[:40]}" if not of_kind else f"of kind {kind} alone: there are several", settings)


def _nowhere(what: str, settings: Settings) -> Refused:
    posting = [(known, source.kind) for known, source in settings.sources.items() if source.kind in SENDERS]
    urls = ", ".join(f"/webhook/{kind}/{known}" for known, kind in posting)
    # whoever has no credentials yet need not learn more than that
    there = "see `sources` in the configuration" if settings.server.token else f"there is {urls}"
    return Refused(f"no source is configured {what}; {there}", status=404, reason="unknown_source")
