"""What a sender told us: one alert as one webhook said it, before we know whether it is news."""

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from typing import Any, Literal

from receiver.domain.enrichment import Enrichment
from receiver.domain.times import Instant
from receiver.domain.value import value
from receiver.domain.vocabulary import Kind

NOTHING = Enrichment()
"""What most senders say of an alert besides its labels and annotations."""


class Starts(Enum):
    """What a sender's start of an alert is worth."""

    EPISODE = 1
    """Each episode has its own start (Alertmanager, Grafana, Sentry's metric alerts)."""
    EVENT = 2
    """It is when the thing told of happened; ends are told (Sentry's issues)."""
    NONE = 3
    """Nothing: the sender only repeats, and may never tell an end (generic, Sentry's legacy hook)."""


@value
class Sighting:
    """One alert as one webhook told it. A value without identity of its own.

    `labels` and `annotations` hold scrubbed text only; `raw` is whatever else the sender wrote about it (scrubbed,
    bounded, kept for people to read). Times are Instants; `ends_at` is None while firing.
    """

    source: str
    """The configured name of the source."""
    kind: str
    """The kind of sender: alertmanager, grafana, sentry, generic."""
    fingerprint: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: Instant
    ends_at: Instant | None = None
    generator_url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
    starts: Starts = Starts.EPISODE
    mark: int | None = None
    """Tells a retry from news instead of the start, for senders whose retries tell another one."""
    anew: bool = False
    """True when the sender says in so many words that it had been over and has begun again."""
    silenced: bool | None = None
    """True when the sender silenced it there, False when it lifted that; None when it says nothing of it."""
    who: str = ""
    """Who did it at the sender, as the sender names them; "" for the sender itself."""
    why: str = ""
    """The sender's own reason, one phrase, or ""."""
    waited: bool = False
    """True when it waited in the spool: what came meanwhile is newer, and was taken in before it."""
    told: Enrichment = NOTHING
    """What the sender says of it in its own structure: title, message, facts, links, impact."""

    @property
    def name(self) -> str:
        """The label `alertname`, or "" (Alertmanager accepts alerts without it)."""
        return self.labels.get("alertname", "")

    @property
    def heartbeat(self) -> bool:
        """True for what is meant to fire for ever (`severity: none`, like Watchdog): trouble is its absence."""
        return self.labels.get("severity", "").lower() == "none"


@value
class Remark:
    """Something said about an alert that neither opens nor closes it: it joins the audit trail of a known one."""

    fingerprint: str
    kind: Literal[Kind.ASSIGNED, Kind.NOTED]
    who: str
    """As in Sighting."""
    why: str
    tells: Sighting | None = None
    """What it adds to what is known of the alert, for senders that tell a part at a time."""


@value
class Quarantined:
    """One alert of a webhook that could not be read, kept aside with the reason while its group was taken."""

    index: int
    """Its place in the webhook's list of alerts, from 0."""
    reason: str
    excerpt: str
    """The start of what was sent, as JSON text, bounded."""


@value
class Sightings:
    """What one webhook said."""

    alerts: tuple[Sighting, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()
    truncated: int = 0
    """Alerts that the sender left out (Alertmanager's `max_alerts`)."""
    remarks: tuple[Remark, ...] = ()
    ignored: str = ""
    """What it was when it concerns no alert, in a word of a bounded set; else ""."""
    voice: str = ""
    """Which of several kinds of webhook the sender spoke with (Sentry's resource); "" when it has but one."""
    delivery: str = ""
    """The delivery's own identity: the same one again is not taken in again; "" when it has none."""
    came: Instant | None = None
    """When it came, if it waited in the spool since; None for now."""
    refusal: str = ""
    """Why none of it can be taken: what could not be read is kept aside all the same."""
    redacted: int = 0
    """Secrets that were taken out."""
    said: bytes = b""
    """A checksum of it, for a sender that is told when it gives one delivery's identity to another; else empty."""
