"""What is asked of the store and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from receiver.domain.search import Search, Sort
from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.domain.value import value


class Position(NamedTuple):
    """A place in a sorted list: the keyset cursor."""

    key: int
    """What it is sorted by: 0 for newest first, the rank of a priority, a moment, a count."""
    id: int


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts to list, and in which order."""

    search: Search = field(default_factory=Search)
    sort: Sort = Sort.NEWEST
    limit: int = 50
    after: Position | None = None
    """Only what comes behind that place."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts in API form, and where the one after it begins (None at the end).

    There can be more although the page is short: a page looks at a bounded number of alerts.
    """

    alerts: list[dict[str, Any]]
    next: Position | None


@value
class Receipt:
    """What became of a stored webhook's alerts: how many had each outcome."""

    outcomes: Mapping[str, int]
    told: Sightings
    """What it said."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """The database's own figures, the same on every replica. Heartbeat alerts are in none of the counts."""

    alerts: list[tuple[str, str, str, str, int]]
    """(source, status, priority, category, how many), open and closed; a combination once seen stays, with 0."""
    names: list[tuple[str, str, int]]
    """(alertname, source, how many open), most first, at most as many as asked for."""
    names_other: int
    """Open alerts of all other names together."""
    heartbeats: list[tuple[str, str, Instant]]
    """(alertname, source, when last seen) of alerts that are meant to fire for ever."""
    jobs: int
    oldest_job: Instant | None
    voices: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """How often each source spoke with each of its kinds of webhook, for senders that have several."""
