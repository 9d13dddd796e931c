"""What is asked of the store and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.search import Search, Sort
from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.domain.value import value


@dataclass(frozen=True, slots=True)
class AlertQuery:
    """Which alerts to list: every condition must hold; an empty one asks nothing. Newest first."""

    statuses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    """(name, value) pairs; an empty value matches alerts without the label, as Alertmanager's matchers do."""
    text: str | None = None
    """Found in title, message or name, whatever the case (ASCII)."""
    limit: int = 50
    before: int | None = None
    """Only alerts with a smaller id: the keyset cursor."""
    search: Search = field(default_factory=Search)
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True, slots=True)
class Page:
    """One page of alerts in API form, and the cursor for the one after it (None at the end)."""

    alerts: list[dict[str, Any]]
    next: int | None


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
