"""The batching writer: one thread, one connection, one transaction for all webhooks that wait.

Batches form by themselves while the last commit runs; nobody waits on a timer (measured: docs/performance.md). A
caller gets its answer only after the COMMIT that holds its alerts. Other writes (jobs, sweeps) are functions over the
same connection, each in a transaction of its own.
"""

import asyncio
import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from receiver.errors import StoreAway
from receiver.meters import Meters
from receiver.store.batch import Batch, Intake
from receiver.store.database import Link, Statements
from receiver.store.trouble import Again, translated

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

TRIES = 10
"""How often a transaction is tried that another replica was quicker than."""
BATCH_WEBHOOKS = 8
"""So many webhooks that wait, and half of those beyond, are stored together: while these are written, the event loop
reads the next. All at once would make both wait for each other in turn (measured: docs/performance.md)."""
BATCH_ALERTS = 400
"""More alerts than that are not stored together, unless one webhook has them."""


class Busy(StoreAway):
    """Too many wait for the database, which is there."""


@dataclass(slots=True)
class _Waiting:
    """An Intake or an operation, and whom to tell."""

    work: Intake | Callable[[Connection], Any]
    future: "asyncio.Future[Any]"
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Owns the writing connection. Made on the event loop that its callers run on."""

    def __init__(self, link: Link, meters: Meters, limit: int, on_work: Callable[[], None]) -> None:
        self._link = link
        self._meters = meters
        self._limit = limit
        self._on_work = on_work
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._depth = 0
        meters.queue_depth.set_function(lambda: self._depth)
        self._thread = threading.Thread(target=self._serve, name="alertsage-writer", daemon=True)
        self._thread.start()

    async def submit(self, intake: Intake, seconds: float | None) -> Counter[str]:
        """Store one webhook; returns when it is committed, with the count of each outcome.

        Raises TimeoutError when that takes longer than so many seconds: it may be stored nevertheless.

        Raises StoreAway when the database cannot be used, Busy when too many webhooks wait: nothing was stored.
        """
        if self._depth >= self._limit:
            raise Busy(f"{self._depth} webhooks are waiting for the database already")
        counts: Counter[str] = await self._wait(intake, seconds)
        return counts

    async def run(self, operation: Callable[[Connection], T]) -> T:
        """Run `operation` in a transaction of its own; what it raises is raised here, and nothing is written."""
        result: T = await self._wait(operation)
        return result

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    async def _wait(self, work: Any, seconds: float | None = None) -> Any:
        if not self._thread.is_alive():
            raise StoreAway("the thread that writes has ended by a fault of alertsage; its log says why: restart it")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._depth += 1
        self._queue.put(_Waiting(work, future))
        limit = None if seconds is None else self._loop.call_later(seconds, _give_up, future)
        try:
            return await future
        finally:
            self._depth -= 1
            if limit is not None:
                limit.cancel()

    # --- the thread -------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        going_on = True
        while going_on:
            waiting: list[_Waiting] = []
            going_on = self._gather(waiting)
            groups = _groups([w for w in waiting if not w.future.done()])
            while groups:
                group = groups.pop(0)
                away = self._settle(group)
                self._loop.call_soon_threadsafe(_tell, group)
                if away is not None:
                    going_on &= self._turn_away([w for group in groups for w in group], away)
                    break
        self._link.close()

    def _turn_away(self, waiting: list[_Waiting], away: StoreAway) -> bool:
        """Fail all that waits: it would only wait as long again. False at the end."""
        going_on = True
        with suppress(queue.Empty):
            while going_on:
                item = self._queue.get_nowait()
                going_on = item is not None
                waiting += [item] if item is not None else []
        _fail(waiting, away)
        self._loop.call_soon_threadsafe(_tell, waiting)
        return going_on

    def _gather(self, waiting: list[_Waiting]) -> bool:
        """Wait for work, then take all that is there, within bounds; False at the end."""
        item = self._queue.get()
        most, alerts = max(BATCH_WEBHOOKS, self._depth // 2), 0
        while item is not None:
            waiting.append(item)
            alerts += len(item.work.told.alerts) if isinstance(item.work, Intake) else 0
            if len(waiting) >= most or alerts >= BATCH_ALERTS:
                return True
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return True
        return False

    def _settle(self, group: Sequence[_Waiting]) -> StoreAway | None:
        """Do the work of a group in one transaction; if that fails for a reason of its own, one by one.

        Returns why nothing can be stored at all now, if so.
        """
        try:
            self._transact(group)
        except StoreAway as error:
            _fail(group, error)
            return error
        except Exception as error:  # noqa: BLE001 - told to whom it concerns: one bad webhook must not fail the others
            if len(group) == 1:
                _fail(group, error)
                return None
            log.warning("a batch of %d webhooks failed (%s): storing them one by one", len(group), error)
            for number, one in enumerate(group):
                if away := self._settle([one]):
                    _fail(group[number:], away)
                    return away
        return None

    def _transact(self, group: Sequence[_Waiting]) -> None:
        began = time.perf_counter()
        intakes = [waiting.work for waiting in group if isinstance(waiting.work, Intake)]
        try:
            results, owes_work = self._tried(self._stored(intakes) if intakes else self._done(group[0]))
        except (StoreAway, DBAPIError) as error:
            self._meters.store_failures.labels("away" if isinstance(error, StoreAway) else "error").inc()
            self._link.close()
            raise
        for waiting, result in zip(group, results, strict=True):
            waiting.result = result
        if intakes:
            self._meters.batch_webhooks.observe(len(group))
            self._meters.batch_seconds.observe(time.perf_counter() - began)
        if owes_work:
            self._loop.call_soon_threadsafe(self._on_work)

    def _stored(self, intakes: Sequence[Intake]) -> Callable[[], tuple[list[Any], bool]]:
        def take(statements: Statements) -> tuple[list[Any], bool]:
            batch = Batch(statements)
            batch.load(intakes)
            results: list[Any] = [batch.take(intake) for intake in intakes]
            batch.write()
            return results, batch.owes_work

        return lambda: self._link.batch(take)

    def _done(self, waiting: _Waiting) -> Callable[[], tuple[list[Any], bool]]:
        operation = waiting.work
        assert not isinstance(operation, Intake)  # noqa: S101 - groups are all of one sort
        return lambda: ([self._link.transact(operation)], False)

    def _tried(self, work: Callable[[], T]) -> T:
        for tried in range(1, TRIES + 1):
            try:
                with translated():
                    return work()
            except Again as error:
                self._meters.store_failures.labels("again").inc()
                if tried == TRIES:
                    raise StoreAway(f"{error} ({TRIES} times)") from error
                time.sleep(random.uniform(0, min(0.25, 0.002 * 2**tried)))  # noqa: S311 - replicas should not meet again
        raise AssertionError


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


def _give_up(future: "asyncio.Future[Any]") -> None:
    if not future.done():
        future.set_exception(TimeoutError())


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
