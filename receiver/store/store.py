"""The store as the rest of the program sees it."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, insert

from receiver.domain import times
from receiver.domain.alert import Alert, Change
from receiver.domain.sighting import Sightings
from receiver.errors import StoreAway
from receiver.meters import Meters
from receiver.store import engine, migrate, reads
from receiver.store.batch import BATCH_PART, Intake, bucket
from receiver.store.plan import Plan
from receiver.store.queries import AlertQuery, Gauges, Page, Receipt
from receiver.store.rows import load, save
from receiver.store.tables import quarantine
from receiver.store.writer import Writer

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

RETRY_SECONDS = 1.0
PROBE_SECONDS = 1.0
PING_SECONDS = 5.0


class Store:
    """Alerts on one SQLite file. `start` it, use it, `close` it; one process at a time."""

    def __init__(self, path: Path, *, busy_timeout: float, read_connections: int, queue: int, meters: Meters) -> None:
        self._path = path
        self._lock = engine.FileLock(path)
        self._write_engine = engine.write_engine(path, busy_timeout)
        self._read_engine = engine.read_engine(path, read_connections, busy_timeout)
        self._queue = queue
        self._meters = meters
        self._writer: Writer | None = None
        self._starting: asyncio.Task[None] | None = None
        self._probed_at = 0.0
        self.state = "migrating"
        """"ready", "migrating", or a sentence that says why the store is away."""
        self.work = asyncio.Event()
        """Set whenever a commit added jobs."""
        self.away_at: times.Instant = 0
        """When the store was last found away, or last started: silence until then proves nothing."""

    async def start(self) -> None:
        """Begin to open and migrate the database, trying again until it works; `state` tells when it is ready."""
        self._starting = asyncio.create_task(self._open(), name="open the store")

    async def close(self) -> None:
        """Finish what waits and let go of the database."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._writer is not None:
            await self._writer.close()
        await self._read_engine.dispose()
        self._write_engine.dispose()
        self._lock.release()

    async def accept(self, source: str, sightings: Sightings, plan: Plan) -> Receipt:
        """Store one webhook; returns after the commit. Raises StoreAway when nothing (more) could be stored.

        A very large webhook is stored in several commits, so that others need not wait for all of it.
        """
        writer, at = self._ready(), times.now()
        outcomes: Counter[str] = Counter()
        for part, whole in _parts(sightings):
            outcomes += await self._watched(writer.submit(Intake(source, part, at, plan, whole)))
        return Receipt(dict(outcomes))

    async def act(self, alert_id: int, decide: Callable[[Alert], Change | None]) -> Change | None:
        """Apply a pure decision (`receiver.domain.acts`) to one Alert and store the Change it makes.

        Raises LookupError when there is no such Alert, StoreAway, and whatever `decide` raises.
        """

        def operation(connection: Connection) -> Change | None:
            state = load(connection, alert_id)
            if state is None:
                raise LookupError(f"there is no alert {alert_id}")
            before = bucket(state)
            made = decide(state)
            if made is not None:
                save(connection, state, made, before)
            return made

        return await self.write(operation)

    async def write(self, operation: Callable[[Connection], T]) -> T:
        """Run a write operation of this package in a transaction of its own. Raises StoreAway."""
        return await self._watched(self._ready().run(operation))

    async def read(self, operation: Callable[[Connection], T]) -> T:
        """Run a read operation of this package on a reader's connection. Raises StoreAway."""
        self._ready()
        with engine.translated():
            async with self._read_engine.connect() as connection:
                return await connection.run_sync(operation)

    async def page(self, query: AlertQuery) -> Page:
        """One page of alerts, newest first. Raises StoreAway."""
        return await self.read(lambda connection: reads.page(connection, query))

    async def alert(self, alert_id: int) -> dict[str, Any] | None:
        """One alert with its Changes and its raw sighting, in API form; None when there is none. Raises StoreAway."""
        return await self.read(lambda connection: reads.one(connection, alert_id))

    async def quarantine(self, limit: int) -> list[dict[str, Any]]:
        """The alerts kept aside lately, newest first. Raises StoreAway."""
        return await self.read(lambda connection: reads.quarantined(connection, limit))

    async def set_aside(self, source: str, reason: str, excerpt: str) -> None:
        """Keep in quarantine what cannot be read any more. Raises StoreAway."""
        kept = {"at": times.now(), "source": source, "reason": reason, "excerpt": excerpt}
        await self.write(lambda connection: connection.execute(insert(quarantine).values(kept)))

    async def gauges(self, names: int, heartbeats: int) -> Gauges:
        """What /metrics shows of the database. Raises StoreAway."""
        return await self.read(lambda connection: reads.gauges(connection, names, heartbeats))

    async def ping(self) -> None:
        """Raises StoreAway unless the database can be written to now; asked at most once a second."""
        loop = asyncio.get_running_loop()
        if self.state == "ready" and loop.time() - self._probed_at < PROBE_SECONDS:
            return
        self._ready()
        # An update that changes nothing still has to reach the disk: a full one shows here, a mere BEGIN would pass.
        try:
            async with asyncio.timeout(PING_SECONDS):
                await self.write(lambda c: c.exec_driver_sql("UPDATE alembic_version SET version_num = version_num"))
        except TimeoutError:
            raise StoreAway(f"the database did not take a write within {PING_SECONDS:g} s") from None
        self._probed_at = loop.time()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _ready(self) -> Writer:
        if self._writer is None:
            raise StoreAway("the database is being opened" if self.state == "migrating" else self.state)
        return self._writer

    async def _watched(self, doing: Awaitable[T]) -> T:
        """Keep `state` true to what the last write met."""
        try:
            result = await doing
        except StoreAway as error:
            self._away(str(error))
            raise
        if self.state != "ready":
            log.info("the database can be used again")
            self.state = "ready"
        return result

    def _away(self, why: str) -> None:
        if self.state != why:
            log.warning("%s", why)
        self.state, self.away_at = why, times.now()

    async def _open(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._migrate)
            except StoreAway as error:
                self._away(str(error))
            except Exception as error:
                self._away(f"the database could not be opened: {error}")
                log.exception("opening the database failed; it is tried again")
            else:
                break
            await asyncio.sleep(RETRY_SECONDS)
        self._writer = Writer(self._write_engine, self._meters, self._queue, self.work.set, self._check)
        self.state, self.away_at = "ready", times.now()
        self.work.set()
        log.info("the database is ready")

    def _check(self) -> None:
        self._lock.check(self._path)

    def _migrate(self) -> None:
        self._lock.take()
        try:
            engine.make_private(self._path)
            with engine.translated(), self._write_engine.connect() as connection, connection.begin():
                migrate.upgrade(connection)
        except BaseException:
            self._lock.release()
            raise


def _parts(told: Sightings) -> Iterator[tuple[Sightings, bool]]:
    """A webhook in parts of at most BATCH_PART alerts, and whether it is the last; what else it says is in that."""
    if len(told.alerts) <= BATCH_PART:
        yield told, True
        return
    last = (len(told.alerts) - 1) // BATCH_PART * BATCH_PART
    for first in range(0, last, BATCH_PART):
        yield Sightings(told.alerts[first : first + BATCH_PART], delivery=told.delivery), False
    yield replace(told, alerts=told.alerts[last:]), True
