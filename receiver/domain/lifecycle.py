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
from receiver.domain.changes import change, expire, told_by
from receiver.domain.sighting import Sighting, Starts
from receiver.domain.times import DAY, SECOND, Instant, Span
from receiver.domain.vocabulary import Kind, Status

EPISODES_KEPT = 50
EPISODES_SPAN = 30 * DAY
SAME_MOMENT = 10 * SECOND
"""A retry or a twin within that of the last sighting is not worth writing down when it was last seen."""


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
    SUPPRESSED = "suppressed"
    """Its sender silenced it."""


@dataclass(slots=True)
class Verdict:
    """What one sighting did: the Alert it belongs to, the outcome, and the Changes in order."""

    alert: Alert
    outcome: Outcome
    changes: tuple[Change, ...] = ()
    displaced: Alert | None = None
    """The row that made way for `alert`, when that is a new row for a known key."""
    idle: bool = False
    """True when it says nothing that is not known: the Alert is as it was."""

    @property
    def news(self) -> bool:
        """True when the sighting began an episode: the alert is described anew and told."""
        return self.outcome in (Outcome.OPENED, Outcome.REOPENED)


NewId = Callable[[], int]


def fold(alert: Alert | None, sighting: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    """Take one sighting in. `alert` is the latest Alert of its key (changed in place), or None for an unknown key.

    `now` is when the sighting came, which for one that waited in the spool is a while ago.
    """
    if alert is None:
        return _first(sighting, now, policy, new_id, None)
    if sighting.waited and _overtaken(alert, sighting, now):
        return Verdict(alert, Outcome.STALE)
    if sighting.silenced:
        return _silence(alert, sighting, now)
    if not sighting.firing:
        if sighting.silenced is False and sighting.starts_at >= alert.silence_at:
            alert.silenced, alert.silence_at = False, sighting.starts_at
        return _end(alert, sighting, now, policy)
    lifted = _lift(alert, sighting, now) if sighting.silenced is False else ()
    decide = _firing_open if alert.status.open else _firing_closed
    verdict = decide(alert, sighting, now, policy, new_id)
    verdict.changes = (*lifted, *verdict.changes)
    return verdict


def _overtaken(alert: Alert, s: Sighting, now: Instant) -> bool:
    """True for what waited while its contrary came, of a sender whose times do not tell which was first."""
    if s.starts is not Starts.NONE:
        return False
    return not alert.status.open and now < alert.closed_at if s.firing else now < alert.last_firing_at


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
        silenced=s.silenced is True,
        silence_at=0 if s.silenced is None else s.starts_at,
    )
    if before is not None:
        alert.predecessor = before.id
        alert.episodes = before.episodes
        alert.suppressed_until = before.suppressed_until
        alert.silenced, alert.silence_at = before.silenced, before.silence_at
        alert.last_end, alert.closed_at = before.last_end, before.closed_at
    _count(alert, s, now, policy)
    if not s.firing:
        alert.ended_at = _told_end(s, now)
        alert.last_end = max(alert.last_end, alert.ended_at)
        alert.closed_at = now
        made = change(alert, Kind.RESOLVED, now, told_by(s.source, s.who), "its end was the first that was heard of it")
        return Verdict(alert, Outcome.RESOLVED, (made,))
    why = s.why if before is None else f"first seen again since alert {before.id} closed"
    return Verdict(alert, Outcome.OPENED, (_begin(alert, Kind.OPENED, s, now, why),))


def _begin(alert: Alert, kind: Kind, s: Sighting, now: Instant, why: str) -> Change:
    """An episode begins, in a new row or in this one. Which Silence holds it is judged once it is described."""
    alert.hushed_by = 0
    alert.status = Status.SUPPRESSED if now < alert.quiet_until else Status.ACTIVE
    alert.started_at = alert.latest_start = s.starts_at
    alert.last_firing_at = alert.last_seen_at = max(alert.last_seen_at, now)
    alert.ended_at, alert.resolved_by = None, ""
    count_episode(alert, now)
    return change(alert, kind, now, told_by(s.source, s.who), why)


def count_episode(alert: Alert, now: Instant) -> None:
    """Remember that the key opened or reopened now."""
    kept = [moment for moment in alert.episodes[-EPISODES_KEPT + 1 :] if moment > now - EPISODES_SPAN]
    alert.episodes = (*kept, now)


def _reopen(alert: Alert, s: Sighting, now: Instant, policy: Policy, why: str) -> Verdict:
    _count(alert, s, now, policy)
    told = f"{why} ({s.why})" if s.why else why
    return Verdict(alert, Outcome.REOPENED, (_begin(alert, Kind.REOPENED, s, now, told),))


