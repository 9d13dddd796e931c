"""The webhook handler."""

import time
from collections.abc import Mapping
from functools import partial
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
from receiver.web.callers import closed, let_in
from receiver.web.keys import CONFIGURATION, INTO, METERS, SOURCE, UNDERWAY
from receiver.web.shapes import SendersOwn, ToSentry
from receiver.web.shapes import Taken as Answered
from receiver.web.table import Asks, Operation, Route
from receiver.web.underway import Held, Underway

UNKNOWN = "_unknown"
"""Stands for the source of what is refused before it is known whose it is."""
_JSON = {"Content-Type": "application/json"}
_ANSWERED = tuple(Taken.__dataclass_fields__)


class NoSource(Exception):  # noqa: N818 - becomes an answer
    """No source is configured for this."""

    def told(self, settings: Settings, *, hint: bool) -> Refused:
        """The answer; with a hint it names the sources: whoever has no credentials yet need not learn more."""
        posting = [(known, source.kind) for known, source in settings.sources.items() if source.kind in SENDERS]
        urls = ", ".join(f"/webhook/{kind}/{known}" for known, kind in posting)
        there = f"there is {urls}" if hint else "see `sources` in the configuration"
        return Refused(f"no source is configured {self}; {there}", status=404, reason="unknown_source")


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
        try:
            source, body = await _verified(request, kind, setup.settings, underway, held)
        except NoSource as nowhere:
            raise nowhere.told(setup.settings, hint=not await closed(request)) from None
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
        proven = await _first_check(request, settings, source)
        body = await read_body(request, limits, underway, held)
    else:
        # Whose it is shows only in the body.
        body = await read_body(request, limits, underway, held)
        source = _only(kind_of(headers, body, limits.values), settings)
        proven = await _first_check(request, settings, source)
    if not proven:
        await _check_signature(request, body, settings, source)
    return source, body


def _told(taken: Taken) -> dict[str, Any]:
    """The answer. Sentry shows `message` to whoever saves an alert rule with this as its action."""
    if taken.ignored == "alert_rule_action":
        return {"message": "alertsage will be told of this rule's alerts"}
    return {name: getattr(taken, name) for name in _ANSWERED}


async def _first_check(request: web.Request, settings: Settings, source: str) -> bool:
    """Raises Refused (401, 403); False when the body's signature has yet to prove it."""
    request[SOURCE] = source
    token = request.query.get("token", "") if "?" in request.raw_path else ""
    try:
        return security.check_source(request.headers, token, settings, source)
    except Refused as refused:
        await let_in(request, refused)
        return True


async def _check_signature(request: web.Request, body: bytes, settings: Settings, source: str) -> None:
    try:
        security.check_signature(request.headers, body, settings, source)
    except Refused as refused:
        await let_in(request, refused)


def _named(kind: str, name: str, settings: Settings) -> str:
    """The configured source the URL means. Raises NoSource."""
    named = settings.sources.get(name or kind)
    if named is not None and named.kind == kind and kind in SENDERS:
        return name or kind
    if not name:
        return _only(kind, settings)
    raise NoSource(f"for /webhook/{kind[:40]}/{name[:80]}")


def _only(kind: str, settings: Settings) -> str:
    """The one source of that kind, or of several the one that has its name. Raises NoSource."""
    of_kind = [name for name, source in settings.sources.items() if source.kind == kind and kind in SENDERS]
    if len(of_kind) == 1 or kind in of_kind:
        return kind if kind in of_kind else of_kind[0]
    raise NoSource(f"of kind {kind[:40]}" if not of_kind else f"of kind {kind} alone: there are several")


_ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskAlmostFull", "severity": "warning", "instance": "web-1:9100", "mountpoint": "/var"},
    "annotations": {"summary": "/var on web-1 is 91% full"},
    "startsAt": "2026-11-23T06:40:41.347Z",
}
_ALERTMANAGER = {"version": "4", "receiver": "alertsage", "groupKey": "{}", "status": "firing", "alerts": [_ALERT]}
_GRAFANA = {"version": "1", "orgId": 1, "receiver": "alertsage", "status": "firing", "alerts": [_ALERT]}


def _operation(id_: str, about: str = "", example: Mapping[str, Any] = _ALERTMANAGER) -> Operation:
    return Operation(
        id_,
        "webhooks",
        Answered | ToSentry,
        takes=SendersOwn,
        problems=(404,),
        about=about,
        example=example,
        besides={202: "Stored on this server's disk, and in the database as soon as that answers again"},
        place={"name": "grafana"} if example is _GRAFANA else {},
    )


def _of_grafana(method: str) -> tuple[Route, Route]:
    handle, name = partial(webhook, kind="grafana"), f"grafana_{method.lower()}"
    asks, about = Asks.SOURCE, "Grafana may be set to either method."
    path, says = "/webhook/grafana", "a webhook of Grafana"
    named, its = f"{path}/{{name}}", "a webhook of the Grafana of that name"
    return (
        Route(method, path, handle, asks, says, _operation(name, about, _GRAFANA)),
        Route(method, named, handle, asks, its, _operation(f"{name}_of_source", about, _GRAFANA)),
    )


_ANY = "Whose it is shows in its headers, else in its keys: an address to drop in."
_KIND = "For the source that is named like its kind, or is the only one of it."
ROUTES = (
    Route("POST", "/webhook", webhook, Asks.SOURCE, "any known sender's webhook", _operation("webhook", _ANY)),
    Route(
        "POST", "/webhook/{kind}", webhook, Asks.SOURCE, "a webhook of that kind", _operation("webhook_of_kind", _KIND)
    ),
    Route(
        "POST",
        "/webhook/{kind}/{name}",
        webhook,
        Asks.SOURCE,
        "a webhook of the source of that name",
        _operation("webhook_of_source"),
    ),
    *_of_grafana("POST"),
    *_of_grafana("PUT"),
)
