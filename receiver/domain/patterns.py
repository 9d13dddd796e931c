"""What the alerts of a while have in common, counted: how often, when, which, how soon acted on, how soon over.

A *time* is one opening or reopening of an alert. It lasts until the alert's next one; what happened in between is its
own: who acted first, when it was resolved, or that it expired.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo

from receiver.domain.history import FLAP_GAP, FLAPS
from receiver.domain.times import DAY, HOUR, MILLISECOND, MINUTE, Instant, as_datetime, span
from receiver.domain.value import value

QUARTER = 15 * MINUTE
"""Offsets of time zones are whole quarters of an hour."""
HUSHED, EXPIRED = 1, 2
ANEW, LOST = -1, -2
"""In place of an end: it began anew, and nobody had told of an end; the same, after it had expired."""


MOST_NAMES = 10_000
OTHER = "_other"
"""What names beyond MOST_NAMES are counted as."""
LEAST = 5
"""Fewer times are no pattern."""


@value
class Open:
    """An alert that is open now."""

    alert: int
    name: str
    subject: str
    priority: str
    status: str
    since: Instant


@value
class Asked:
    """What was asked for, and how far it can be known."""

    days: int
    until: Instant
    zone: str
    """Its IANA name."""
    known_since: Instant | None
    """None when nothing is known at all."""

    @property
    def since(self) -> Instant:
        """Where the days begin: whole days of 24 hours before `until`."""
        return self.until - self.days * DAY

    @property
    def complete(self) -> bool:
        """False when some of the days lie before what is known."""
        return self.known_since is not None and self.known_since <= self.since

    @property
    def comparable(self) -> bool:
        """True when the days before these are known, too."""
        return self.known_since is not None and self.known_since <= self.since - self.days * DAY


@value
class Times:
    """Times as parallel columns, in the order of their beginnings: what is counted is counted by the thousand."""

    alerts: Sequence[int]
    began: Sequence[Instant]
    before: Sequence[Instant | None]
    """When the same alert began the time before; None for an opening."""
    traits: Sequence[int]
    """HUSHED for one that was suppressed when it began: nobody was told. EXPIRED for one that neither was resolved nor
    began anew, but expired. Their sum for both."""
    names: Sequence[str]
    kinds: Sequence[str]
    """Source, category and priority, with a blank between."""
    subjects: Sequence[str]
    ended: Sequence[Instant | None]
    """When it was resolved; ANEW or LOST; None when neither has happened."""
    acted: Sequence[Instant | None]
    """When a person first acknowledged or resolved it; the same below zero when they had done something else before;
    -1 when they only did something else; None when nobody did anything."""


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
    opened: int = 0
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

    @property
    def resolved(self) -> int:
        """How many were."""
        return len(self.heeded) + len(self.unheeded) + len(self.unheard)

    @property
    def open(self) -> int:
        """How many go on."""
        return self.times - self.resolved - self.expired - self.anew

    @property
    def lengths(self) -> list[int]:
        """Of all that were resolved."""
        return [*self.heeded, *self.unheeded, *self.unheard]


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


class Tally:
    """Counts Times, part by part, in the order of their beginnings. `since` is where what is counted begins."""

    def __init__(self, zone: tzinfo, since: Instant) -> None:
        self._since = since
        self._hours_of = Hours(zone)
        self._runs: dict[int, _Run] = {}
        self._seen: set[int] = set()
        self.records: dict[str, Record] = {}
        self.kinds: Counter[str] = Counter()
        """By source, category and priority, with a blank between."""
        self.subjects: Counter[str] = Counter()
        self.things: Counter[tuple[str, str]] = Counter()
        """By (name, subject)."""
        self.hours: Counter[tuple[str, int]] = Counter()
        """By (name, hour as in Hours)."""

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
        names = self._named(more.names)
        self.subjects.update(more.subjects)
        self.things.update(zip(names, more.subjects, strict=True))
        hours = map(self._hours_of.__getitem__, [at // QUARTER for at in more.began])
        self.hours.update(zip(names, hours, strict=True))
        self._follow(names, more)
        self._measure(names, more)
        self._flap(more)

    def _named(self, names: Sequence[str]) -> list[str]:
        """The names to count them by; each has a record."""
        records = self.records
        for name in dict.fromkeys(names):
            if name not in records:
                records.setdefault(name if len(records) < MOST_NAMES else OTHER, Record())
        return [name if name in records else OTHER for name in names]

    def _follow(self, names: Sequence[str], more: Times) -> None:
        """Count what became of them: first how many are alike, because that is quick."""
        opened = [before is None for before in more.before]
        ends = [end if end is None or end < 0 else 0 for end in more.ended]
        acted = [act is not None for act in more.acted]
        alike = Counter(zip(names, opened, more.traits, ends, acted, strict=True))
        for (name, begun, traits, end, heeded), n in alike.items():
            record, expired = self.records[name], traits & EXPIRED
            record.times += n
            record.opened += n * begun
            record.acted += n * heeded
            record.expired += n * (end == LOST or bool(expired))
            record.anew += n * (end == ANEW)
            if traits & HUSHED:
                record.hushed += n
            elif end is not None or expired:
                record.over += n
                record.ignored += n * (not heeded)

    def _measure(self, names: Sequence[str], more: Times) -> None:
        """Keep how long they took."""
        # bound once: these lines are passed for every time there is
        keep = {
            name: (record.heeded.append, record.unheeded.append, record.unheard.append, record.reactions.append)
            for name, record in self.records.items()
        }
        for name, began, ended, act, traits in zip(names, more.began, more.ended, more.acted, more.traits, strict=True):
            heeded, unheeded, unheard, reacted = keep[name]
            if act is not None and act != -1:
                reacted(max(0, (abs(act) - began) // MILLISECOND))
            if ended is not None and ended > 0:
                took = (ended - began) // MILLISECOND if ended > began else 0
                if act is not None:
                    heeded(took)
                elif traits & HUSHED:
                    unheard(took)
                else:
                    unheeded(took)

    def _flap(self, more: Times) -> None:
        for place, before in enumerate(more.before):
            if before is None or before < self._since:
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

    def clocks(self) -> dict[str, dict[int, int]]:
        """How many times of each name began in each hour."""
        found: dict[str, dict[int, int]] = {name: {} for name in self.records}
        for (name, hour), n in self.hours.items():
            found[name][hour] = n
        return found

    def flapping(self) -> list[Flapping]:
        """The alerts that flapped, each with its longest run, the longest first."""
        found = [
            Flapping(alert, run.name, run.subject, *run.longest)
            for alert, run in self._runs.items()
            if run.longest[0] >= FLAPS
        ]
        return sorted(found, key=lambda one: (-one.times, one.alert))
