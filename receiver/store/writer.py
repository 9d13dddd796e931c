"""The batching writer: one task, one connection, one transaction for all webhooks that wait.

Batches form by themselves while the last commit runs; nobody waits on a timer (measured: docs/performance.md). A
caller gets its answer only after the COMMIT that holds its alerts. Other writes (jobs, sweeps) are functions over the
same connection, each in a transaction of its own.
"""

import asyncio
import logging
import math
import random
import sqlite3
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from receiver.errors import Refused, StoreAway
from receiver.meters import Meters
from receiver.store.batch import BATCH_PART, Batch, Intake, asked_by
from receiver.store.database import Link, Statements
from receiver.store.queries import Receipt
from receiver.store.trouble import Again, translated

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

TRIES = 10
"""How often a transaction is tried that another replica was quicker than."""
BATCH_WEBHOOKS = 8
"""So many webhooks that wait, and half of those beyond, are stored together: while these are committed, the next are
read. All at once would make both wait for each other in turn (measured: docs/performance.md)."""


LOOK_SECONDS = 0.05
"""How exactly the time that callers wait is measured."""


class Busy(StoreAway):
    """Too many wait for the database, which is there."""


@dataclass(slots=True)
class _Waiting:
    """An Intake or an operation, and whom to tell."""

    work: Intake | Callable[[Connection], Any]
    future: "asyncio.Future[Any]"
    until: float = math.inf
    """By the loop's clock: then its caller waits no longer."""
    result: Any = None
    error: BaseException | None = None

    def tell(self) -> None:
        """Give the caller its result, unless it has gone away."""
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns the writing connection. Made on the event loop that its callers run on."""

    def __init__(self, link: Link, meters: Meters, limit: int, on_work: Callable[[], None]) -> None:
        self._link = link
        self._meters = meters
        self._limit = limit
        self._on_work = on_work
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._filled = asyncio.Event()
        self._closing = False
        self._at_work: list[_Waiting] = []
        self._looking = False
        meters.queue_depth.set_function(lambda: self._depth)
        self._task = self._loop.create_task(self._serve(), name="writer")

    @property
    def _depth(self) -> int:
        return len(self._waiting) + len(self._at_work)

    def submit(self, intake: Intake, seconds: float | None) -> "asyncio.Future[Receipt]":
        """Store one webhook; done when it is committed, with what it said and the count of each outcome.

        Ends in TimeoutError when that takes longer than so many seconds: it may be stored nevertheless. In Refused
        when it turns out that it cannot be read, in StoreAway when the database cannot be used: nothing was stored.
        Raises Busy when too many webhooks wait.
        """
        if self._depth >= self._limit:
            raise Busy(f"{self._depth} webhooks are waiting for the database already")
        return self._put(intake, seconds)

    def run(self, operation: Callable[[Connection], T]) -> "asyncio.Future[T]":
        """Run `operation` in a transaction of its own; what it raises is raised here, and nothing is written."""
        return self._put(operation, None)

    async def close(self) -> None:
        """Finish what waits, then close the connection."""
        self._closing = True
        self._filled.set()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._link.close()

    def _put(self, work: Any, seconds: float | None) -> "asyncio.Future[Any]":
        future: asyncio.Future[Any] = self._loop.create_future()
        if self._task.done():
            why = "the task that writes has ended by a fault of alertsage; its log says why: restart it"
            future.set_exception(StoreAway(why))
            return future
        until = math.inf if seconds is None else self._loop.time() + seconds
        self._waiting.append(_Waiting(work, future, until))
        self._filled.set()
        if not self._looking:
            self._looking = True
            self._loop.call_later(LOOK_SECONDS, self._look)
        return future

    def _look(self) -> None:
        """Let those go whose time is up; one look at all costs less than a timer for each."""
        now = self._loop.time()
        for one in (*self._waiting, *self._at_work):
            if one.until <= now and not one.future.done():
                one.future.set_exception(TimeoutError())
        self._looking = self._depth > 0
        if self._looking:
            self._loop.call_later(LOOK_SECONDS, self._look)

    # --- the task ---------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            while self._waiting or not self._closing:
                if not self._waiting:
                    self._filled.clear()
                    await self._filled.wait()
                elif group := self._gather():
                    self._at_work = group
                    away = await self._settle(group)
                    self._at_work = []
                    for one in group:
                        one.tell()
                    if away is not None:
                        self._turn_away(away)
        except BaseException:
            log.exception("the task that writes has ended")
            self._waiting.extendleft(self._at_work)
            self._turn_away(StoreAway("the task that writes has ended by a fault of alertsage: restart it"))
            raise

    def _turn_away(self, away: StoreAway) -> None:
        """Fail all that waits: it would only wait as long again."""
        while self._waiting:
            one = self._waiting.popleft()
            one.error = away
            one.tell()

    def _gather(self) -> list[_Waiting]:
        """What is done in the next transaction: one operation, or webhooks that wait in a row, within bounds."""
        group: list[_Waiting] = []
        most, alerts = max(BATCH_WEBHOOKS, self._depth // 2), 0
        while self._waiting and len(group) < most:
            one = self._waiting[0]
            if one.future.done():
                self._waiting.popleft()
                continue
            if not isinstance(one.work, Intake):
                return group or [self._waiting.popleft()]
            if not _read(one):
                self._waiting.popleft()
                continue
            alerts += len(one.work.told.alerts)
            if group and alerts > BATCH_PART:
                break
            group.append(self._waiting.popleft())
        return group

    async def _settle(self, group: Sequence[_Waiting]) -> StoreAway | None:
        """Do the work of a group in one transaction; if that fails for a reason of its own, one by one.

        Returns why nothing can be stored at all now, if so.
        """
        try:
            await self._transact(group)
        except StoreAway as error:
            _fail(group, error)
            return error
        except Exception as error:  # noqa: BLE001 - told to whom it concerns: one bad webhook must not fail the others
            if len(group) == 1:
                _fail(group, error)
                return None
            log.warning("a batch of %d webhooks failed (%s): storing them one by one", len(group), error)
            for number, one in enumerate(group):
                if away := await self._settle([one]):
                    _fail(group[number:], away)
                    return away
        return None

    async def _transact(self, group: Sequence[_Waiting]) -> None:
        began = time.perf_counter()
        intakes = [waiting.work for waiting in group if isinstance(waiting.work, Intake)]
        try:
            results, owes_work = await self._tried(self._stored(intakes) if intakes else self._done(group[0]))
        except (StoreAway, DBAPIError, sqlite3.Error) as error:
            self._meters.store_failures.labels("away" if isinstance(error, StoreAway) else "error").inc()
            await self._link.close()
            raise
        for waiting, result in zip(group, results, strict=True):
            waiting.result = result
        if intakes:
            self._meters.batch_webhooks.observe(len(group))
            self._meters.batch_seconds.observe(time.perf_counter() - began)
        if owes_work:
            self._on_work()

    def _stored(self, intakes: Sequence[Intake]) -> Callable[[], Awaitable[tuple[list[Any], bool]]]:
        def take(statements: Statements) -> tuple[list[Any], bool]:
            batch = Batch(statements)
            results: list[Any] = [Receipt(batch.take(intake), intake.told) for intake in intakes]
            batch.write()
            return results, batch.owes_work

        return lambda: self._link.batch(asked_by(intakes), take)

    def _done(self, waiting: _Waiting) -> Callable[[], Awaitable[tuple[list[Any], bool]]]:
        operation = waiting.work
        assert not isinstance(operation, Intake)  # noqa: S101 - groups are all of one sort

        async def done() -> tuple[list[Any], bool]:
            return [await self._link.transact(operation)], False

        return done

    async def _tried(self, work: Callable[[], Awaitable[T]]) -> T:
        for tried in range(1, TRIES + 1):
            try:
                with translated():
                    return await work()
            except Again as error:
                self._meters.store_failures.labels("again").inc()
                if tried == TRIES:
                    raise StoreAway(f"{error} ({TRIES} times)") from error
                # replicas should not meet again
                await asyncio.sleep(random.uniform(0, min(0.25, 0.002 * 2**tried)))  # noqa: S311
        raise AssertionError


def _read(one: _Waiting) -> bool:
    """Read what the webhook says, if that is still to be done; False when it cannot be read, and its caller knows."""
    assert isinstance(one.work, Intake)  # noqa: S101 - the caller has looked
    try:
        one.work.read_now()
    except Refused as refused:
        one.error = refused
    except Exception as error:
        log.exception("a webhook of source %s could not be read", one.work.source)
        one.error = error
    else:
        return True
    one.tell()
    return False


def _fail(group: Sequence[_Waiting], error: BaseException) -> None:
    for waiting in group:
        waiting.result, waiting.error = None, error
