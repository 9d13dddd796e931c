"""What is proposed for a rule, and what is not, by the evidence."""

from array import array

import pytest

from receiver.domain.hygiene import Proposal, Reading, comparable, propose
from receiver.domain.tally import Record

MINUTE = 60_000


def record(*, heeded: list[int] | None = None, unheeded: list[int] | None = None, expired: int = 0) -> Record:
    """What became of a rule's times: the lengths, in minutes, of those acted on and not."""
    acted, ignored = heeded or [], unheeded or []
    over = len(acted) + len(ignored) + expired
    return Record(
        times=over,
        expired=expired,
        acted=len(acted),
        over=over,
        ignored=len(ignored) + expired,
        heeded=array("q", [took * MINUTE for took in acted]),
        unheeded=array("q", [took * MINUTE for took in ignored]),
    )


def readings(*values: float, direction: str = "above", unit: str | None = None, threshold: float = 80) -> list[Reading]:
    """One for each value."""
    return [Reading(n, value, threshold, direction, unit, "cpu") for n, value in enumerate(values)]


LONG = [90] * 12
SEEN = readings(*[100.0] * 19, 300.0)
TABLE = [
    ("too few", record(unheeded=[1] * 9), 9, SEEN, Proposal("keep", "")),
    ("one bad night", record(unheeded=[1] * 40), 1, SEEN, Proposal("keep", "")),
    ("people act on it", record(heeded=[1] * 2, unheeded=[1] * 10), 9, SEEN, Proposal("keep", "")),
    ("short, nobody acts", record(unheeded=[4] * 12), 9, SEEN, Proposal("longer_for", "", None, 300)),
    ("most are short", record(unheeded=[4] * 7 + [99] * 5), 9, SEEN, Proposal("longer_for", "", None, 300)),
    ("the acted on are long", record(heeded=[60], unheeded=[4] * 12), 9, [], Proposal("longer_for", "", None, 300)),
    ("the acted on is short", record(heeded=[2], unheeded=[4] * 12), 9, [], Proposal("keep", "")),
    ("values are known", record(unheeded=LONG), 9, SEEN, Proposal("raise_threshold", "", 120.0)),
    ("too few values", record(unheeded=LONG), 9, SEEN[:9], Proposal("delete", "")),
    ("low ones alert", record(unheeded=LONG), 9, readings(*[10.0] * 20, direction="below", threshold=20),
     Proposal("lower_threshold", "", 8.0)),
    ("nothing is beyond 100 %", record(unheeded=LONG), 9, readings(*[95.0] * 20, unit="percent"),
     Proposal("delete", "")),
    ("it is there already", record(unheeded=LONG), 9, readings(*[100.0] * 20, threshold=200), Proposal("delete", "")),
    ("nobody, ever", record(unheeded=LONG), 9, [], Proposal("delete", "")),
    ("only expired", record(expired=12), 9, [], Proposal("delete", "")),
    ("seldom", record(heeded=[99], unheeded=LONG), 9, [], Proposal("keep", "")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "became", "days", "seen", "proposed"), TABLE, ids=[row[0] for row in TABLE])
def test_what_is_proposed(what, became, days, seen, proposed):
    found = propose(became, days, seen)
    assert (found.action, found.threshold, found.seconds) == (proposed.action, proposed.threshold, proposed.seconds)
    assert found.why.endswith((".", "!")), what
    assert any(figure.isdigit() for figure in found.why) or "one day" in found.why


@pytest.mark.parametrize(
    "other",
    [
        Reading(99, 1.0, 80, "above", "percent", "cpu"),
        Reading(99, 1.0, 80, "below", None, "cpu"),
        Reading(99, 1.0, 80, "above", None, "memory"),
    ],
)
def test_values_of_different_quantities_are_not_compared(other):
    assert comparable([*SEEN, other]) == []
    assert comparable([*SEEN, Reading(99, None, 80, "below", "percent", "cpu")]) == SEEN


def test_the_reason_holds_the_figures():
    assert propose(record(heeded=[60], unheeded=[4] * 12), 9, []).why == (
        "Somebody acted on 1 of 13. 12 of the other 12 were over within 5 min, none of those that somebody acted on: "
        "let it wait 5 min longer."
    )
    assert propose(record(unheeded=LONG), 9, SEEN).why == (
        "Nobody acted on any of 12. 95 % of 20 seen values were at most 100: that and 20 % of headroom make 120."
    )
