"""The one URL table. What a route asks for stands beside it, so that a new one cannot forget to."""

import re
from functools import partial

from aiohttp import web

from receiver.errors import Refused
from receiver.sources import KINDS
from receiver.web import acts, api, book, feed, health, intake, metrics, overview, patterns, silences, tokens
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
    Route("GET", "/", index, Asks.READ, "this list"),
    Route("POST", "/webhook", intake.webhook, Asks.SOURCE, "any sender's webhook, known by its form"),
    Route("POST", "/webhook/{kind}", intake.webhook, Asks.SOURCE, "alertmanager, grafana, sentry or generic"),
    Route("POST", "/webhook/{kind}/{name}", intake.webhook, Asks.SOURCE, "the same for a source of that name"),
    Route("PUT", "/webhook/grafana", partial(intake.webhook, kind="grafana"), Asks.SOURCE, "Grafana may be set to PUT"),
    Route(
        "PUT",
        "/webhook/grafana/{name}",
        partial(intake.webhook, kind="grafana"),
        Asks.SOURCE,
        "the same for a source of that name",
    ),
    *api.ROUTES,
    *feed.ROUTES,
    *tokens.ROUTES,
    *acts.ROUTES,
    *silences.ROUTES,
    *patterns.ROUTES,
    *overview.ROUTES,
    *book.ROUTES,
    Route("GET", "/metrics", metrics.metrics, Asks.READ, "Prometheus metrics"),
    Route("GET", "/healthz", health.healthy, Asks.NOTHING, "200 while the process serves"),
    Route("GET", "/readyz", health.ready, Asks.NOTHING, "200 when webhooks can be taken, else 503"),
    Route("GET", "/-/healthy", health.healthy, Asks.NOTHING, "the same as /healthz"),
    Route("GET", "/-/ready", health.ready, Asks.NOTHING, "the same as /readyz"),
    Route("POST", "/-/reload", health.reload, Asks.ADMIN, "load configuration, enrichers and rules anew"),
)


def add_routes(app: web.Application) -> None:
    """Serve the table. A trailing slash is accepted and never redirected: a redirected webhook is a lost one."""
    for route in ROUTES:
        handle = answered(route.handle if route.asks in _UNGUARDED else _guarded(route))
        _add(app, route.method, route.path, handle)
        if route.path.endswith("/{kind}"):
            # a path without blanks is found at once, one with blanks by a search
            for kind in KINDS:
                _add(app, route.method, route.path.format(kind=kind), answered(partial(route.handle, kind=kind)))
    app.router.add_route("*", "/{anywhere:.*}", answered(_nowhere))


def _add(app: web.Application, method: str, path: str, handle: Handle) -> None:
    for end in sorted({path, path.rstrip("/") + "/"}):
        app.router.add_route(method, end, handle)
        if method == "GET":
            app.router.add_head(end, handle)


async def _nowhere(request: web.Request) -> web.StreamResponse:
    path = request.path
    allowed = {route.method for route in ROUTES if _PATTERNS[route.path].fullmatch(path)}
    if not allowed:
        raise Refused(f"there is nothing at {path[:200]}; GET / lists what there is", status=404)
    told = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
    raise Refused(f"{request.method} is not possible here; use {told}", status=405, headers={"Allow": told})


_PATTERNS = {route.path: re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path)) + "/?") for route in ROUTES}


_UNGUARDED = (Asks.NOTHING, Asks.SOURCE)


def _guarded(route: Route) -> Handle:
    scope, what = str(route.asks), f"{route.method} {route.path}"

    async def check_first(request: web.Request) -> web.StreamResponse:
        request[CALLER] = await caller(request, scope, what)
        return await route.handle(request)

    return check_first
