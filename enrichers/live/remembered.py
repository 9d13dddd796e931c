"""What was asked for is remembered for a short time, and never asked for twice at the same time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from enrichers.api import Problem

Ask = Callable[[], Awaitable[bytes]]


class Remembered:
    """Answers by key. Used on one event loop at a time; a key asked for on a loop that has ended is asked for anew."""

    def __init__(self, seconds: float, most: int, size: int) -> None:
        """Keep answers for `seconds`: at most that many, of `size` bytes together; those not used longest go first."""
        self._seconds, self._most, self._size = seconds, most, size
        self._known: OrderedDict[Hashable, tuple[float, bytes | Problem]] = OrderedDict()
        self._held = 0
        self._running: dict[Hashable, _Run] = {}

    async def get(self, key: Hashable, ask: Ask) -> bytes:
        """The answer remembered, awaited with whoever asks for it already, or asked for. Raises Problem as `ask` did.

        A Problem is remembered like an answer. When the last who waits for it goes away, asking ends.
        """
        found = self._remembered(key)
        if found is None:
            found = await self._asked(key, ask)
        if isinstance(found, Problem):
            raise Problem(*found.args)
        return found

    def _remembered(self, key: Hashable) -> bytes | Problem | None:
        until, found = self._known.get(key, (0.0, None))
        if found is None or until < time.monotonic():
            return None
        self._known.move_to_end(key)
        return found

    async def _asked(self, key: Hashable, ask: Ask) -> bytes | Problem:
        run = self._running.get(key)
        if run is None or run.task.get_loop() is not asyncio.get_running_loop():
            run = self._running[key] = _Run(asyncio.ensure_future(self._ask(key, ask)))
        run.waiting += 1
        try:
            return await asyncio.shield(run.task)
        finally:
            run.waiting -= 1
            if not run.waiting:
                run.task.cancel()
                if self._running.get(key) is run:
                    del self._running[key]

    async def _ask(self, key: Hashable, ask: Ask) -> bytes | Problem:
        try:
            found: bytes | Problem = await ask()
        except Problem as problem:
            found = problem
        self._keep(key, found)
        return found

    def _keep(self, key: Hashable, found: bytes | Problem) -> None:
        self._forget(key)
        self._known[key] = (time.monotonic() + self._seconds, found)
        self._held += _size(found)
        while len(self._known) > self._most or self._held > self._size:
            self._forget(next(iter(self._known)))

    def _forget(self, key: Hashable) -> None:
        _, found = self._known.pop(key, (0.0, b""))
        self._held -= _size(found)


class _Run:
    """One request under way, and how many wait for it."""

    def __init__(self, task: "asyncio.Future[bytes | Problem]") -> None:
        self.task = task
        self.waiting = 0


def _size(found: bytes | Problem) -> int:
    return len(found) if isinstance(found, bytes) else 0
