"""What the alerts of a while have in common, in words: what is asked, and what is counted.

A *time* is one opening or reopening of an alert. It lasts until the alert's next one; what happened in between is its
own: who acted first, when it was resolved, or that it expired.
"""

from collections.abc import Sequence

from receiver.domain.times import DAY, Instant
from receiver.domain.value import value

HUSHED, EXPIRED = 1, 2
ANEW, LOST = -1, -2
"""In place of an end: it began anew, and nobody had told of an end; the same, after it had expired."""
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
    """Times as parallel columns, in the order of their beginnings: what is counted is counted by the thousand.

    All of them are openings, or none.
    """

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
