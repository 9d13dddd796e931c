"""How sightings become the life of an Alert (design section 4, reference: Alertmanager's delivery traps T1..T7).

Deterministic and without I/O: `now` is an argument. `fold` advances the Alert it is given and says what happened.

The order in which messages arrive does not matter as long as they come at most `late_within` late: three
remembered moments see to that. `latest_start` tells an end that belongs to an earlier episode, `last_end` tells a
firing that belongs to an episode known to be over, and `ended_at` of a closed row only grows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from receiver.domain.alert import Alert, Change, Policy
from receiver.domain.sighting import Sighting
from receiver.domain.times import DAY, Instant, Span
from receiver.domain.vocabulary import Kind, Priority, Status

EPISODES_KEPT = 50
EPISODES_SPAN = 30 * DAY


class Outcome(StrEnum):
    """What became of one sighting."""

    OPENED = "opened"
    REOPENED = "reopened"
    REPEATED = "repeated"
    RESOLVED = "resolved"
    DUPLICATE = "duplicate"
    """A retry or an HA twin of what was counted already."""
    STALE = "stale"
    """Overtaken by newer news: it changes nothing."""
    HELD = "held"
    """Still firing, but a person resolved it a moment ago."""


@dataclass(slots=True)
class Verdict:
    """What one sighting did: the Alert it belongs to, the outcome, and the Changes in order."""

    alert: Alert
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    displaced: Alert | None = None
    """The row that made way for `alert`, when that is a new row for a known key."""

    @property
    def news(self) -> bool:
        """True when the sighting began an episode: the alert is described anew and told."""
        return self.outcome in (Outcome.OPENED, Outcome.REOPENED)


NewId = Callable[[], int]


def fold(alert: Alert | None, sighting: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    """Take one sighting in. `alert` is the latest Alert of its key (changed in place), or None for an unknown key."""
    if alert is None:
        return _first(sighting, now, policy, new_id, None)
    alert.expire_after = policy.expire_after
    if not sighting.firing:
        return _end(alert, sighting, now, policy)
    if alert.status.open:
        return _firing_open(alert, sighting, now, policy, new_id)
    return _firing_closed(alert, sighting, now, policy, new_id)


def escalate(alert: Alert, priority: Priority, now: Instant, who: str) -> Change | None:
    """Raise an open Alert's priority; None when it is not a rise (the priority of an open Alert never falls).

    An acknowledged Alert becomes active again: what was acknowledged was less urgent.
    """
    if priority.rank <= alert.priority.rank:
        return None
    before, alert.priority = alert.priority, priority
    if alert.status is Status.ACKNOWLEDGED:
        alert.status = Status.ACTIVE
    return change(alert, Kind.ESCALATED, now, who, f"priority rose from {before} to {priority}")


def change(alert: Alert, kind: Kind, now: Instant, who: str, why: str) -> Change:
    """The next entry of the Alert's audit trail."""
    alert.change_count += 1
    return Change(alert.id, alert.change_count, now, kind, who, why)


# --- firing ---------------------------------------------------------------------------------------------------------


def _first(s: Sighting, now: Instant, policy: Policy, new_id: NewId, before: Alert | None) -> Verdict:
    """A new row: for an unknown key, or for one whose last row closed too long ago."""
    alert = Alert(
        id=new_id(),
        source=s.source,
        fingerprint=s.fingerprint,
        created_at=now,
        status=Status.RESOLVED,
        started_at=s.starts_at,
        latest_start=s.starts_at if s.firing else 0,
        last_seen_at=now,
        expire_after=policy.expire_after,
    )
    if before is not None:
        alert.predecessor = before.id
        alert.episodes = before.episodes
        alert.suppressed_until = before.suppressed_until
        alert.last_end, alert.closed_at = before.last_end, before.closed_at
    _count(alert, s, now, policy)
    if not s.firing:
        alert.ended_at = _told_end(s, now)
        alert.last_end = max(alert.last_end, alert.ended_at)
        alert.closed_at = now
        made = change(alert, Kind.RESOLVED, now, f"source:{s.source}", "its end was the first that was heard of it")
        return Verdict(alert, Outcome.RESOLVED, (made,))
    why = "" if before is None else f"first seen again since alert {before.id} closed"
    return Verdict(alert, Outcome.OPENED, (_begin(alert, Kind.OPENED, s, now, why),))


def _begin(alert: Alert, kind: Kind, s: Sighting, now: Instant, why: str) -> Change:
    """An episode begins, in a new row or in this one."""
    alert.status = Status.SUPPRESSED if now < alert.suppressed_until else Status.ACTIVE
    alert.started_at = alert.latest_start = s.starts_at
    alert.last_firing_at = alert.last_seen_at = max(alert.last_seen_at, now)
    alert.ended_at, alert.resolved_by = None, ""
    kept = [moment for moment in alert.episodes[-EPISODES_KEPT + 1 :] if moment > now - EPISODES_SPAN]
    alert.episodes = (*kept, now)
    return change(alert, kind, now, f"source:{s.source}", why)


def _reopen(alert: Alert, s: Sighting, now: Instant, policy: Policy, why: str) -> Verdict:
    _count(alert, s, now, policy)
    return Verdict(alert, Outcome.REOPENED, (_begin(alert, Kind.REOPENED, s, now, why),))


