"""What a sender told us: one alert as one webhook said it, before we know whether it is news."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.times import Instant


@dataclass(frozen=True, slots=True)
class Sighting:
    """One alert as one webhook told it. A value without identity of its own.

    `labels` and `annotations` hold scrubbed text only; `raw` is whatever else the sender wrote about it (scrubbed,
    bounded, kept for people to read). Times are Instants; `ends_at` is None while firing.
    """

    source: str
    """The configured name of the source."""
    kind: str
    """The kind of sender: alertmanager."""
    fingerprint: str
    firing: bool
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: Instant
    ends_at: Instant | None = None
    generator_url: str = ""
    raw: Mapping[str, Any] = field(default_factory=dict)
    episodic: bool = True
    """True when the sender gives each episode its own start (Alertmanager, Grafana); False when it only repeats."""

    @property
    def name(self) -> str:
        """The label `alertname`, or "" (Alertmanager accepts alerts without it)."""
        return self.labels.get("alertname", "")

    @property
    def heartbeat(self) -> bool:
        """True for what is meant to fire for ever (`severity: none`, like Watchdog): trouble is its absence."""
        return self.labels.get("severity", "").lower() == "none"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One alert of a webhook that could not be read, kept aside with the reason while its group was taken."""

    index: int
    """Its place in the webhook's list of alerts, from 0."""
    reason: str
    excerpt: str
    """The start of what was sent, as JSON text, bounded."""


@dataclass(frozen=True, slots=True)
class Sightings:
    """What one webhook said. `truncated` counts the alerts that the sender left out (Alertmanager's `max_alerts`)."""

    alerts: tuple[Sighting, ...]
    quarantined: tuple[Quarantined, ...] = ()
    truncated: int = 0
