"""The drainer: takes spooled webhooks into the database as soon as it is there, oldest first."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from receiver.errors import StoreAway
from receiver.flow.accept import Into, take_from_spool
from receiver.flow.setup import Setup
from receiver.store import Spooled

log = logging.getLogger("alertsage.spool")

RETRY_SECONDS = 1.0
TOGETHER = 64
"""Webhooks handed to the writer at once: they share its transactions."""
TRIES = 5
"""A webhook that fails as often by a fault of ours is put aside, so that it holds up no other."""


class Drainer:
    """Runs until cancelled."""

    def __init__(self, into: Into, setup: Callable[[], Setup]) -> None:
        self._into = into
        self._setup = setup
        self._failed: Counter[Path] = Counter()

    async def run(self) -> None:
        """Take hold of the spool, then drain it whenever there is something in it, for ever."""
        spool = self._into.spool
        await self._open()
        while True:
            if not spool.count:
                spool.filled.clear()
                await spool.filled.wait()
            if not await self._round():
                await asyncio.sleep(RETRY_SECONDS)

    async def _open(self) -> None:
        told = ""
        while True:
            try:
                self._into.spool.open()
            except StoreAway as away:
                if str(away) != told:
                    log.warning("%s", away)
                told = str(away)
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _round(self) -> bool:
        """Take in some; False when the database is away."""
        try:
            await self._into.store.ping()
        except StoreAway as away:
            log.debug("the spool waits: %s", away)
            return False
        webhooks = await asyncio.to_thread(self._into.spool.waiting, TOGETHER)
        taken = await asyncio.gather(*(self._one(webhook) for webhook in webhooks))
        if any(taken):
            log.info("%d spooled webhooks are in the database now, %d wait", sum(taken), self._into.spool.count)
        return all(taken)

    async def _one(self, webhook: Spooled) -> bool:
        try:
            if await take_from_spool(webhook, self._setup(), self._into):
                self._into.spool.done(webhook)
            else:
                self._into.spool.put_aside(webhook)
        except StoreAway:
            return False
        except Exception:
            self._failed[webhook.path] += 1
            tried = self._failed[webhook.path]
            log.exception("%s could not be taken in (try %d of %d)", webhook.path, tried, TRIES)
            if tried < TRIES:
                return False
            self._into.spool.put_aside(webhook)
        self._failed.pop(webhook.path, None)
        return True
