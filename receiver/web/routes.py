"""The one URL table. What a route asks for stands beside it, so that a new one cannot forget to."""

import re
from functools import partial

from aiohttp import web

from receiver.errors import Refused
from receiver.sources import SENDERS
from receiver.web import (
    acts,
    api,
    book,
    create,
    document,
    feed,
    health,
    intake,
    metrics,
    overview,
    patterns,
    silences,
    tokens,
)
from receiver.web.callers import caller
from receiver.web.keys import CALLER
from receiver.web.problems import answered
from receiver.web.table import Asks, Handle, Route


async def index(request: web.Request) -> web.Response:
    """What there is."""
    del request
    lines = [f"{route.method:5} {route.path:34} {route.says}" for route in ROUTES]
    return web.Response(text="alertsage\n\n" + "\n".join(lines) + "\n")


ROUTES = (
    Route("GET", "/", index, Asks.READ, "this list, as text"),
    *intake.ROUTES,
    *api.ROUTES,
    *acts.ROUTES,
    *create.ROUTES,
    *feed.ROUTES,
    *overview.ROUTES,
    *book.ROUTES,
    *patterns.ROUTES,
    *silences.ROUTES,
    *tokens.ROUTES,
    *document.ROUTES,
    *metrics.ROUTES,
    *health.ROUTES,
)


def add_routes(app: web.Application) -> None:
    """Serve the table. A trailing slash is accepted and never redirected: a redirected webhook is a lost one."""
    app[document.DOCUMENT] = document.Document(ROUTES)
    for route in ROUTES:
        if route.asks is Asks.SOURCE:
            handle = answered(route.handle, _TO_SENDERS)
        else:
            handle = answered(route.handle if route.asks is Asks.NOTHING else _guarded(route))
        _add(app, route.method, route.path, handle)
        if route.path.endswith("/{kind}"):
            # a path without blanks is found at once, one with blanks by a search
            for kind in set(SENDERS) - {"grafana"}:  # which has lines of its own
                _add(
                    app,
                    route.method,
                    route.path.format(kind=kind),
                    answered(partial(route.handle, kind=kind), _TO_SENDERS),
                )
    app.router.add_route("*", "/{anywhere:.*}", answered(_nowhere))


def _add(app: web.Application, method: str, path: str, handle: Handle) -> None:
    path = path.replace("{id}", f"{{id:{_NUMBER}}}")
    for end in sorted({path, path.rstrip("/") + "/"}):
        app.router.add_route(method, end, handle)
        if method == "GET":
            app.router.add_head(end, handle)


async def _nowhere(request: web.Request) -> web.StreamResponse:
    path = request.rel_url.path_safe  # what routes are found by: a quoted slash parts nothing
    allowed = {route.method for route in ROUTES if _PATTERNS[route.path].fullmatch(path)}
    if not allowed:
        if missing := _misnumbered(path):
            raise Refused(f"there is no {missing}", status=404)
        raise Refused(f"there is nothing at {path[:200]}; GET / lists what there is", status=404)
    told = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    raise Refused(f"{request.method} is not possible here; use {told}", status=405, headers={"Allow": told})


_NUMBER = "[0-9]+"
"""So that other words stand beside numbers: `/api/v1/silences/preview` is no silence."""


_BLANK = "[^{}/]+"
"""What aiohttp puts into a blank."""


def _pattern(path: str, number: str) -> re.Pattern[str]:
    numbered = re.escape(path).replace(r"\{id\}", number)
    return re.compile(re.sub(r"\\{\w+\\}", _BLANK, numbered) + "/?")


_PATTERNS = {route.path: _pattern(route.path, _NUMBER) for route in ROUTES}
_NUMBERED = {
    _pattern(path, f"({_BLANK})"): named[1]
    for path in _PATTERNS
    if (named := re.search(r"/(\w+)s/\{id\}", path)) is not None
}
"""Paths with a number, and what it is the number of: `alert` for `/api/v1/alerts/{id}/notes`."""


def _misnumbered(path: str) -> str | None:
    """What a path asks for that has another word where a number stands: `alert x`; None for other paths."""
    for pattern, what in _NUMBERED.items():
        if found := pattern.fullmatch(path):
            return f"{what} {found[1][:40]}"
    return None


_TO_SENDERS: dict[str, str] = {}
"""No headers besides: senders look at none, and there are many webhooks."""


def _guarded(route: Route) -> Handle:
    scope, what = str(route.asks), f"{route.method} {route.path}"

    async def check_first(request: web.Request) -> web.StreamResponse:
        request[CALLER] = await caller(request, scope, what)
        return await route.handle(request)

    return check_first
