"""Counting: how often, when, which, how soon acted on, how soon over."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from receiver.domain.history import FLAP_GAP, FLAPS
from receiver.domain.patterns import ANEW, EXPIRED, HUSHED, LOST, Times
from receiver.domain.times import HOUR, MILLISECOND, MINUTE, Instant, as_datetime, span
from receiver.domain.value import value

QUARTER = 15 * MINUTE
"""Offsets of time zones are whole quarters of an hour."""
MOST_NAMES = 10_000
OTHER = "_other"
"""What names beyond MOST_NAMES are counted as."""


class Hours(dict[Instant, int]):
    """From a quarter of an hour (a moment divided by QUARTER) to the hour it lies in by the clocks of a zone.

    Hours are counted from 1970-01-01 00:00 of the zone's own clocks, as if each day had 24 of them.
    """

    def __init__(self, zone: tzinfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, quarter: Instant) -> int:
        moment = quarter * QUARTER
        offset = as_datetime(moment).astimezone(self._zone).utcoffset()
        found = self[quarter] = (moment + (span(offset) if offset else 0)) // HOUR
        return found


@dataclass(slots=True)
class Record:
    """What became of all times of one name. Lengths are whole milliseconds."""

    times: int = 0
    again: int = 0
    """Of all: an alert began anew, instead of a new one."""
    hushed: int = 0
    expired: int = 0
    anew: int = 0
    """Began anew without an end having been told."""
    acted: int = 0
    """Of all that began."""
    over: int = 0
    """Resolved, expired or begun anew, of which people had been told."""
    ignored: int = 0
    """Of those `over`: nobody did anything."""
    heeded: "array[int]" = field(default_factory=lambda: array("q"))
    """Lengths of those that were resolved, where somebody did something."""
    unheeded: "array[int]" = field(default_factory=lambda: array("q"))
    """Lengths of those that were resolved without anybody doing anything."""
    unheard: "array[int]" = field(default_factory=lambda: array("q"))
    """Lengths of those that were resolved without anybody doing anything, or having been told."""
    reactions: "array[int]" = field(default_factory=lambda: array("q"))
    """From the beginning until a person acknowledged or resolved it."""

    subjects: Counter[str] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    """When they began, as in Hours."""

    @property
    def resolved(self) -> int:
        """How many were."""
        return len(self.heeded) + len(self.unheeded) + len(self.unheard)

    @property
    def open(self) -> int:
        """How many go on."""
        return self.times - self.resolved - self.expired - self.anew

    def lengths(self) -> list[int]:
        """Of all that were resolved, sorted."""
        return sorted([*self.heeded, *self.unheeded, *self.unheard])


@value
class Flapping:
    """One alert that began again and again in quick succession."""

    alert: int
    name: str
    subject: str
    times: int
    since: Instant
    until: Instant
    """The last of these beginnings."""


@dataclass(slots=True)
class _Run:
    """Beginnings of one alert in quick succession."""

    name: str
    subject: str
    since: Instant
    last: Instant
    times: int
    longest: tuple[int, Instant, Instant] = (0, 0, 0)
    """(times, since, last) of the longest yet."""


_ACTED, _RESOLVED, _ANEW, _LOST = 4, 8, 16, 32
"""What became of a time, beside its traits."""
_ENDS = {ANEW: _ANEW, LOST: _LOST}


class _Kept:
    """The times of one name in one part, apart from those of others: so they are counted quickly."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._subjects: list[str] = []
        self._hours: list[int] = []
        self._fates: list[int] = []
        # bound once: one of each is called for every time there is
        self.calls = (
            self._subjects.append,
            self._hours.append,
            self._fates.append,
            record.reactions.append,
            (record.unheeded.append, record.unheard.append),
            record.heeded.append,
        )

    def count(self) -> None:
        record = self._record
        record.subjects.update(self._subjects)
        record.hours.update(self._hours)
        record.times += len(self._fates)
        for fate, n in Counter(self._fates).items():
            expired = fate & (EXPIRED | _LOST)
            record.acted += n * bool(fate & _ACTED)
            record.expired += n * bool(expired)
            record.anew += n * bool(fate & _ANEW)
            if fate & HUSHED:
                record.hushed += n
            elif expired or fate & (_RESOLVED | _ANEW):
                record.over += n
                record.ignored += n * (not fate & _ACTED)


