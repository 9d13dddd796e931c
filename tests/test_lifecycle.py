"""The timelines of an Alert's life, one named test each: what senders really emit, and what must become of it."""

from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from receiver.domain import acts
from receiver.domain.alert import Alert, Change, Policy
from receiver.domain.changes import escalate, expire
from receiver.domain.lifecycle import Outcome, Verdict, fold
from receiver.domain.sighting import Sighting, Starts
from receiver.domain.times import DAY, HOUR, MINUTE, SECOND
from receiver.domain.vocabulary import Priority, Status

T0 = 1_800_000_000 * SECOND
POLICY = Policy()


@dataclass
class Timeline:
    """One key's life: `fire` and `end` at minutes since T0 deliver a sighting, as a webhook at that minute would."""

    starts: Starts = Starts.EPISODE
    alert: Alert | None = None
    rows: list[Alert] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    ids: count = field(default_factory=lambda: count(1))

    def fire(self, at: float, start: float) -> Outcome:
        """A firing that began at minute `start` comes at minute `at`."""
        return self._fold(at, True, start, None)

    def end(self, at: float, start: float, end: float) -> Outcome:
        """A resolve of the episode from `start` to `end` comes at minute `at`."""
        return self._fold(at, False, start, end)

    def spooled(self, at: float, *, firing: bool) -> Outcome:
        """What came at minute `at` and waited in the spool comes now."""
        return self._fold(at, firing, at, None if firing else at, waited=True)

    def _fold(self, at: float, firing: bool, start: float, end: float | None, *, waited: bool = False) -> Outcome:
        sighting = Sighting(
            source="am",
            kind="alertmanager",
            fingerprint="f",
            firing=firing,
            labels={},
            annotations={},
            starts_at=minute(start),
            ends_at=None if end is None else minute(end),
            starts=self.starts,
            waited=waited,
        )
        verdict: Verdict = fold(self.alert, sighting, minute(at), POLICY, lambda: next(self.ids))
        self.changes += verdict.changes
        if verdict.alert is not self.alert:
            self.rows.append(verdict.alert)
        self.alert = verdict.alert
        return verdict.outcome

    def act(self, made: Change | None) -> None:
        """Remember the Change of a person's or the clock's act."""
        if made is not None:
            self.changes.append(made)

    @property
    def kinds(self) -> list[str]:
        """The audit trail in words."""
        return [change.kind.value for change in self.changes]

    @property
    def now(self) -> Alert:
        """The latest row."""
        assert self.alert is not None
        return self.alert


def sighting_of(line: Timeline) -> Sighting:
    """A firing of the episode that began at minute 0."""
    return Sighting("am", "alertmanager", "f", True, {}, {}, minute(0), starts=line.starts)


def minute(number: float) -> int:
    """Minutes since T0 as an Instant."""
    return T0 + round(number * MINUTE)


@pytest.fixture
def line() -> Timeline:
    """An empty timeline of a sender with episodes (Alertmanager, Grafana)."""
    return Timeline()


# --- counting -------------------------------------------------------------------------------------------------------


def test_first_firing_opens_an_alert(line):
    assert line.fire(1, start=0) is Outcome.OPENED
    assert (line.now.status, line.now.notification_count) == (Status.ACTIVE, 1)
    assert (line.now.started_at, line.now.ended_at) == (minute(0), None)


def test_a_retry_or_twin_within_two_minutes_does_not_count(line):
    line.fire(1, start=0)
    assert line.fire(2.9, start=0) is Outcome.DUPLICATE
    assert line.now.notification_count == 1
    assert line.now.last_seen_at == minute(2.9)


def test_the_same_again_after_two_minutes_counts_and_is_no_change(line):
    line.fire(1, start=0)
    assert line.fire(3.1, start=0) is Outcome.REPEATED
    assert line.now.notification_count == 2
    assert line.kinds == ["opened"]


def test_twins_with_different_starts_count_once_each(line):
    """Two unclustered Alertmanagers, fed by two Prometheus: each has its own startsAt."""
    line.fire(1, start=0.7)
    line.fire(1, start=0)
    line.fire(1.5, start=0.7)
    line.fire(1.5, start=0)
    assert line.now.notification_count == 2


