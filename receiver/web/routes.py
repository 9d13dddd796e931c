"""The one URL table. What a route asks for stands beside it, so that a new one cannot forget to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from aiohttp import web

from receiver.sources import KINDS
from receiver.web import api, health, intake, metrics, security
from receiver.web.keys import CONFIGURATION

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asks(StrEnum):
    """Which credential a route asks for."""

    NOTHING = "nothing"
    """Health: it tells nothing of any alert."""
    SOURCE = "source"
    """The source's own secret, checked by the handler, which knows the source."""
    TOKEN = "token"  # noqa: S105 - the name of a setting
    """`server.token`."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: str
    path: str
    handle: Handle
    asks: Asks
    says: str


async def index(request: web.Request) -> web.Response:
    """What there is."""
    del request
    lines = [f"{route.method:5} {route.path:34} {route.says}" for route in ROUTES]
    return web.Response(text="alertsage\n\n" + "\n".join(lines) + "\n")


ROUTES = (
    Route("GET", "/", index, Asks.TOKEN, "this list"),
    Route("POST", "/webhook", intake.webhook, Asks.SOURCE, "any sender's webhook, known by its form"),
    Route("POST", "/webhook/{kind}", intake.webhook, Asks.SOURCE, "alertmanager, grafana, sentry or generic"),
    Route("POST", "/webhook/{kind}/{name}", intake.webhook, Asks.SOURCE, "the same for a source of that name"),
    Route("PUT", "/webhook/grafana", intake.webhook, Asks.SOURCE, "Grafana may be set to PUT"),
    Route("PUT", "/webhook/grafana/{name}", intake.webhook, Asks.SOURCE, "the same for a source of that name"),
    Route("GET", "/api/v1/alerts", api.alerts, Asks.TOKEN, "alerts, newest first, filtered and paged"),
    Route("GET", "/api/v1/alerts/{id}", api.alert, Asks.TOKEN, "one alert with its history"),
    Route("GET", "/api/v1/quarantine", api.quarantine, Asks.TOKEN, "alerts that could not be read, and why"),
    Route("GET", "/metrics", metrics.metrics, Asks.TOKEN, "Prometheus metrics"),
    Route("GET", "/healthz", health.healthy, Asks.NOTHING, "200 while the process serves"),
    Route("GET", "/readyz", health.ready, Asks.NOTHING, "200 when webhooks can be taken, else 503"),
    Route("GET", "/-/healthy", health.healthy, Asks.NOTHING, "the same as /healthz"),
    Route("GET", "/-/ready", health.ready, Asks.NOTHING, "the same as /readyz"),
    Route("POST", "/-/reload", health.reload, Asks.TOKEN, "load configuration, enrichers and rules anew"),
)


def add_routes(app: web.Application) -> None:
    """Serve the table. A trailing slash is accepted and never redirected: a redirected webhook is a lost one."""
    for route in ROUTES:
        handle = _guarded(route.handle) if route.asks is Asks.TOKEN else route.handle
        # a path without blanks is found at once, one with blanks by a search
        known = [route.path.format(kind=kind) for kind in KINDS] if route.path.endswith("/{kind}") else []
        paths = {end for name in (*known, route.path) for end in (name, name.rstrip("/") + "/")}
        for path in sorted(paths):
            app.router.add_route(route.method, path, handle)
            if route.method == "GET":
                app.router.add_head(path, handle)


def _guarded(handle: Handle) -> Handle:
    async def check_first(request: web.Request) -> web.StreamResponse:
        security.check_token(request.headers, request.app[CONFIGURATION].setup.settings)
        return await handle(request)

    return check_first
