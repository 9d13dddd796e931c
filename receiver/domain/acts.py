"""What people (and the clock) do to an Alert: pure decisions with the Change they leave (design section 4)."""

from receiver.domain.alert import Alert, Change
from receiver.domain.changes import change
from receiver.domain.times import Instant
from receiver.domain.vocabulary import Kind, Status


class Illegal(Exception):  # noqa: N818 - an answer to a person, not a fault
    """The act does not fit the Alert's status; the message says what the status is."""


def acknowledge(alert: Alert, who: str, now: Instant, note: str = "") -> Change:
    """Somebody is working on it. Raises Illegal unless the Alert is active."""
    _require(alert, alert.status is Status.ACTIVE, "acknowledged")
    alert.status = Status.ACKNOWLEDGED
    return change(alert, Kind.ACKNOWLEDGED, now, who, note)


def resolve(alert: Alert, who: str, now: Instant, note: str = "") -> Change:
    """Somebody says that it is over; `note` says what fixed it. Raises Illegal unless the Alert is open."""
    _require(alert, alert.status.open, "resolved")
    alert.status, alert.resolved_by = Status.RESOLVED, who
    alert.ended_at = alert.closed_at = now
    return change(alert, Kind.RESOLVED, now, who, note)


def suppress(alert: Alert, who: str, until: Instant, now: Instant, why: str = "") -> Change:
    """Nobody is told of this key until `until`, whatever closes and refires. Raises Illegal unless it is open."""
    _require(alert, alert.status.open and until > now, "suppressed")
    alert.status, alert.suppressed_until = Status.SUPPRESSED, until
    return change(alert, Kind.SUPPRESSED, now, who, why)


def unsuppress(alert: Alert, now: Instant, who: str = "alertsage") -> Change | None:
    """The suppression is over. None when the Alert is closed, or its sender or a Silence holds it."""
    alert.suppressed_until = 0
    if alert.status is not Status.SUPPRESSED or now < alert.quiet_until:
        return None
    alert.status = Status.ACTIVE
    return change(alert, Kind.UNSUPPRESSED, now, who, "the suppression ended")


def _require(alert: Alert, legal: bool, act: str) -> None:
    if not legal:
        raise Illegal(f"alert {alert.id} is {alert.status} and cannot be {act}")
