"""What people (and the clock) do to an Alert: pure decisions with the Change they leave (design section 4)."""

from dataclasses import replace

from receiver.domain.alert import Alert, Change
from receiver.domain.changes import change
from receiver.domain.lifecycle import count_episode
from receiver.domain.times import Instant, rfc3339
from receiver.domain.vocabulary import Kind, Status


class Illegal(Exception):  # noqa: N818 - an answer to a person, not a fault
    """The act does not fit where the Alert stands; the message says where that is."""


def acknowledge(alert: Alert, who: str, now: Instant, note: str = "") -> Change:
    """Somebody is working on it. Raises Illegal unless the Alert is active."""
    _require(alert, alert.status is Status.ACTIVE, "acknowledged")
    alert.status = Status.ACKNOWLEDGED
    return change(alert, Kind.ACKNOWLEDGED, now, who, note)


def resolve(alert: Alert, who: str, now: Instant, note: str = "") -> Change:
    """Somebody says that it is over; `note` says what fixed it.

    What its sender resolved, or what expired, is over already: then the note is what is new, and the end stays.
    Raises Illegal for an Alert that is closed when there is no note, or when a person resolved it before.
    """
    closed = not alert.status.open
    _require(alert, not closed or bool(note.strip() and not alert.resolved_by), "resolved")
    if alert.status is not Status.RESOLVED:
        alert.resolved_by, alert.closed_at = who, now
        alert.ended_at = alert.ended_at if closed else now
        alert.status = Status.RESOLVED
    return change(alert, Kind.RESOLVED, now, who, note)


def suppress(alert: Alert, who: str, until: Instant, now: Instant, why: str = "") -> Change:
    """Nobody is told of this key until `until`, whatever closes and refires; said again it sets another end.

    A closed Alert stays closed, and what its key opens until then is suppressed. Raises Illegal for an end that is
    over.
    """
    _require(alert, until > now, f"suppressed until {rfc3339(until)}, which is over")
    before, alert.suppressed_until = _shown(alert, now), until
    if alert.status.open:
        alert.status = Status.SUPPRESSED
    made = change(alert, Kind.SUPPRESSED, now, who, why)
    return replace(made, detail={"suppressed_until": [before, rfc3339(until)]})


def unsuppress(alert: Alert, now: Instant, who: str = "alertsage") -> Change | None:
    """The suppression is over. None when the Alert is closed or something else keeps it quiet: that wakes nothing."""
    before, alert.suppressed_until = alert.suppressed_until, 0
    if alert.status is not Status.SUPPRESSED or now < alert.quiet_until:
        return None
    alert.status = Status.ACTIVE
    made = change(alert, Kind.UNSUPPRESSED, now, who, "the suppression ended")
    return replace(made, detail={"suppressed_until": [rfc3339(before), None]}) if before else made


def lift(alert: Alert, who: str, now: Instant, why: str = "") -> Change:
    """A person ends the suppression that people asked for. A sender's own silence, or a Silence, stays.

    Raises Illegal when there is none.
    """
    _require(alert, now < alert.suppressed_until, "unsuppressed")
    before, alert.suppressed_until = _shown(alert, now), 0
    if alert.status is Status.SUPPRESSED and now >= alert.quiet_until:
        alert.status = Status.ACTIVE
    made = change(alert, Kind.UNSUPPRESSED, now, who, why)
    return replace(made, detail={"suppressed_until": [before, None]})


def reopen(alert: Alert, who: str, now: Instant, why: str = "") -> Change:
    """Somebody says that it is not over: the episode goes on, and it counts as seen now. Raises Illegal when open.

    An end that its sender has told already, told once more, does not close it again; a new one does.
    """
    _require(alert, not alert.status.open, "reopened")
    before, alert.ended_at, alert.resolved_by = alert.ended_at, None, ""
    alert.status = Status.SUPPRESSED if now < alert.quiet_until else Status.ACTIVE
    alert.last_seen_at = max(alert.last_seen_at, now)
    if alert.last_end:
        alert.latest_start = max(alert.latest_start, alert.last_end + 1)
    count_episode(alert, now)
    made = change(alert, Kind.REOPENED, now, who, why)
    return replace(made, detail={"ended_at": [None if before is None else rfc3339(before), None]})


def _shown(alert: Alert, now: Instant) -> str | None:
    return rfc3339(alert.suppressed_until) if now < alert.suppressed_until else None


def _require(alert: Alert, legal: bool, act: str) -> None:
    if not legal:
        raise Illegal(f"alert {alert.id} is {alert.status} and cannot be {act}")
