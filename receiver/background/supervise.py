"""Keeps background tasks going: one that ends by a fault of ours is told of and started again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("alertsage.background")

PAUSE_SECONDS = 5.0


async def keep_running(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run it until cancelled; when it raises, log why and start it again after a pause."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("the %s ended; it is started again in %g s", name, PAUSE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)