# --- start ----------------------------------------------------------------------------------------------------------


def test_an_earlier_start_joins_the_open_alert(line):
    line.fire(1, start=0.7)
    assert line.fire(1.3, start=0) is Outcome.REPEATED
    assert line.now.started_at == minute(0)
    assert line.kinds == ["opened"]


def test_a_start_after_we_last_saw_it_firing_means_a_missed_resolve(line):
    """send_resolved: false, an upstream silence, truncation."""
    line.fire(1, start=0)
    assert line.fire(31, start=30) is Outcome.REOPENED
    assert line.kinds == ["opened", "reopened"]
    assert "no resolve" in line.changes[-1].why
    assert line.now.started_at == minute(30)


def test_a_start_in_our_future_proves_no_missed_resolve(line):
    """A sender's clock five minutes ahead: twins and retries of one episode are no news."""
    line.fire(1, start=5)
    assert line.fire(1.5, start=5.2) is Outcome.REPEATED
    assert line.kinds == ["opened"]


# --- resolve --------------------------------------------------------------------------------------------------------


def test_a_resolve_closes_whatever_its_start(line):
    line.fire(1, start=0)
    assert line.end(10, start=0.5, end=9) is Outcome.RESOLVED
    assert (line.now.status, line.now.ended_at) == (Status.RESOLVED, minute(9))


def test_a_resolve_of_an_earlier_episode_changes_nothing(line):
    line.fire(21, start=20)
    assert line.end(22, start=0, end=9) is Outcome.STALE
    assert (line.now.status, line.now.ended_at) == (Status.ACTIVE, None)


def test_resent_resolves_only_move_the_end_forward(line):
    line.fire(1, start=0)
    line.end(10, start=0, end=9)
    line.end(15, start=0, end=9)
    line.end(20, start=0, end=12)
    line.end(21, start=0, end=9)
    assert line.now.ended_at == minute(12)
    assert line.kinds == ["opened", "resolved"]


def test_a_resolve_that_comes_first_leaves_a_closed_alert(line):
    assert line.end(10, start=0, end=9) is Outcome.RESOLVED
    assert (line.now.status, line.now.ended_at, line.kinds) == (Status.RESOLVED, minute(9), ["resolved"])


def test_the_firing_that_was_overtaken_by_its_resolve_is_stale(line):
    line.end(10, start=0, end=9)
    assert line.fire(11, start=0) is Outcome.STALE
    assert line.now.status is Status.RESOLVED


# --- late firing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "outcome"), [(19.9, Outcome.STALE), (20.1, Outcome.REOPENED)])
def test_a_late_firing_is_stale_soon_after_the_close_and_believed_afterwards(line, at, outcome):
    """A link cut until the alert expired at the sender, then back: the same startsAt, a live alert."""
    line.fire(1, start=0)
    line.end(10, start=0, end=9)
    assert line.fire(at, start=0) is outcome


def test_a_believed_firing_repeats_and_resolves_like_any_other(line):
    line.fire(1, start=0)
    line.end(10, start=0, end=9)
    line.fire(30, start=0)
    assert line.fire(40, start=0) is Outcome.REPEATED
    assert line.end(50, start=0, end=49) is Outcome.RESOLVED
    assert line.kinds == ["opened", "resolved", "reopened", "resolved"]


# --- refire ---------------------------------------------------------------------------------------------------------


def test_firing_anew_within_the_hour_reopens_the_same_alert(line):
    line.fire(1, start=0)
    line.end(10, start=0, end=9)
    assert line.fire(69, start=68) is Outcome.REOPENED
    assert len(line.rows) == 1
    assert (line.now.started_at, line.now.ended_at) == (minute(68), None)
    assert line.now.episodes == (minute(1), minute(69))


def test_firing_anew_after_the_hour_is_a_new_alert_that_names_the_old_one(line):
    line.fire(1, start=0)
    line.end(10, start=0, end=9)
    assert line.fire(71, start=70.5) is Outcome.OPENED
    assert [row.id for row in line.rows] == [1, 2]
    assert line.now.predecessor == 1
    assert line.now.episodes == (minute(1), minute(71))


