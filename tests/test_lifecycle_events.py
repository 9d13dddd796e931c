"""The life of an alert whose sender tells events and ends but no starts of episodes (Sentry's issues)."""

from dataclasses import dataclass, field
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.domain import acts
from receiver.domain.alert import Alert, Change, Policy
from receiver.domain.changes import expire, remark
from receiver.domain.lifecycle import Outcome, fold
from receiver.domain.sighting import Remark, Sighting, Starts
from receiver.domain.times import DAY, MINUTE, SECOND
from receiver.domain.vocabulary import Kind, Status

T0 = 1_800_000_000 * SECOND
POLICY = Policy(expire_after=7 * DAY)


def minute(number: float) -> int:
    """Minutes since T0 as an Instant."""
    return T0 + round(number * MINUTE)


@dataclass
class Issue:
    """One issue's life, in minutes since T0; everything comes when it happened unless `at` says otherwise."""

    alert: Alert | None = None
    changes: list[Change] = field(default_factory=list)
    ids: count = field(default_factory=lambda: count(1))

    def event(self, happened: float, at: float | None = None, **more: object) -> Outcome:
        """Something happened: an event, an issue created."""
        return self._fold(happened if at is None else at, firing=True, starts_at=minute(happened), **more)

    def resolved(self, when: float, at: float | None = None) -> Outcome:
        """The issue was resolved: then it is not ignored either."""
        over = {"firing": False, "starts_at": minute(when), "ends_at": minute(when), "silenced": False}
        return self._fold(when if at is None else at, **over, who="Ada")

    def regressed(self, when: float, at: float | None = None) -> Outcome:
        """The issue is unresolved again."""
        return self.event(when, at, anew=True, silenced=False, why="regressed")

    def ignored(self, when: float, at: float | None = None) -> Outcome:
        """Somebody ignored the issue."""
        return self.event(when, at, silenced=True, why="ignored")

    def escalating(self, when: float, at: float | None = None) -> Outcome:
        """It is not ignored any more."""
        return self.event(when, at, silenced=False, why="escalating")

    def _fold(self, at: float, **fields: object) -> Outcome:
        sighting = Sighting("s", "sentry", "issue:1", labels={}, annotations={}, starts=Starts.EVENT, **fields)
        verdict = fold(self.alert, sighting, minute(at), POLICY, lambda: next(self.ids))
        self.alert = verdict.alert
        self.changes += verdict.changes
        return verdict.outcome

    @property
    def now(self) -> Alert:
        """The latest row."""
        assert self.alert is not None
        return self.alert

    @property
    def kinds(self) -> list[str]:
        """The audit trail in words."""
        return [change.kind.value for change in self.changes]


def test_issue_created_then_its_alert_then_resolved_then_a_late_event():
    issue = Issue()
    assert issue.event(0) is Outcome.OPENED
    assert issue.event(0.01) is Outcome.REPEATED
    assert issue.resolved(5) is Outcome.RESOLVED
    assert issue.event(4, at=5.1) is Outcome.STALE
    assert issue.event(4.5, at=600) is Outcome.STALE  # however late it is told
    assert (issue.now.status, issue.now.ended_at) == (Status.RESOLVED, minute(5))
    assert issue.kinds == ["opened", "resolved"]


def test_resolved_then_regressed_is_the_same_alert_reopened():
    issue = Issue()
    issue.event(0)
    issue.resolved(5)
    assert issue.regressed(20) is Outcome.REOPENED
    assert (issue.now.id, issue.now.status, issue.now.started_at) == (1, Status.ACTIVE, minute(20))
    assert issue.changes[-1].why == "it fires again (regressed)"


def test_a_regression_long_after_the_resolve_is_a_new_alert_that_names_the_old_one():
    issue = Issue()
    issue.event(0)
    issue.resolved(5)
    assert issue.regressed(500) is Outcome.OPENED
    assert (issue.now.id, issue.now.predecessor) == (2, 1)


def test_the_event_that_regressed_and_the_word_of_it_are_one_reopening():
    issue = Issue()
    issue.event(0)
    issue.resolved(5)
    assert issue.event(20) is Outcome.REOPENED
    assert issue.regressed(20.05) is Outcome.REPEATED
    assert issue.kinds == ["opened", "resolved", "reopened"]


def test_a_regression_without_the_resolve_before_it_says_so():
    issue = Issue()
    issue.event(0)
    assert issue.regressed(300) is Outcome.REOPENED
    assert "no resolve of the time before ever came" in issue.changes[-1].why


def test_ignored_then_escalating_is_suppressed_then_active():
    issue = Issue()
    issue.event(0)
    assert issue.ignored(5) is Outcome.SUPPRESSED
    assert issue.now.status is Status.SUPPRESSED
    assert issue.event(6) is Outcome.REPEATED
    assert issue.now.status is Status.SUPPRESSED
    assert issue.escalating(9) is Outcome.REPEATED
    assert issue.now.status is Status.ACTIVE
    assert issue.kinds == ["opened", "suppressed", "unsuppressed"]
    assert [change.why for change in issue.changes[1:]] == ["ignored", "escalating"]


def test_the_second_word_of_one_click_changes_nothing():
    """Old servers send both `ignored` and `archived`."""
    issue = Issue()
    issue.event(0)
    issue.ignored(5)
    assert issue.ignored(5) is Outcome.DUPLICATE
    assert issue.kinds == ["opened", "suppressed"]


def test_an_issue_first_heard_of_when_it_is_ignored_is_suppressed_from_the_start():
    issue = Issue()
    assert issue.ignored(0) is Outcome.OPENED
    assert issue.now.status is Status.SUPPRESSED
    assert issue.escalating(60) is Outcome.REPEATED
    assert issue.now.status is Status.ACTIVE


