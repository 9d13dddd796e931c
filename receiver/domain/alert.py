"""What we remember of a problem: the Alert's lifecycle state, its Changes, and the policy they follow."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.times import DAY, HOUR, MINUTE, Instant, Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Kind, Priority, Status


@dataclass(frozen=True, slots=True)
class Policy:
    """How long things take to be believed, per source. All lengths are microseconds."""

    expire_after: Span = 3 * DAY
    """An open alert that nobody told of for so long is expired."""
    repeat_within: Span = 2 * MINUTE
    """The same (status, start) again within this is a retry or an HA twin, and does not count."""
    late_within: Span = 10 * MINUTE
    """How late a message can be: longer than the sender's `group_interval`."""
    reopen_within: Span = 1 * HOUR
    """Closed less than this ago and firing anew is a flap of the same Alert."""
    resolve_grace: Span = 15 * MINUTE
    """So long a person's resolve stands against the sender's "still firing"."""


@value
class Change:
    """One entry of the audit trail."""

    alert_id: int
    seq: int
    """1, 2, 3 within its Alert."""
    at: Instant
    """When we learned of it, by our clock."""
    kind: Kind
    who: str
    """`source:<name>`, `alertsage` or a person."""
    why: str
    """One plain sentence, or ""."""
    status: Status | None
    """Where the Alert stood after it (where it stood before is the status of the Change before); None when that is no
    longer known."""
    via: str = ""
    """The interface that somebody used ("api", "file"); "" when it shows in `who`."""
    detail: Mapping[str, Any] = field(default_factory=dict)
    """What else it altered: names to [before, after]."""


FOREVER: Instant = 2**62

Seen = tuple[bool, Instant, Instant]
"""A sighting that counted: (firing, its start, when it came)."""


@dataclass(slots=True)
class Alert:
    """The lifecycle state of one Alert. `receiver.domain.lifecycle` is the only place that changes it."""

    id: int
    source: str
    fingerprint: str
    created_at: Instant
    status: Status
    started_at: Instant
    """Start of the current episode (of the last one, once closed), by the sender's clock."""
    latest_start: Instant
    """The latest start that any firing told: an end before it belongs to an earlier episode."""
    last_seen_at: Instant
    """When any sighting last came, by our clock; never goes back."""
    last_firing_at: Instant = 0
    """When a firing last came; 0 when none ever did."""
    ended_at: Instant | None = None
    """When the problem ended; None while open."""
    last_end: Instant = 0
    """The latest end that the sender told for this key, kept over reopenings; 0 when none."""
    closed_at: Instant = 0
    """When we last learned of an end, by our clock; 0 when never."""
    resolved_by: str = ""
    """The person who resolved it; "" when the sender did."""
    suppressed_until: Instant = 0
    """Until then the key is suppressed, whatever opens or closes; 0 for not at all."""
    notification_count: int = 0
    recent: tuple[Seen, ...] = ()
    """What counted lately, to tell retries and twins from news."""
    episodes: tuple[Instant, ...] = ()
    """When the key opened and reopened, oldest first: the last 50 within 30 days."""
    change_count: int = 0
    predecessor: int | None = None
    expire_after: Span = 3 * DAY
    priority: Priority = Priority.MEDIUM
    category: Category = Category.APPLICATION
    name: str = ""
    heartbeat: bool = False
    digest: bytes = b""
    """Identifies the content last described; another digest means that there is something new to say."""
    silenced: bool = False
    """Suppressed by its sender until that lifts it (Sentry: ignored, archived)."""
    silence_at: Instant = 0
    """When the sender last silenced or lifted, by its clock; 0 when never."""

    hushed_by: int = 0
    """The Silence that suppresses it now; 0 for none."""
    subject: str = ""
    """What it is about, as it was last described; "" when that is not known."""
    fate_seq: int = 0
    """The last Change that the next three take into account; they hold only while that is `change_count`.

    They tell what became of it since it began, so that patterns need not search its Changes. A replica of an earlier
    version makes Changes without them.
    """
    began_seq: int = 0
    """The Change that it last opened or reopened with; 0 when its end was the first that was heard of it."""
    over_at: Instant = 0
    """When we first learned since it began that it is resolved, by our clock; 0 for not yet."""
    heeded: Instant | None = None
    """What people did since it began, as `patterns.Times.acted` tells it."""
    opened_as: str = ""
    """The Status that its opening left it in; "" when not known, or when its end was the first that was heard of it."""

    @property
    def quiet_until(self) -> Instant:
        """Until when nobody is told; neither a silence of the sender nor a Silence has an end that is known here."""
        return FOREVER if self.silenced or self.hushed_by else self.suppressed_until
