"""The batching writer: one thread, one connection, one transaction for all webhooks that wait.

Batches form by themselves while the last commit runs; nobody waits on a timer (measured: docs/performance.md). A
caller gets its answer only after the COMMIT that holds its alerts. Other writes (jobs, sweeps) are functions over the
same connection, each in a transaction of its own.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from receiver.errors import StoreAway
from receiver.meters import Meters
from receiver.store.batch import Batch, Intake
from receiver.store.engine import translated

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

Check = Callable[[], None]
"""Called before each transaction; raises StoreAway when the database must not be written to."""
BATCH_WEBHOOKS = 256
BATCH_ALERTS = 2000


@dataclass(slots=True)
class _Waiting:
    """An Intake or an operation, and whom to tell."""

    work: Intake | Callable[[Connection], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection. Made on the event loop that its callers run on."""

    def __init__(self, engine: Engine, meters: Meters, limit: int, on_work: Callable[[], None], check: Check) -> None:
        self._engine = engine
        self._meters = meters
        self._limit = limit
        self._on_work = on_work
        self._check = check
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._depth = 0
        self._connection: Connection | None = None
        self._next_id = 0
        self._thread = threading.Thread(target=self._serve, name="alertsage-writer", daemon=True)
        self._thread.start()

    async def submit(self, intake: Intake) -> Counter[str]:
        """Store one webhook; returns when it is committed, with the count of each outcome.

        Raises StoreAway when the database cannot be used or too many webhooks wait: nothing was stored.
        """
        if self._depth >= self._limit:
            raise StoreAway(f"{self._depth} webhooks are waiting for the database already")
        counts: Counter[str] = await self._wait(intake)
        return counts

    async def run(self, operation: Callable[[Connection], T]) -> T:
        """Run `operation` in a transaction of its own; what it raises is raised here, and nothing is written."""
        result: T = await self._wait(operation)
        return result

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _wait(self, work: Any) -> Any:
        if not self._thread.is_alive():
            raise StoreAway("the thread that writes has ended by a fault of alertsage; its log says why: restart it")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._depth += 1
        self._meters.queue_depth.set(self._depth)
        self._queue.put(_Waiting(work, future))
        try:
            return await future
        finally:
            self._depth -= 1
            self._meters.queue_depth.set(self._depth)

    # --- the thread -------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        going_on = True
        while going_on:
            waiting: list[_Waiting] = []
            going_on = self._gather(waiting)
            for group in _groups([w for w in waiting if not w.future.cancelled()]):
                self._settle(group)
                self._loop.call_soon_threadsafe(_tell, group)
        self._close()

    def _gather(self, waiting: list[_Waiting]) -> bool:
        """Wait for work, then take all that is there, within bounds; False at the end."""
        item = self._queue.get()
        alerts = 0
        while item is not None:
            waiting.append(item)
            alerts += len(item.work.told.alerts) if isinstance(item.work, Intake) else 0
            if len(waiting) >= BATCH_WEBHOOKS or alerts >= BATCH_ALERTS:
                return True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return True
        return False

    def _settle(self, group: Sequence[_Waiting]) -> None:
        """Do the work of a group in one transaction; if that fails for a reason of its own, one by one."""
        try:
            self._transact(group)
        except StoreAway as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - told to whom it concerns: one bad webhook must not fail the others
            if len(group) == 1:
                _fail(group, error)
                return
            log.warning("a batch of %d webhooks failed (%s): storing them one by one", len(group), error)
            for one in group:
                self._settle([one])

    def _transact(self, group: Sequence[_Waiting]) -> None:
        began = time.perf_counter()
        owes_work = False
        try:
            with translated():
                self._check()
                connection = self._connect()
                with connection.begin():
                    if isinstance(group[0].work, Intake):
                        owes_work = self._take(connection, group)
                    else:
                        group[0].result = group[0].work(connection)
        except (StoreAway, DBAPIError, sqlite3.Error) as error:
            self._meters.store_failures.labels("away" if isinstance(error, StoreAway) else "error").inc()
            self._close()
            raise
        if isinstance(group[0].work, Intake):
            self._meters.batch_webhooks.observe(len(group))
            self._meters.batch_seconds.observe(time.perf_counter() - began)
        if owes_work:
            self._loop.call_soon_threadsafe(self._on_work)

    def _take(self, connection: Connection, group: Sequence[_Waiting]) -> bool:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - our own engine's
        batch = Batch(driver.cursor(), self._new_id)
        batch.load(waiting.work for waiting in group)  # type: ignore[misc]
        for waiting in group:
            waiting.result = batch.take(waiting.work)  # type: ignore[arg-type]
        batch.write()
        return batch.owes_work

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            newest = self._connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'alert'").scalar()
            self._connection.rollback()
            self._next_id = newest or 0
        return self._connection

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def _close(self) -> None:
        """Drop the connection: after a failure its state is not trusted, and the numbers it gave out are read anew."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001 - a connection that cannot even be closed is gone all the same
                log.warning("closing the database connection failed: %s", error)


def _groups(waiting: Sequence[_Waiting]) -> list[list[_Waiting]]:
    """Webhooks next to each other share a transaction; every operation has one of its own."""
    groups: list[list[_Waiting]] = []
    for item in waiting:
        together = isinstance(item.work, Intake) and groups and isinstance(groups[-1][0].work, Intake)
        if together:
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in group:
        waiting.result, waiting.error = None, error


def _tell(group: Sequence[_Waiting]) -> None:
    """On the loop: give every caller its result, unless it has gone away."""
    for waiting in group:
        if waiting.future.done():
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
