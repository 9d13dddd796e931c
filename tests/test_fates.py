"""What an alert's row says became of it since it began is what its Changes say, whoever wrote the row."""

import random

import pytest

from receiver.domain import times
from receiver.domain.alert import Alert
from receiver.domain.changes import change
from receiver.domain.times import MINUTE
from receiver.domain.vocabulary import Kind, Status
from receiver.web.keys import STORE
from tests import manyalerts, plainest
from tests.servers import firing, resolved, webhook
from tests.support import serving

Fate = tuple[int, int, int | None]
"""began_seq, over_at, heeded."""
O, R = Kind.OPENED, Kind.REOPENED  # noqa: E741
ADA, OURS, SENDER, VOUCHED = "ada", "alertsage", "source:am", "source:sentry (Ada)"


def new() -> Alert:
    """An alert without a Change."""
    return Alert(1, "am", "f", 0, Status.ACTIVE, 0, 0, 0)


def told(*made: tuple[Kind, str]) -> Fate:
    """What the row says after these Changes, at 1, 2, 3."""
    one = new()
    for at, (kind, who) in enumerate(made, 1):
        change(one, kind, at, who, "")
    assert one.fate_seq == one.change_count == len(made)
    return one.began_seq, one.over_at, one.heeded


@pytest.mark.parametrize(
    ("made", "fate"),
    [
        ([(O, SENDER)], (1, 0, None)),
        ([(O, SENDER), (Kind.RESOLVED, SENDER)], (1, 2, None)),
        ([(O, SENDER), (Kind.RESOLVED, VOUCHED)], (1, 2, 2)),
        ([(O, SENDER), (Kind.ACKNOWLEDGED, ADA), (Kind.RESOLVED, SENDER)], (1, 3, 2)),
        ([(O, SENDER), (Kind.NOTED, ADA)], (1, 0, -1)),
        ([(O, SENDER), (Kind.NOTED, ADA), (Kind.RESOLVED, ADA), (Kind.ACKNOWLEDGED, ADA)], (1, 3, -3)),
        ([(O, SENDER), (Kind.SUPPRESSED, OURS), (Kind.ESCALATED, ADA)], (1, 0, None)),
        ([(O, SENDER), (Kind.RESOLVED, SENDER), (Kind.RESOLVED, ADA)], (1, 2, 3)),
        ([(O, SENDER), (Kind.EXPIRED, OURS)], (1, 0, None)),
        ([(O, SENDER), (Kind.EXPIRED, OURS), (Kind.RESOLVED, SENDER)], (1, 3, None)),
        ([(O, SENDER), (Kind.RESOLVED, ADA), (R, SENDER)], (3, 0, None)),
        ([(O, SENDER), (Kind.RESOLVED, ADA), (R, ADA), (Kind.RESOLVED, SENDER)], (3, 4, None)),
        ([(Kind.RESOLVED, SENDER)], (0, 0, None)),
        ([(Kind.RESOLVED, SENDER), (Kind.NOTED, ADA), (R, SENDER), (Kind.ASSIGNED, ADA)], (3, 0, -1)),
    ],
)
def test_what_became_of_it(made, fate):
    assert told(*made) == fate


def test_any_other_course_ends_as_its_changes_say():
    chance = random.Random(3)
    for _ in range(3000):
        made = [(chance.choice((O, Kind.RESOLVED)), SENDER)]
        made += [
            (chance.choice([kind for kind in Kind if kind is not O]), chance.choice((ADA, OURS, SENDER, VOUCHED)))
            for _ in range(chance.randrange(7))
        ]
        began = max([place for place, (kind, _) in enumerate(made, 1) if kind in (O, R)], default=0)
        since = list(enumerate(made, 1))[began:] if began else []
        over = [at for at, (kind, _) in since if kind is Kind.RESOLVED]
        acts = [(at, kind) for at, (kind, who) in since if kind in manyalerts.ACTS and plainest.person(who)]
        answers = [at for at, kind in acts if kind in (Kind.ACKNOWLEDGED, Kind.RESOLVED)]
        sign = 1 if answers and acts[0][0] == answers[0] else -1
        heeded = None if not acts else sign * answers[0] if answers else -1
        assert told(*made) == (began, over[0] if over else 0, heeded), made


def test_after_changes_that_are_not_told_it_holds_only_from_the_next_beginning_on():
    one = new()
    change(one, O, 1, SENDER, "")
    one.change_count += 1  # a replica of before has resolved it
    change(one, Kind.NOTED, 3, ADA, "")
    assert one.fate_seq != one.change_count
    change(one, R, 4, SENDER, "")
    change(one, Kind.RESOLVED, 5, ADA, "")
    assert (one.fate_seq, one.began_seq, one.over_at, one.heeded) == (5, 4, 5, 5)


async def test_rows_say_what_their_changes_say(tmp_path):
    async with serving(tmp_path) as site:
        now = times.now()
        names = [f"A{number}" for number in range(8)]
        starts = [firing(name, times.rfc3339(now - MINUTE), host=name) for name in names]
        await site.post("/webhook", webhook(*starts))
        await site.post("/webhook", webhook(*[resolved(one, times.rfc3339(times.now())) for one in starts[:5]]))
        again = [firing(name, times.rfc3339(times.now()), host=name) for name in names[:2]]
        await site.post("/webhook", webhook(*again))
        only_end = resolved(firing("End", times.rfc3339(now - MINUTE)), times.rfc3339(now))
        await site.post("/webhook", webhook(only_end))
        listed = (await site.get("/api/v1/alerts?limit=50")).json["alerts"]
        by_name = {one["name"]: one["id"] for one in listed}
        for name, act in (("A0", "acknowledge"), ("A3", "resolve"), ("A5", "acknowledge"), ("A6", "resolve")):
            path, sent = f"/api/v1/alerts/{by_name[name]}/{act}", {"Content-Type": "application/json"}
            answer = await site.post(path, {"note": "mine"}, **sent)
            assert answer.status == 200, answer.body
        alerts, trails = await site.app[STORE].read(plainest.stored)
    fates = [{name: one[name] for name in manyalerts.FATE} for one in alerts]
    assert fates == [manyalerts.fate(trails[one["id"]]) for one in alerts]
    assert len(alerts) == 9
    for one in alerts:  # an opening is found by its alert
        opened = [(c["seq"], c["at"]) for c in trails[one["id"]] if c["kind"] == "opened"]
        assert opened == ([(1, one["created_at"])] if one["opened_as"] else [])
    assert len({(bool(one["began_seq"]), bool(one["over_at"]), one["heeded"] is None) for one in fates}) == 5
