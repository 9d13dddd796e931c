"""The audit trail's entries, and the changes that no sighting makes: a rise in priority, expiry, a remark."""

from dataclasses import replace

from receiver.domain.alert import Alert, Change
from receiver.domain.sighting import Remark
from receiver.domain.times import Instant
from receiver.domain.vocabulary import Kind, Priority, Status

BEGINS = frozenset({Kind.OPENED, Kind.REOPENED})
ACTS = frozenset(Kind) - BEGINS - {Kind.ESCALATED, Kind.EXPIRED}
"""What people do to an alert; senders do some of it, too."""
ANSWERS = frozenset({Kind.ACKNOWLEDGED, Kind.RESOLVED})
"""Which of it says that somebody takes care, or took care."""


def change(alert: Alert, kind: Kind, now: Instant, who: str, why: str) -> Change:
    """The next entry of the audit trail of the Alert, which stands already where the Change leaves it."""
    alert.change_count += 1
    _keep_fate(alert, kind, now, who)
    return Change(alert.id, alert.change_count, now, kind, who, why, alert.status)


def _keep_fate(alert: Alert, kind: Kind, now: Instant, who: str) -> None:
    if kind in BEGINS:
        alert.began_seq, alert.over_at, alert.heeded = alert.change_count, 0, None
        if kind is Kind.OPENED:
            alert.opened_as = alert.status.value
    elif alert.fate_seq != alert.change_count - 1:
        return  # something is missing: only the next beginning sets it right
    elif kind in ACTS and alert.began_seq:
        _act(alert, kind, now, who)
    alert.fate_seq = alert.change_count


def _act(alert: Alert, kind: Kind, now: Instant, who: str) -> None:
    if kind is Kind.RESOLVED and not alert.over_at:
        alert.over_at = now
    if not by_a_person(who):
        return
    if alert.heeded is None:
        alert.heeded = now if kind in ANSWERS else -1
    elif alert.heeded == -1 and kind in ANSWERS:
        alert.heeded = -now


def by_a_person(who: str) -> bool:
    """Also by somebody that a sender vouches for: `source:sentry (Ada)`."""
    return who.endswith(")") if who.startswith("source:") else who != "alertsage"


def told_by(source: str, person: str) -> str:
    """Who did it; a name that only the sender vouches for is told as such."""
    return f"source:{source} ({person})" if person else f"source:{source}"


def escalate(alert: Alert, priority: Priority, now: Instant, who: str) -> Change | None:
    """Raise an open Alert's priority; None when it is not a rise (the priority of an open Alert never falls).

    An acknowledged Alert becomes active again: what was acknowledged was less urgent.
    """
    if priority.rank <= alert.priority.rank:
        return None
    before, alert.priority = alert.priority, priority
    if alert.status is Status.ACKNOWLEDGED:
        alert.status = Status.SUPPRESSED if now < alert.quiet_until else Status.ACTIVE
    made = change(alert, Kind.ESCALATED, now, who, f"priority rose from {before} to {priority}")
    return replace(made, detail={"priority": [before, priority]})


def expire(alert: Alert, now: Instant) -> Change:
    """Close an open Alert that nobody told of for `expire_after`."""
    alert.status = Status.EXPIRED
    alert.ended_at, alert.closed_at = max(alert.last_seen_at, alert.started_at), now
    return change(alert, Kind.EXPIRED, now, "alertsage", "its sender has not told of it for too long")


def remark(alert: Alert, said: Remark, now: Instant, source: str) -> Change:
    """What somebody said at the sender, as a Change: it alters nothing else."""
    return change(alert, said.kind, now, told_by(source, said.who), said.why)
