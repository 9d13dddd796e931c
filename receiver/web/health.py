"""Health and reload."""

import asyncio

from aiohttp import web

from receiver.errors import Mistakes, Refused, StoreAway
from receiver.web.answers import answer
from receiver.web.keys import CONFIGURATION, STORE
from receiver.web.shapes import Reloaded
from receiver.web.table import Asks, Operation, Route

_TEXT = ("text/plain",)


async def healthy(request: web.Request) -> web.Response:
    """200 while the process serves, whatever the store does."""
    del request
    return web.Response(text="ok\n")


async def ready(request: web.Request) -> web.Response:
    """200 when webhooks can be taken now; else 503 with the reason."""
    store = request.app[STORE]
    try:
        await store.ping()
    except StoreAway as away:
        raise Refused(str(away), status=503) from away
    return web.Response(text="ready\n")


async def reload(request: web.Request) -> web.Response:
    """Load configuration, enrichers and rules anew: all or nothing, 400 with every mistake when nothing."""
    try:
        fixed = await asyncio.to_thread(request.app[CONFIGURATION].reload)
    except Mistakes as mistakes:
        raise Refused(f"nothing was reloaded: {mistakes}") from None
    return answer({"reloaded": True, "needs_restart": list(fixed)})


ROUTES = (
    Route(
        "GET",
        "/healthz",
        healthy,
        Asks.NOTHING,
        "200 while the process serves",
        Operation("healthy", "operation", str, media=_TEXT),
    ),
    Route(
        "GET",
        "/readyz",
        ready,
        Asks.NOTHING,
        "200 when webhooks can be taken now, else 503 with the reason",
        Operation("ready", "operation", str, media=_TEXT),
    ),
    Route("GET", "/-/healthy", healthy, Asks.NOTHING, "the same as /healthz"),
    Route("GET", "/-/ready", ready, Asks.NOTHING, "the same as /readyz"),
    Route(
        "POST",
        "/-/reload",
        reload,
        Asks.ADMIN,
        "loads configuration, enrichers and rules again, all or nothing",
        Operation(
            "reload",
            "operation",
            Reloaded,
            about="With a mistake in any file the answer is 400 with every mistake, and what was in force stays so.",
        ),
    ),
)
