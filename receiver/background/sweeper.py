"""The sweeper: expires silent alerts, ends suppressions, keeps alerts in step with silences, deletes what has outlived
its retention. In small slices."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from receiver.domain import times
from receiver.domain.times import Instant, span
from receiver.domain.voices import never_resolves
from receiver.errors import StoreAway
from receiver.flow.hush import Hush
from receiver.flow.setup import Setup
from receiver.store import Store, reads, silences, sweeps

log = logging.getLogger("alertsage.sweeper")

CLOCK_JUMP = 30 * times.SECOND
"""A wall clock that moved so much against the monotonic one has jumped."""

DELIVERIES_KEPT = 1 * times.DAY
"""Senders repeat a delivery within the hour, if at all."""
WAKE_SECONDS, EXPIRE_SECONDS, FORGET_SECONDS = 2.0, 5.0, 60.0
"""How often each is looked at: a suppression's end is waited for, a retention's is not."""


class Sweeper:
    """Runs until cancelled."""

    def __init__(self, store: Store, setup: Callable[[], Setup]) -> None:
        self._store = store
        self._setup = setup
        self._hush = Hush(store, setup)
        self._offset = _offset()
        self._jumped_at: Instant = 0
        self._told: set[str] = set()

    async def run(self) -> None:
        """Sweep, for ever."""
        async with asyncio.TaskGroup() as group:
            for sweep, seconds in (
                (self._wake, WAKE_SECONDS),
                (self._hush.look, WAKE_SECONDS),
                (self._expire, EXPIRE_SECONDS),
                (self._forget, FORGET_SECONDS),
                (self._listen, FORGET_SECONDS),
            ):
                group.create_task(_every(seconds, sweep), name=sweep.__name__)

    async def _wake(self) -> None:
        now = times.now()
        while ids := await self._store.read(lambda c: sweeps.suppressed_until(c, now)):
            await self._store.write(lambda c, ids=ids: sweeps.wake(c, ids, now))  # type: ignore[misc]
            log.info("%d suppressions ended", len(ids))

    async def _expire(self) -> None:
        now, after = times.now(), 0
        if not self._may_expire(now):
            return
        while ids := await self._store.read(lambda c, after=after: sweeps.silent(c, now, after)):  # type: ignore[misc]
            made = await self._store.write(lambda c, ids=ids: sweeps.expire_silent(c, ids, now))  # type: ignore[misc]
            log.info("%d alerts expired", made)
            after = ids[-1]

    def _may_expire(self, now: Instant) -> bool:
        """Silence proves nothing soon after a start, a store outage or a clock jump: senders could not be heard."""
        offset = _offset()
        if abs(offset - self._offset) > CLOCK_JUMP:
            log.warning("the clock jumped by %d s: nothing expires for a while", (offset - self._offset) / times.SECOND)
            self._jumped_at = now
        self._offset = offset
        grace = span(self._setup().settings.lifecycle.expiry_grace)
        return now - max(self._store.away_at, self._jumped_at) >= grace

    async def _forget(self) -> None:
        retention = self._setup().settings.retention
        before, after = times.now() - span(retention.closed), 0
        while (found := await self._store.read(lambda c, a=after: sweeps.outlived(c, before, a))) is not None:  # type: ignore[misc]
            ids, after = found
            await self._delete(ids)
        while ids := await self._store.read(lambda c: sweeps.surplus(c, retention.max_closed)):
            await self._delete(ids)
        if await self._store.read(lambda c: silences.ended(c, before)):
            await self._store.write(lambda c: silences.forget(c, before))
        surplus = await self._store.read(lambda c: sweeps.oldest_kept(c, retention.deliveries))
        expired = max(times.now() - DELIVERIES_KEPT, surplus)
        while await self._store.read(lambda c: sweeps.delivered_before(c, expired)):
            await self._store.write(lambda c: sweeps.forget_deliveries(c, expired))
        if await self._store.read(lambda c: sweeps.quarantine_over(c, retention.quarantined)):
            await self._store.write(lambda c: sweeps.trim_quarantine(c, retention.quarantined))

    async def _listen(self) -> None:
        """Tell, once, of sources whose alerts will all have to expire."""
        for source, heard in (await self._store.read(reads.voices)).items():
            if never_resolves(heard) and source not in self._told:
                self._told.add(source)
                log.warning(
                    "source %s tells of troubles, but never of their ends: its alerts stay open until they expire;"
                    " in Sentry, subscribe the integration to the webhook `issue` (docs/senders/sentry.md)",
                    source,
                )

    async def _delete(self, ids: list[int]) -> None:
        if ids:
            gone = await self._store.write(lambda c: sweeps.forget(c, ids))
            log.info("%d closed alerts deleted (retention)", gone)


async def _every(seconds: float, sweep: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await sweep()
        except StoreAway as error:
            log.debug("not swept: %s", error)
        except Exception:
            log.exception("a sweep failed; it is tried again in %g s", seconds)


def _offset() -> Instant:
    """The wall clock's distance from the monotonic one: it changes only when the wall clock is set."""
    return times.now() - time.monotonic_ns() // 1_000