def _split(kept: Mapping[str, _Kept], names: Sequence[str], hours: Iterable[int], more: Times) -> None:
    """Give each name its own; the lengths go to its record at once."""
    calls = {name: one.calls for name, one in kept.items()}
    columns = (names, more.subjects, hours, more.began, more.ended, more.acted, more.traits)
    for name, subject, hour, began, ended, act, traits in zip(*columns, strict=True):
        add_subject, add_hour, add_fate, reacted, unheeded, heeded = calls[name]
        add_subject(subject)
        add_hour(hour)
        fate = traits
        if act is not None:
            fate += _ACTED
            if act != -1:
                reacted(max(0, (abs(act) - began) // MILLISECOND))
        if ended is not None:
            if ended > 0:
                fate += _RESOLVED
                took = (ended - began) // MILLISECOND if ended > began else 0
                if act is None:
                    unheeded[traits & HUSHED](took)
                else:
                    heeded(took)
            else:
                fate += _ENDS[ended]
        add_fate(fate)


class Tally:
    """Counts Times, part by part, those of an alert in their order. `since` is where what is counted begins."""

    def __init__(self, zone: tzinfo, since: Instant) -> None:
        self._since = since
        self._hours_of = Hours(zone)
        self._runs: dict[int, _Run] = {}
        self._seen: set[int] = set()
        self.records: dict[str, Record] = {}
        self.kinds: Counter[str] = Counter()
        """By source, category and priority, with a blank between."""
        self.subjects: Counter[str] = Counter()

    @property
    def times(self) -> int:
        """How many were counted."""
        return self.kinds.total()

    @property
    def alerts(self) -> int:
        """How many different alerts they are of."""
        return len(self._seen)

    def add(self, more: Times) -> None:
        """Count these as well."""
        self._seen.update(more.alerts)
        self.kinds.update(more.kinds)
        self.subjects.update(more.subjects)
        names = self._named(more.names)
        hours = map(self._hours_of.__getitem__, [at // QUARTER for at in more.began])
        kept = {name: _Kept(self.records[name]) for name in dict.fromkeys(names)}
        _split(kept, names, hours, more)
        for one in kept.values():
            one.count()
        self._flap(names, more)

    def _named(self, names: Sequence[str]) -> list[str]:
        """The names to count them by; each has a record."""
        records = self.records
        for name in dict.fromkeys(names):
            if name not in records:
                records.setdefault(name if len(records) < MOST_NAMES else OTHER, Record())
        return [name if name in records else OTHER for name in names]

    def _flap(self, names: Sequence[str], more: Times) -> None:
        for place, before in enumerate(more.before):
            if before is None:
                continue
            self.records[names[place]].again += 1
            if before < self._since:
                continue
            began, alert = more.began[place], more.alerts[place]
            if began - before > FLAP_GAP:
                continue
            run = self._runs.get(alert)
            if run is None or run.last != before:
                longest = (0, 0, 0) if run is None else run.longest
                run = _Run(more.names[place], more.subjects[place], before, before, 1, longest)
                self._runs[alert] = run
            run.times, run.last = run.times + 1, began
            if run.times > run.longest[0]:
                run.longest = (run.times, run.since, run.last)

    def flapping(self) -> list[Flapping]:
        """The alerts that flapped, each with its longest run, the longest first."""
        found = [
            Flapping(alert, run.name, run.subject, *run.longest)
            for alert, run in self._runs.items()
            if run.longest[0] >= FLAPS
        ]
        return sorted(found, key=lambda one: (-one.times, one.alert))