def _firing_open(alert: Alert, s: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    if not s.episodic:
        if now - alert.last_seen_at > policy.reopen_within:
            return _replace(alert, s, now, policy, new_id)
        return _repeat(alert, s, now, policy)
    of_an_ended_episode = s.starts_at < alert.started_at and s.starts_at <= alert.last_end
    if of_an_ended_episode and now - alert.closed_at <= policy.late_within:
        return Verdict(alert, Outcome.STALE)
    # A start in our future is a sender's clock that runs ahead: it proves nothing about a missed resolve.
    if alert.last_firing_at < s.starts_at <= now:
        return _reopen(alert, s, now, policy, "it began anew, and no resolve of the time before ever came")
    return _repeat(alert, s, now, policy)


def _repeat(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> Verdict:
    if s.episodic:
        alert.started_at = min(alert.started_at, s.starts_at)
        alert.latest_start = max(alert.latest_start, s.starts_at)
    alert.last_firing_at = alert.last_seen_at = max(alert.last_seen_at, now)
    return Verdict(alert, Outcome.REPEATED if _count(alert, s, now, policy) else Outcome.DUPLICATE)


def _firing_closed(alert: Alert, s: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    ended = alert.ended_at if alert.ended_at is not None else alert.closed_at
    age = now - (alert.closed_at if s.episodic else alert.last_seen_at)
    if alert.status is Status.EXPIRED:
        if s.episodic and s.starts_at <= alert.latest_start:
            return _reopen(alert, s, now, policy, "seen again after it had expired")
    elif s.starts_at <= ended:
        return _believed_over(alert, s, age, now, policy)
    if age < policy.reopen_within:
        return _reopen(alert, s, now, policy, "it fires again")
    verdict = _first(s, now, policy, new_id, alert)
    verdict.displaced = alert
    return verdict


def _believed_over(alert: Alert, s: Sighting, age: Span, now: Instant, policy: Policy) -> Verdict:
    """A firing of an episode that is over by all we know: late soon after its end, but believed afterwards."""
    if alert.resolved_by:
        if age <= policy.resolve_grace:
            return Verdict(alert, Outcome.HELD)
        return _reopen(alert, s, now, policy, f"still firing after {alert.resolved_by} resolved it")
    if age <= policy.late_within:
        return Verdict(alert, Outcome.STALE)
    return _reopen(alert, s, now, policy, "still firing, although its end had been told")


def _replace(alert: Alert, s: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    """A sender without episodes speaks again after a long silence: the old row ends, a new one names it."""
    expired = expire(alert, now)
    verdict = _first(s, now, policy, new_id, alert)
    return Verdict(verdict.alert, verdict.outcome, (expired, *verdict.changes), displaced=alert)


# --- the end --------------------------------------------------------------------------------------------------------


def _told_end(s: Sighting, now: Instant) -> Instant:
    return now if s.ends_at is None else s.ends_at


def _end(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> Verdict:
    end, who = _told_end(s, now), f"source:{s.source}"
    if end > alert.last_end:
        alert.last_end, alert.closed_at = end, now
    if alert.status.open:
        if end < alert.latest_start:
            # An earlier episode is over; a later one is known to be firing.
            if end >= alert.started_at:
                alert.started_at = alert.latest_start
            return Verdict(alert, Outcome.STALE)
        return _close(alert, s, end, now, policy)
    if alert.status is Status.EXPIRED:
        alert.status, alert.ended_at, alert.last_seen_at = Status.RESOLVED, end, max(alert.last_seen_at, now)
        made = change(alert, Kind.RESOLVED, now, who, "its end was told after it had expired")
        return Verdict(alert, Outcome.RESOLVED, (made,))
    alert.last_seen_at = max(alert.last_seen_at, now)
    if alert.ended_at is None or end > alert.ended_at:
        if alert.ended_at is not None and s.starts_at > alert.ended_at:
            alert.started_at = s.starts_at  # an episode whose firing has not come yet, and will be stale
        alert.ended_at = end
    return Verdict(alert, Outcome.REPEATED if _count(alert, s, now, policy) else Outcome.DUPLICATE)


def _close(alert: Alert, s: Sighting, end: Instant, now: Instant, policy: Policy) -> Verdict:
    alert.status, alert.ended_at, alert.resolved_by = Status.RESOLVED, end, ""
    alert.last_seen_at = max(alert.last_seen_at, now)
    _count(alert, s, now, policy)
    return Verdict(alert, Outcome.RESOLVED, (change(alert, Kind.RESOLVED, now, f"source:{s.source}", ""),))


def expire(alert: Alert, now: Instant) -> Change:
    """Close an open Alert that nobody told of for `expire_after`."""
    alert.status = Status.EXPIRED
    alert.ended_at, alert.closed_at = max(alert.last_seen_at, alert.started_at), now
    return change(alert, Kind.EXPIRED, now, "alertsage", "its sender has not told of it for too long")


def _count(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> bool:
    """Count the sighting unless it is a retry or a twin of one that counted; True when it counted."""
    recent = [seen for seen in alert.recent if now - seen[2] <= policy.repeat_within]
    if s.episodic and any(seen[0] == s.firing and seen[1] == s.starts_at for seen in recent):
        return False
    alert.recent = (*recent[-7:], (s.firing, s.starts_at, now))
    alert.notification_count += 1
    return True