def test_remembered_episodes_are_bounded_in_number_and_age(line):
    for day in range(40):
        line.fire(day * 1440 + 1, start=day * 1440)
        line.end(day * 1440 + 2, start=day * 1440, end=day * 1440 + 1.5)
    assert len(line.now.episodes) == 30
    for flap in range(100):
        at = 40 * 1440 + flap * 20
        line.fire(at + 1, start=at)
        line.end(at + 2, start=at, end=at + 1.5)
    assert len(line.now.episodes) == 50


# --- expiry ---------------------------------------------------------------------------------------------------------


def test_an_expired_alert_comes_back_with_the_same_start_at_any_age(line):
    line.fire(1, start=0)
    line.act(expire(line.now, minute(3 * 1440 + 2)))
    assert line.now.status is Status.EXPIRED
    assert line.fire(20 * 1440, start=0) is Outcome.REOPENED
    assert len(line.rows) == 1
    assert line.now.status is Status.ACTIVE


def test_an_expired_alert_that_fires_anew_much_later_is_a_new_one(line):
    line.fire(1, start=0)
    line.act(expire(line.now, minute(3 * 1440 + 2)))
    assert line.fire(20 * 1440, start=20 * 1440 - 1) is Outcome.OPENED
    assert line.now.predecessor == 1


def test_the_end_told_after_the_expiry_is_the_truth(line):
    line.fire(1, start=0)
    line.act(expire(line.now, minute(3 * 1440 + 2)))
    line.end(4 * 1440, start=0, end=3 * 1440 + 100)
    assert (line.now.status, line.now.ended_at) == (Status.RESOLVED, minute(3 * 1440 + 100))


def test_last_seen_never_goes_back(line):
    line.fire(10, start=0)
    line.fire(5, start=0)
    line.end(4, start=0, end=3)
    assert line.now.last_seen_at == minute(10)


# --- people ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("at", "outcome"), [(24, Outcome.HELD), (26, Outcome.REOPENED)])
def test_a_persons_resolve_stands_for_the_grace(line, at, outcome):
    line.fire(1, start=0)
    line.act(acts.resolve(line.now, "ada", minute(10), "restarted it"))
    assert line.fire(at, start=0) is outcome
    if outcome is Outcome.REOPENED:
        assert line.changes[-1].why == "still firing after ada resolved it"


def test_a_start_after_a_persons_resolve_reopens_at_once(line):
    line.fire(1, start=0)
    line.act(acts.resolve(line.now, "ada", minute(10)))
    assert line.fire(12, start=11) is Outcome.REOPENED


def test_a_suppression_outlives_the_close_and_holds_a_refire(line):
    line.fire(1, start=0)
    line.act(acts.suppress(line.now, "ada", minute(240), minute(2), "maintenance"))
    line.end(10, start=0, end=9)
    assert line.now.status is Status.RESOLVED
    line.fire(20, start=19)
    assert line.now.status is Status.SUPPRESSED
    line.end(25, start=19, end=24)
    line.fire(120, start=119)
    assert (line.now.status, line.now.id) == (Status.SUPPRESSED, 2)
    line.act(acts.unsuppress(line.now, minute(241)))
    assert line.now.status is Status.ACTIVE


def test_the_end_of_a_suppression_wakes_nothing_that_is_closed(line):
    line.fire(1, start=0)
    line.act(acts.suppress(line.now, "ada", minute(60), minute(2)))
    line.end(10, start=0, end=9)
    assert acts.unsuppress(line.now, minute(61)) is None
    assert line.now.status is Status.RESOLVED


def test_an_acknowledgement_ends_at_the_close(line):
    line.fire(1, start=0)
    line.act(acts.acknowledge(line.now, "ada", minute(2)))
    line.fire(5, start=0)
    assert line.now.status is Status.ACKNOWLEDGED
    line.end(10, start=0, end=9)
    line.fire(20, start=19)
    assert line.now.status is Status.ACTIVE


def test_an_acknowledged_alert_that_escalates_becomes_active(line):
    line.fire(1, start=0)
    line.act(acts.acknowledge(line.now, "ada", minute(2)))
    line.act(escalate(line.now, Priority.CRITICAL, minute(3), "source:am"))
    assert (line.now.status, line.now.priority) == (Status.ACTIVE, Priority.CRITICAL)


