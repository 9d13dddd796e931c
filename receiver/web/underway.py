"""Requests under way: how much they hold together, and how they come to an end when the server stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from receiver.errors import Refused

ANSWERING_SECONDS = 1.0
"""Left for answers after the last body was given up."""
LOOK_SECONDS = 0.05


class Held:
    """What one request holds; all together hold at most so many bytes. To be given back when it is answered."""

    def __init__(self, underway: "Underway", most: int) -> None:
        self._underway = underway
        self._most = most
        self._size = 0

    def take(self, size: int) -> None:
        """Hold so many bytes more. Raises Refused (503) when all requests together would hold too many."""
        if self._underway.held + size > self._most:
            raise Refused(
                f"the webhooks under way hold more than {self._most} bytes together (limits.in_flight)",
                status=503,
                reason="busy",
            )
        self._underway.held += size
        self._size += size

    def give_back(self) -> None:
        """Hold nothing any more."""
        self._underway.held -= self._size
        self._size = 0


class Underway:
    """All requests of this process that were begun and not answered yet."""

    def __init__(self) -> None:
        self.running = 0
        self.held = 0
        """Bytes of bodies."""
        self.stopping = False
        self._reading: set[asyncio.Timeout] = set()
        self._idle = asyncio.Event()

    def begin(self) -> None:
        """A request has begun."""
        self.running += 1
        self._idle.clear()

    def end(self) -> None:
        """It is answered, or never will be."""
        self.running -= 1
        if self.stopping and not self.running:
            self._idle.set()

    @asynccontextmanager
    async def reading(self, seconds: float) -> AsyncIterator[None]:
        """While a body arrives. Raises TimeoutError after so many seconds, or soon when the server stops."""
        async with asyncio.timeout(min(seconds, ANSWERING_SECONDS) if self.stopping else seconds) as limit:
            self._reading.add(limit)
            try:
                yield
            finally:
                self._reading.discard(limit)

    async def stop(self, seconds: float) -> None:
        """Wait until all are answered, at most so long. Bodies that have not arrived by then are answered 503."""
        loop = asyncio.get_running_loop()
        self.stopping, end = True, loop.time() + seconds
        for limit in [limit for limit in self._reading if not limit.expired()]:
            limit.reschedule(min(limit.when() or end, end - ANSWERING_SECONDS))
        await asyncio.sleep(LOOK_SECONDS)  # what has arrived by now is begun
        if self.running:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(end):
                    await self._idle.wait()
