"""Whatever a sender can emit, in any order and with any duplicates, ends in the same status and end."""

from dataclasses import dataclass
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.domain.alert import Alert, Policy
from receiver.domain.lifecycle import fold
from receiver.domain.sighting import Sighting
from receiver.domain.times import HOUR, SECOND
from receiver.domain.vocabulary import Kind, Status

T0 = 1_800_000_000 * SECOND
POLICY = Policy()


@dataclass(frozen=True)
class Message:
    """One delivery: what it says and when it comes (both in microseconds)."""

    arrives: int
    start: int
    end: int | None


@st.composite
def emitted(draw: st.DrawFn) -> tuple[list[Message], int | None]:
    """Disjoint episodes; each is told at least once firing and once ended (the last may go on), all of it with delays
    under `late_within` and with duplicates. Returns the messages by arrival and the end that must come out."""
    messages: list[Message] = []
    clock = T0
    episodes = draw(st.integers(1, 4))
    end: int | None = None
    for number in range(episodes):
        start = clock
        length = draw(st.integers(SECOND, 3 * HOUR))
        goes_on = number == episodes - 1 and draw(st.booleans())
        end = None if goes_on else start + length
        emissions = [start + offset for offset in draw(st.lists(st.integers(0, length), min_size=1, max_size=4))]
        messages += [Message(_arrival(draw, at), start, None) for at in emissions for _ in range(_copies(draw))]
        if end is not None:
            messages += [Message(_arrival(draw, end), start, end) for _ in range(_copies(draw))]
            clock = end + draw(st.integers(1, 3 * HOUR))
    return sorted(messages, key=lambda message: message.arrives), end


def _arrival(draw: st.DrawFn, emitted_at: int) -> int:
    return emitted_at + draw(st.one_of(st.just(0), st.integers(0, 30 * SECOND), st.integers(0, POLICY.late_within - 1)))


def _copies(draw: st.DrawFn) -> int:
    return draw(st.sampled_from((1, 1, 1, 2, 3)))


@settings(max_examples=600, deadline=None)
@given(emitted())
def test_status_and_end_do_not_depend_on_order_or_duplicates(case):
    messages, end = case
    alert: Alert | None = None
    ids = count(1)
    rows: dict[int, Alert] = {}
    for message in messages:
        sighting = Sighting(
            "am", "alertmanager", "f", message.end is None, {}, {}, starts_at=message.start, ends_at=message.end
        )
        verdict = fold(alert, sighting, message.arrives, POLICY, lambda: next(ids))
        alert = verdict.alert
        rows[alert.id] = alert
        assert all(change.kind is not Kind.EXPIRED for change in verdict.changes)
    assert alert is not None
    assert alert.status is (Status.ACTIVE if end is None else Status.RESOLVED)
    assert alert.ended_at == end
    assert sum(row.status.open for row in rows.values()) <= 1
    if end is None:
        assert alert.started_at == max(message.start for message in messages)


@settings(max_examples=200, deadline=None)
@given(emitted())
def test_the_same_delivery_twice_in_a_row_changes_nothing_the_second_time(case):
    messages, _ = case
    alert: Alert | None = None
    ids = count(1)
    for message in messages:
        sighting = Sighting(
            "am", "alertmanager", "f", message.end is None, {}, {}, starts_at=message.start, ends_at=message.end
        )
        alert = fold(alert, sighting, message.arrives, POLICY, lambda: next(ids)).alert
        counted, status, ended = alert.notification_count, alert.status, alert.ended_at
        again = fold(alert, sighting, message.arrives, POLICY, lambda: next(ids))
        assert again.changes == ()
        assert (again.alert.notification_count, again.alert.status, again.alert.ended_at) == (counted, status, ended)