def test_an_ignoring_that_comes_after_its_lifting_changes_nothing():
    issue = Issue()
    issue.event(0)
    issue.escalating(9)
    assert issue.ignored(5, at=9.5) is Outcome.STALE
    assert issue.now.status is Status.ACTIVE


def test_an_ignoring_again_outlives_a_lifting_from_before_it():
    issue = Issue()
    issue.event(0)
    issue.ignored(1)
    issue.ignored(4)
    assert issue.regressed(3, at=4.5) is Outcome.REPEATED
    assert issue.now.status is Status.SUPPRESSED


def test_resolving_an_ignored_issue_ends_the_ignoring():
    issue = Issue()
    issue.event(0)
    issue.ignored(5)
    issue.resolved(10)
    assert issue.kinds == ["opened", "suppressed", "resolved"]
    assert issue.event(20) is Outcome.REOPENED
    assert issue.now.status is Status.ACTIVE
    assert issue.ignored(8, at=20.5) is Outcome.STALE
    assert issue.now.status is Status.ACTIVE


def test_an_issue_ignored_after_its_end_is_suppressed_when_it_fires_again_in_a_new_row_too():
    issue = Issue()
    issue.event(0)
    issue.resolved(10)
    issue.ignored(12)
    assert issue.event(300) is Outcome.OPENED
    assert issue.now.status is Status.SUPPRESSED


def test_ignoring_a_closed_alert_opens_nothing():
    issue = Issue()
    issue.event(0)
    issue.resolved(5)
    assert issue.ignored(6) is Outcome.SUPPRESSED
    assert (issue.now.status, issue.kinds) == (Status.RESOLVED, ["opened", "resolved"])


def test_the_senders_lifting_leaves_a_persons_suppression():
    issue = Issue()
    issue.event(0)
    acts.suppress(issue.now, "ada", minute(60), minute(1))
    issue.ignored(5)
    issue.escalating(9)
    assert issue.now.status is Status.SUPPRESSED
    assert acts.unsuppress(issue.now, minute(60)) is not None
    assert issue.now.status is Status.ACTIVE


def test_the_end_of_a_persons_suppression_leaves_the_senders():
    issue = Issue()
    issue.event(0)
    acts.suppress(issue.now, "ada", minute(60), minute(1))
    issue.ignored(5)
    assert acts.unsuppress(issue.now, minute(60)) is None
    assert issue.now.status is Status.SUPPRESSED


def test_an_event_days_after_the_last_one_is_no_new_alert_while_it_is_open():
    issue = Issue()
    issue.event(0)
    assert issue.event(4000) is Outcome.REPEATED
    assert issue.now.id == 1


def test_an_expired_issue_that_happens_again_is_a_new_alert():
    issue = Issue()
    issue.event(0)
    expire(issue.now, minute(11_000))
    assert issue.event(12_000) is Outcome.OPENED
    assert issue.now.predecessor == 1


def test_an_event_after_a_persons_resolve_reopens_at_once_and_one_from_before_does_not():
    issue = Issue()
    issue.event(0)
    acts.resolve(issue.now, "ada", minute(10))
    assert issue.event(9, at=40) is Outcome.STALE
    assert issue.event(11) is Outcome.REOPENED


def test_a_remark_joins_the_trail_and_changes_nothing_else():
    issue = Issue()
    issue.event(0)
    seen = issue.now.last_seen_at
    made = remark(issue.now, Remark("issue:1", Kind.NOTED, "Ada", "commented: hm"), minute(5), "s")
    assert (made.kind, made.who, made.why) == (Kind.NOTED, "source:s (Ada)", "commented: hm")
    assert (issue.now.status, issue.now.last_seen_at) == (Status.ACTIVE, seen)


# --- any order ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """One delivery of a webhook; all in microseconds."""

    arrives: int
    kind: str
    when: int


@st.composite
def emitted(draw: st.DrawFn) -> tuple[list[Message], bool, int | None]:
    """What Sentry can emit for one issue: events, resolves, regressions, ignoring and lifting, each after the other by
    its clock, delivered up to `late_within` late and in any number. Returns the messages by arrival, whether it is
    ignored in the end, and when it was resolved (None while it is not)."""
    clock, messages = T0, []
    state, ignored, end = "open", False, None
    told = ["event"]
    for _ in range(draw(st.integers(1, 8))):
        clock += draw(st.integers(1, 100)) * MINUTE
        if state == "resolved":
            state, ignored, end = "open", False, None
            told = draw(st.sampled_from([["regressed"], ["regressed", "event"]]))
        else:
            choice = draw(st.sampled_from(["event", "resolved", "ignored", "escalating"]))
            told = [choice]
            if choice == "resolved":
                state, end = "resolved", clock
            elif choice in ("ignored", "escalating"):
                ignored = choice == "ignored"
        for offset, kind in enumerate(told):
            copies = draw(st.sampled_from((1, 1, 2)))
            delays = draw(st.lists(st.integers(0, POLICY.late_within - 1), min_size=copies, max_size=copies))
            messages += [Message(clock + offset + delay, kind, clock + offset) for delay in delays]
    first = T0 + draw(st.integers(0, POLICY.late_within - 1))
    return sorted([*messages, Message(first, "event", T0)], key=lambda m: m.arrives), ignored, end


@settings(max_examples=600, deadline=None)
@given(emitted())
def test_status_and_end_do_not_depend_on_order_or_duplicates(case):
    messages, ignored, end = case
    issue = Issue()
    for message in messages:
        getattr(issue, message.kind)((message.when - T0) / MINUTE, (message.arrives - T0) / MINUTE)
    wanted = Status.RESOLVED if end is not None else Status.SUPPRESSED if ignored else Status.ACTIVE
    assert issue.now.status is wanted
    assert issue.now.ended_at == end
