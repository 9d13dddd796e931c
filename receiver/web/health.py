"""Health and reload."""

import asyncio

from aiohttp import web
from pydantic_core import to_json

from receiver.errors import Mistakes, Refused, StoreAway
from receiver.web.keys import CONFIGURATION, STORE


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
    answer = {"reloaded": True, "needs_restart": list(fixed)}
    return web.Response(body=to_json(answer) + b"\n", content_type="application/json")
