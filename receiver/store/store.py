"""The store as the rest of the program sees it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import Connection, insert

from receiver.domain import times
from receiver.domain.alert import Alert, Change
from receiver.domain.history import Past
from receiver.domain.sighting import Sightings
from receiver.errors import StoreAway
from receiver.meters import Meters
from receiver.store import reads
from receiver.store.batch import BATCH_PART, Intake
from receiver.store.database import Database
from receiver.store.past import past
from receiver.store.plan import Plan
from receiver.store.queries import AlertQuery, Gauges, Page, Receipt
from receiver.store.rows import change_each
from receiver.store.tables import quarantine
from receiver.store.trouble import translated
from receiver.store.writer import Busy, Writer

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

RETRY_SECONDS = 1.0
REVIVE_SECONDS = 0.25
PROBE_SECONDS = 1.0
PING_SECONDS = 5.0
READ_SECONDS = 30.0
NOTHING_YET = Sightings()
GAUGES_SECONDS = 3.0
"""Whoever scrapes gives up after ten, and has nothing at all then."""


class Store:
    """Alerts in one database. `start` it, use it, `close` it."""

    def __init__(self, database: Database, *, queue: int, meters: Meters) -> None:
        self._database = database
        self._queue = queue
        self._meters = meters
        self._writer: Writer | None = None
        self._caring: asyncio.Task[None] | None = None
        self._probed_at = 0.0
        self.state = "migrating"
        """"ready", "migrating", or a sentence that says why the store is away."""
        self._trouble = asyncio.Event()
        self.work = asyncio.Event()
        """Set whenever a commit added jobs."""
        self.away_at: times.Instant = 0
        """When the store was last found away, or last started: silence until then proves nothing."""

    async def start(self) -> None:
        """Begin to open and migrate the database, trying again until it works; `state` tells when it is ready."""
        self._caring = asyncio.create_task(self._care(), name="care for the store")

    async def close(self) -> None:
        """Finish what waits and let go of the database."""
        if self._caring is not None:
            self._caring.cancel()
            await asyncio.gather(self._caring, return_exceptions=True)
        if self._writer is not None:
            await self._writer.close()
        await self._database.close()

    async def accept(
        self, source: str, told: Sightings | Callable[[], Sightings], plan: Plan, seconds: float | None = None
    ) -> Receipt:
        """Store one webhook; returns after the commit. Raises StoreAway when nothing (more) could be stored.

        What a small one says (at most BATCH_PART alerts) may be left to be read here: then Refused can be raised, too.

        A very large webhook is stored in several commits, so that others need not wait for all of it. When one takes
        longer than so many seconds, TimeoutError is raised: it may be stored nevertheless.
        """
        writer, at = self._ready(), times.now()
        if not isinstance(told, Sightings):
            intake = Intake(source, NOTHING_YET, at, plan, told)
        elif len(told.alerts) <= BATCH_PART:
            intake = Intake(source, told, at, plan)
        else:
            return await self._accept_parts(source, told, plan, seconds)
        try:
            return await writer.submit(intake, seconds)
        except StoreAway as error:
            self._noticed(error)
            raise

    async def _accept_parts(self, source: str, told: Sightings, plan: Plan, seconds: float | None) -> Receipt:
        writer, at, outcomes = self._ready(), times.now(), Counter[str]()
        loop = asyncio.get_running_loop()
        until = None if seconds is None else loop.time() + seconds
        for part, whole in _parts(told):
            left = None if until is None else max(0.0, until - loop.time())
            intake = Intake(source, part, at, plan, whole=whole)
            stored = await self._watched(writer.submit(intake, left))
            outcomes.update(stored.outcomes)
        return Receipt(outcomes, told)

    async def act(self, alert_id: int, decide: Callable[[Alert], Change | None]) -> Change | None:
        """Apply a pure decision (`receiver.domain.acts`) to one Alert and store the Change it makes.

        Raises LookupError when there is no such Alert, StoreAway, and whatever `decide` raises.
        """

        def operation(connection: Connection) -> Change | None:
            found = False

            def decided(alert: Alert) -> Change | None:
                nonlocal found
                found = True
                return decide(alert)

            made = change_each(connection, [alert_id], decided)
            if not found:
                raise LookupError(f"there is no alert {alert_id}")
            return made[0] if made else None

        return await self.write(operation)

    async def write(self, operation: Callable[[Connection], T]) -> T:
        """Run a write operation of this package in a transaction of its own. Raises StoreAway.

        It may be run more than once: only what the last run did is stored.
        """
        return await self._watched(self._ready().run(operation))

    async def read(self, operation: Callable[[Connection], T], seconds: float = READ_SECONDS) -> T:
        """Run a read operation of this package on a reader's connection. Raises StoreAway, at the latest after that."""
        if self._writer is None or not self._database.reads_alone:
            self._ready()
        with translated():
            async with asyncio.timeout(seconds), self._database.readers.connect() as connection:
                return await connection.run_sync(operation)

    async def page(self, query: AlertQuery) -> Page:
        """One page of alerts, newest first. Raises StoreAway."""
        return await self.read(lambda connection: reads.page(connection, query))

    async def alert(self, alert_id: int) -> dict[str, Any] | None:
        """One alert with its Changes and its raw sighting, in API form; None when there is none. Raises StoreAway."""
        return await self.read(lambda connection: reads.one(connection, alert_id))

    async def past(self, alert_id: int) -> Past | None:
        """What is remembered of one alert's key and of similar ones; None when there is no such alert.

        Raises StoreAway.
        """
        return await self.read(lambda connection: past(connection, alert_id))

    async def quarantine(self, limit: int) -> list[dict[str, Any]]:
        """The alerts kept aside lately, newest first. Raises StoreAway."""
        return await self.read(lambda connection: reads.quarantined(connection, limit))

    async def set_aside(self, source: str, reason: str, excerpt: str) -> None:
        """Keep in quarantine what cannot be read any more. Raises StoreAway."""
        kept = {"at": times.now(), "source": source, "reason": reason, "excerpt": excerpt}
        await self.write(lambda connection: connection.execute(insert(quarantine).values(kept)))

    async def gauges(self, names: int, heartbeats: int) -> Gauges:
        """What /metrics shows of the database. Raises StoreAway."""
        return await self.read(lambda connection: reads.gauges(connection, names, heartbeats), GAUGES_SECONDS)

    async def ping(self) -> None:
        """Raises StoreAway unless the database can be written to now; asked at most once a second."""
        self._ready()
        loop = asyncio.get_running_loop()
        if loop.time() - self._probed_at >= PROBE_SECONDS:
            await self._watched(self._probe())
            self._probed_at = loop.time()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _ready(self) -> Writer:
        if self._writer is None or self.state != "ready":
            raise StoreAway("the database is being opened" if self.state == "migrating" else self.state)
        return self._writer

    async def _probe(self) -> None:
        assert self._writer is not None  # noqa: S101 - asked for only once it is there
        # An update that changes nothing still has to reach the disk: a full one shows here, a mere BEGIN would pass.
        probing = self._writer.run(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = version_num"))
        try:
            async with asyncio.timeout(PING_SECONDS):
                await probing
        except TimeoutError:
            raise StoreAway(f"the database did not take a write within {PING_SECONDS:g} s") from None

    async def _watched(self, doing: Awaitable[T]) -> T:
        """Notice when a write meets the database away."""
        try:
            return await doing
        except StoreAway as error:
            self._noticed(error)
            raise

    def _noticed(self, error: StoreAway) -> None:
        if not isinstance(error, Busy):
            self._away(str(error))

    def _away(self, why: str) -> None:
        if self.state != why:
            log.warning("%s", why)
        self.state, self.away_at = why, times.now()
        self._trouble.set()

    async def _care(self) -> None:
        """Open the database; then, whenever it is away, try until it is back: what comes meanwhile need not wait."""
        await _until(self._opened, RETRY_SECONDS)
        self._writer = Writer(self._database.link(), self._meters, self._queue, self.work.set)
        while True:
            self._back()
            await self._trouble.wait()
            await _until(self._usable, REVIVE_SECONDS)

    async def _opened(self) -> bool:
        try:
            await self._database.open()
        except StoreAway as error:
            self._away(str(error))
        except Exception as error:
            self._away(f"the database could not be opened: {error}")
            log.exception("opening the database failed; it is tried again")
        else:
            return True
        return False

    async def _usable(self) -> bool:
        try:
            await self._probe()
        except StoreAway as error:
            self._away(str(error))
        except Exception as error:
            self._away(f"the database cannot be used now: {error}")
            log.exception("the database failed in a way of its own; it is tried again")
        else:
            return True
        return False

    def _back(self) -> None:
        log.info("the database is ready" if self.state == "migrating" else "the database can be used again")
        self._trouble.clear()
        self.state, self.away_at = "ready", times.now()
        self.work.set()


async def _until(done: Callable[[], Awaitable[bool]], pause: float) -> None:
    """Try until it is done, with that many seconds between."""
    while True:
        if await done():
            return
        await asyncio.sleep(pause)


def _parts(told: Sightings) -> Iterator[tuple[Sightings, bool]]:
    """A webhook in parts of at most BATCH_PART alerts, and whether it is the last; what else it says is in that."""
    last = (len(told.alerts) - 1) // BATCH_PART * BATCH_PART
    for first in range(0, last, BATCH_PART):
        yield Sightings(told.alerts[first : first + BATCH_PART], delivery=told.delivery, came=told.came), False
    yield replace(told, alerts=told.alerts[last:]), True
