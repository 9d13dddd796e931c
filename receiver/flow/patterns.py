"""Patterns of the last days, counted slice by slice: the event loop only passes them on."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from receiver.domain import times
from receiver.domain.findings import extent, report
from receiver.domain.hygiene import Reading, Recent, hygiene
from receiver.domain.patterns import Asked, Times
from receiver.domain.tally import Tally
from receiver.domain.times import DAY, Instant, Span
from receiver.errors import Refused
from receiver.store import Connection, Store, patterns
from receiver.store.patterns import Narrow

MOST = 500_000
"""Times that are counted for one answer: some 100 MB at worst, and five seconds."""
PATIENCE = 20.0
"""Seconds that an answer waits for its turn: one is counted at a time."""
RULES = 50
"""Rules in the report, those that alerted most often."""
AT_ONCE = 500
"""Alerts whose values are read in one statement."""
LONGEST_OPEN = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be counted."""

    days: int
    zone: ZoneInfo
    narrow: Narrow = field(default_factory=Narrow)
    now: Instant | None = None
    """Where the days end; now, if not given."""


class Patterns:
    """Counts patterns, one answer at a time."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()

    async def report(self, wanted: Wanted, kept: Span) -> dict[str, Any]:
        """The patterns in API form; closed alerts are kept for `kept`. Raises Refused (422, 503) and StoreAway."""
        async with _Turn(self._turn):
            asked = await self._asked(wanted, kept)
            tally = Tally(wanted.zone, asked.since)
            await self._count(asked, wanted, tally.add)
            earlier = asked.since - wanted.days * DAY
            before = None
            if asked.comparable:
                before = await self._store.read(partial(_counts, since=earlier, until=asked.since, wanted=wanted))
            longest = await self._store.read(lambda c: patterns.longest_open(c, wanted.narrow, LONGEST_OPEN))
            return await asyncio.to_thread(report, tally, asked, before, longest)

    async def hygiene(self, wanted: Wanted, kept: Span) -> dict[str, Any]:
        """A proposal for each rule that alerted most often, in API form. Raises as `report` does."""
        async with _Turn(self._turn):
            asked = await self._asked(wanted, kept)
            tally, newest = Tally(wanted.zone, asked.since), Recent()
            await self._count(asked, wanted, tally.add, newest.add)
            names = sorted(tally.records, key=lambda name: (-tally.records[name].times, name))[:RULES]
            recent = {name: newest.of(name) for name in names}
            readings = await self._readings([number for name in names for number in recent[name]])
            return await asyncio.to_thread(_hygiene, tally, asked, names, recent, readings)

    async def _asked(self, wanted: Wanted, kept: Span) -> Asked:
        now = times.now() if wanted.now is None else wanted.now
        known = await self._store.read(lambda connection: patterns.known_since(connection, now - kept))
        return Asked(wanted.days, now, wanted.zone.key, known)

    async def _count(self, asked: Asked, wanted: Wanted, *counters: Callable[[Times], None]) -> None:
        """Give all times to the counters. While some are counted the database finds the next ones."""
        counted, read = 0, partial(patterns.times, until=asked.until, narrow=wanted.narrow)
        place = patterns.beginning(asked.since)
        texts = await self._store.read(partial(read, after=place))
        while following := patterns.following(texts, place, asked.since):
            place = following
            reading = asyncio.create_task(self._store.read(partial(read, after=place)))
            try:
                counted += await asyncio.to_thread(_add, texts, counters)
                _check(counted, asked.days)
                texts = await reading
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)  # the turn is not left while it goes on
        _check(counted + await asyncio.to_thread(_add, texts, counters), asked.days)

    async def _readings(self, ids: list[int]) -> dict[int, Reading]:
        found: dict[int, Reading] = {}
        for first in range(0, len(ids), AT_ONCE):
            some = ids[first : first + AT_ONCE]
            read = await self._store.read(partial(patterns.readings, ids=some))
            found |= {one.alert: one for one in read}
        return found


def _counts(connection: Connection, since: Instant, until: Instant, wanted: Wanted) -> dict[str, int]:
    return patterns.counts(connection, since, until, wanted.narrow)


def _check(counted: int, days: int) -> None:
    if counted > MOST:
        sentence = f"alerts began more than {MOST} times in these {days} days"
        raise Refused(f"{sentence}: ask for fewer days, or by name, source, category or priority", status=422)


def _add(texts: patterns.Texts, counters: Sequence[Callable[[Times], None]]) -> int:
    more = patterns.read_times(texts)
    for count in counters:
        count(more)
    return len(more.alerts)


def _hygiene(
    tally: Tally, asked: Asked, names: list[str], recent: dict[str, list[int]], readings: dict[int, Reading]
) -> dict[str, Any]:
    flaps = Counter(one.name for one in tally.flapping())
    rules = []
    for name in names:
        days = len({hour // 24 for hour in tally.records[name].hours})
        read = [readings[number] for number in recent[name] if number in readings]
        rules.append(hygiene(name, tally.records[name], days, flaps[name], read))
    rest = len(tally.records) - len(names)
    return extent(asked) | {"rules": rules, "others": rest}


class _Turn:
    """Waiting for one's turn, but not for ever."""

    def __init__(self, lock: asyncio.Lock) -> None:
        self._lock = lock

    async def __aenter__(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._lock.acquire()
        except TimeoutError:
            raise Refused("patterns are being counted for others now: try again later", status=503) from None

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
