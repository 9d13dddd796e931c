"""Keeping open alerts in step with the silences: held while one is active that fits them, woken when it is not.

Alerts that begin are judged in the transaction that stores them; this is for those that were open before.
"""

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial

from receiver.domain import times
from receiver.domain.silences import InForce, Silence, SilenceRule
from receiver.domain.value import value
from receiver.domain.windows import State
from receiver.flow.setup import Setup
from receiver.flow.silence import take_rules
from receiver.store import Connection, Store, hushing, silences

log = logging.getLogger("alertsage.silences")

LOOKS = (0.0, 10.0, 60.0)
"""Seconds after a change of the silences at which open alerts are looked through: a webhook that was being stored
meanwhile, perhaps by another replica, was judged by what was in force before."""
FEW = 3
"""So many changed silences are each sought in the label index; for more, all open alerts are looked through once."""


@value
class _Look:
    """One search that is due."""

    due: float
    """By the monotonic clock."""
    changed: frozenset[int]
    """The silences that became active, or others, since."""


class Hush:
    """Call `look` every few seconds. It costs one small read while nothing has changed."""

    def __init__(self, store: Store, setup: Callable[[], Setup]) -> None:
        self._store = store
        self._setup = setup
        self._seen: Mapping[int, int] | None = None
        """The versions of the active silences at the last look; None before the first."""
        self._looks: list[_Look] = []
        self._taken: tuple[SilenceRule, ...] | None = None
        """The file's silences that the database has."""

    async def look(self) -> None:
        """Put right what is due. Raises StoreAway."""
        rules = self._setup().book.silences
        if rules != self._taken:
            await take_rules(self._store, rules)
            self._taken = rules
        now, clock = times.now(), time.monotonic()
        known = await self._store.read(lambda c: silences.in_force(c, now))
        active = {one.id: one for one in known if one.state(now) is State.ACTIVE}
        versions = {one.id: one.version for one in active.values()}
        if versions != self._seen:
            before = self._seen or {}
            changed = frozenset(number for number, version in versions.items() if before.get(number) != version)
            self._looks += [_Look(clock + later, changed) for later in LOOKS]
            self._seen = versions
        due = [look for look in self._looks if look.due <= clock]
        if due:
            changed = frozenset().union(*(look.changed for look in due))
            await self._wake(active, changed)
            await self._hold([active[number] for number in sorted(changed & active.keys())])
            self._looks = [look for look in self._looks if look not in due]

    async def _wake(self, active: Mapping[int, Silence], changed: frozenset[int]) -> None:
        """Let go of what no active silence holds any more."""
        for number in await self._store.read(hushing.holders):
            if number in active and number not in changed:
                continue
            why = {number: await self._store.read(partial(_why, number=number))}
            after: int | None = 0
            while after is not None:
                by = active.get(number, number)
                ids, after = await self._store.read(partial(_held, by=by, after=after))
                await self._put_right(ids, why)

    async def _hold(self, changed: list[Silence]) -> None:
        """Let these hold what they fit."""
        if not changed:
            return
        few = await self._store.read(hushing.open_alerts) <= hushing.FEW
        if not few and len(changed) <= FEW and all(one.pairs for one in changed):
            for one in changed:
                await self._seek(one.fits, one.pairs)
        else:
            any_of = InForce(changed)
            await self._seek(lambda labels: any_of.holding(labels, times.now()) is not None, ())

    async def _seek(self, fits: Callable[[Mapping[str, str]], bool], pairs: Iterable[tuple[str, str]]) -> None:
        async for ids in seek(self._store, fits, tuple(pairs), free=True):
            await self._put_right(ids, {})

    async def _put_right(self, ids: list[int], why: Mapping[int, str]) -> None:
        for first in range(0, len(ids), hushing.SLICE):
            part = ids[first : first + hushing.SLICE]
            made = await self._store.write(partial(_put_right, ids=part, why=why))
            if made:
                log.info("%d alerts were silenced or woken", made)


def _put_right(connection: Connection, ids: list[int], why: Mapping[int, str]) -> int:
    return hushing.put_right(connection, ids, times.now(), why)


async def seek(
    store: Store, fits: Callable[[Mapping[str, str]], bool], pairs: tuple[tuple[str, str], ...], *, free: bool = False
) -> AsyncIterator[list[int]]:
    """The open alerts that fit, slice by slice; with pairs, through the label index. Raises StoreAway.

    `free` leaves out those that a silence holds.
    """
    place: hushing.Place | None = hushing.BEGIN
    while place is not None:
        wanted = hushing.Wanted(fits, pairs, free)
        ids, place = await store.read(partial(hushing.fitting, wanted=wanted, place=place))
        yield ids


def _held(connection: Connection, by: Silence | int, after: int) -> tuple[list[int], int | None]:
    return hushing.held(connection, by, after, times.now())


def _why(connection: Connection, number: int) -> str:
    """Why a silence does not hold what it held."""
    known, now = silences.one(connection, number), times.now()
    if known is None:
        return f"silence {number} is gone"
    state = known.state(now)
    if state is State.EXPIRED and known.changed_at == known.terms.window.ends_at:
        return f"{known.changed_by} ended silence {number}"
    if state is State.EXPIRED:
        return f"silence {number} ended"
    if state is State.PENDING and known.terms.schedule:
        return f"the window of silence {number} ended"
    return f"{known.changed_by or 'somebody'} changed silence {number}"