def _firing_open(alert: Alert, s: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    if s.starts is Starts.NONE:
        if now - alert.last_seen_at > policy.reopen_within:
            return _replace(alert, s, now, policy, new_id)
        return _repeat(alert, s, now, policy)
    of_an_ended_episode = s.starts_at < alert.started_at and s.starts_at <= alert.last_end
    if of_an_ended_episode and (s.starts is Starts.EVENT or now - alert.closed_at <= policy.late_within):
        return Verdict(alert, Outcome.STALE)
    if _missed_a_resolve(alert, s, now, policy):
        return _reopen(alert, s, now, policy, "it began anew, and no resolve of the time before ever came")
    return _repeat(alert, s, now, policy)


def _missed_a_resolve(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> bool:
    if s.starts is Starts.EVENT:
        # What began it anew may have told so itself, a moment ago or since.
        return s.anew and s.starts_at > alert.latest_start and now - alert.episodes[-1] > policy.late_within
    # A start in our future is a sender's clock that runs ahead: it proves nothing about a missed resolve.
    return alert.last_firing_at < s.starts_at <= now


def _repeat(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> Verdict:
    counts = _count(alert, s, now, policy)
    if (
        not counts
        and now - alert.last_firing_at < SAME_MOMENT
        and alert.started_at <= s.starts_at <= alert.latest_start
    ):
        return Verdict(alert, Outcome.DUPLICATE, idle=True)
    if s.starts is not Starts.NONE:
        alert.started_at = min(alert.started_at, s.starts_at)
        alert.latest_start = max(alert.latest_start, s.starts_at)
    alert.last_firing_at = alert.last_seen_at = max(alert.last_seen_at, now)
    return Verdict(alert, Outcome.REPEATED if counts else Outcome.DUPLICATE)


def _firing_closed(alert: Alert, s: Sighting, now: Instant, policy: Policy, new_id: NewId) -> Verdict:
    ended = alert.ended_at if alert.ended_at is not None else alert.closed_at
    age = now - (alert.last_seen_at if s.starts is Starts.NONE else alert.closed_at)
    if alert.status is Status.EXPIRED:
        if s.starts is Starts.EPISODE and s.starts_at <= alert.latest_start:
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
    if s.starts is Starts.EVENT:  # it happened before the end, however late it is told
        return Verdict(alert, Outcome.STALE)
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
    end, who = _told_end(s, now), told_by(s.source, s.who)
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
    return Verdict(alert, Outcome.RESOLVED, (change(alert, Kind.RESOLVED, now, told_by(s.source, s.who), s.why),))


def _silence(alert: Alert, s: Sighting, now: Instant) -> Verdict:
    """The sender silenced it. On a closed row that holds for what may come; nothing is closed or opened by it."""
    if s.starts_at < alert.silence_at:
        return Verdict(alert, Outcome.STALE)
    alert.last_seen_at = max(alert.last_seen_at, now)
    was, alert.silenced, alert.silence_at = alert.silenced, True, s.starts_at
    if was:
        return Verdict(alert, Outcome.DUPLICATE)  # older Sentry servers tell of one click twice
    if not alert.status.open:
        return Verdict(alert, Outcome.SUPPRESSED)
    alert.status = Status.SUPPRESSED
    return Verdict(alert, Outcome.SUPPRESSED, (change(alert, Kind.SUPPRESSED, now, told_by(s.source, s.who), s.why),))


def _lift(alert: Alert, s: Sighting, now: Instant) -> tuple[Change, ...]:
    """The sender lifted its silence; a person's suppression stays."""
    if s.starts_at < alert.silence_at:
        return ()
    was, alert.silenced, alert.silence_at = alert.silenced, False, s.starts_at
    if not was or alert.status is not Status.SUPPRESSED or now < alert.quiet_until:
        return ()
    alert.status = Status.ACTIVE
    return (change(alert, Kind.UNSUPPRESSED, now, told_by(s.source, s.who), s.why),)


def _count(alert: Alert, s: Sighting, now: Instant, policy: Policy) -> bool:
    """Count the sighting unless it is a retry or a twin of one that counted; True when it counted."""
    recent = [seen for seen in alert.recent if now - seen[2] <= policy.repeat_within]
    mark = s.starts_at if s.mark is None else s.mark
    if s.starts is not Starts.NONE and any(seen[0] == s.firing and seen[1] == mark for seen in recent):
        return False
    alert.recent = (*recent[-7:], (s.firing, mark, now))
    alert.notification_count += 1
    return True