def test_the_priority_of_an_open_alert_never_falls(line):
    line.fire(1, start=0)
    line.act(escalate(line.now, Priority.CRITICAL, minute(2), "source:am"))
    assert escalate(line.now, Priority.LOW, minute(3), "source:am") is None
    assert line.now.priority is Priority.CRITICAL


@pytest.mark.parametrize(
    ("act", "statuses"),
    [
        (acts.acknowledge, {Status.ACTIVE}),
        (acts.resolve, {Status.ACTIVE, Status.ACKNOWLEDGED, Status.SUPPRESSED}),
    ],
)
@pytest.mark.parametrize("status", list(Status))
def test_an_act_that_does_not_fit_the_status_is_refused_in_words(line, act, statuses, status):
    line.fire(1, start=0)
    line.now.status = status
    if status in statuses:
        act(line.now, "ada", minute(2))
    else:
        with pytest.raises(acts.Illegal, match=f"alert 1 is {status}"):
            act(line.now, "ada", minute(2))


# --- senders without episodes ---------------------------------------------------------------------------------------


def test_without_episodes_each_post_counts_and_is_the_same_alert_within_the_hour():
    line = Timeline(starts=Starts.NONE)
    for at in range(60):
        line.fire(at, start=at)
    assert (line.now.notification_count, len(line.rows), line.kinds) == (60, 1, ["opened"])


def test_without_episodes_a_long_silence_ends_the_alert_and_a_new_one_names_it():
    line = Timeline(starts=Starts.NONE)
    line.fire(0, start=0)
    line.fire(61, start=61)
    assert line.kinds == ["opened", "expired", "opened"]
    assert [row.status for row in line.rows] == [Status.EXPIRED, Status.ACTIVE]
    assert line.now.predecessor == 1


def test_the_shortest_policy_is_the_designs():
    assert (POLICY.repeat_within, POLICY.late_within, POLICY.reopen_within) == (2 * MINUTE, 10 * MINUTE, HOUR)
    assert (POLICY.resolve_grace, POLICY.expire_after) == (15 * MINUTE, 3 * DAY)


def test_a_twin_of_what_was_seen_just_now_changes_nothing_at_all():
    line = Timeline()
    line.fire(0, start=0)
    before = replace(line.alert)
    verdict = fold(line.alert, sighting_of(line), minute(0.1), POLICY, lambda: 2)
    assert (verdict.outcome, verdict.idle, line.alert) == (Outcome.DUPLICATE, True, before)
    verdict = fold(line.alert, sighting_of(line), minute(0.5), POLICY, lambda: 2)
    assert (verdict.outcome, verdict.idle, line.alert.last_seen_at) == (Outcome.DUPLICATE, False, minute(0.5))


def test_a_twin_with_an_earlier_start_moves_it():
    line = Timeline()
    line.fire(0, start=0)
    assert line.fire(0.05, start=-3) is Outcome.REPEATED
    assert line.alert.started_at == minute(-3)


def test_an_end_that_waited_in_the_spool_while_it_fired_again_closes_nothing():
    line = Timeline(starts=Starts.NONE)
    line.fire(0, 0)
    line.fire(5, 5)
    assert line.spooled(3, firing=False) is Outcome.STALE
    assert line.alert.status is Status.ACTIVE


def test_a_firing_that_waited_in_the_spool_while_its_end_came_opens_nothing():
    line = Timeline(starts=Starts.NONE)
    line.fire(0, 0)
    line.end(5, 5, 5)
    assert line.spooled(3, firing=True) is Outcome.STALE
    assert line.alert.status is Status.RESOLVED


def test_what_waited_in_the_spool_in_its_order_is_taken_in_as_if_it_had_not():
    line = Timeline(starts=Starts.NONE)
    assert [line.spooled(at, firing=firing) for at, firing in ((0, True), (1, False), (2, True), (3, False))] == [
        Outcome.OPENED,
        Outcome.RESOLVED,
        Outcome.REOPENED,
        Outcome.RESOLVED,
    ]
    assert line.alert.ended_at == minute(3)
