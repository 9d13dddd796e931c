"""What is said of an alert's past: pure decisions and their wording."""

import pytest

from receiver.domain.alert import Change
from receiver.domain.history import (
    Episode,
    Fix,
    Past,
    ago,
    alike,
    episodes,
    is_note,
    last_time,
    pattern,
    quoted,
    recurrence,
    spoken,
    summary,
)
from receiver.domain.times import DAY, HOUR, MINUTE, SECOND
from receiver.domain.vocabulary import Kind

NOW = 20_000 * DAY + 14 * HOUR + 10 * MINUTE
"""Ten past two in the afternoon, UTC."""


def past(*before: int, lengths: tuple[int, ...] = ()) -> Past:
    """It opened so long before NOW each time; the earliest of the times took these lengths."""
    openings = tuple(NOW - age for age in before)
    ended = [Episode(1, began, began + length, "source:am") for began, length in zip(openings, lengths, strict=False)]
    return Past(openings, tuple(reversed(ended)), ())


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (past(0), None),
        (past(), None),
        (
            past(6 * DAY, 4 * DAY + 9 * MINUTE, 2 * DAY, 0, lengths=(31 * MINUTE, 32 * MINUTE, 5 * HOUR)),
            "4th time in 7 days, mostly around 14:00 UTC, median 32 min to resolve",
        ),
        (past(6 * DAY, 4 * DAY, 2 * DAY + 7 * HOUR, 0), "4th time in 7 days, mostly around 14:00 UTC"),
        (past(6 * DAY + 5 * HOUR, 4 * DAY, 2 * DAY + 7 * HOUR, 0), "4th time in 7 days"),
        (past(2 * HOUR, 0, lengths=(40 * SECOND,)), "2nd time in 24 hours, once resolved in 40 s"),
        (past(20 * DAY, 10 * DAY, 0), "3rd time in 30 days, mostly around 14:00 UTC"),
        (
            past(*(n * 10 * MINUTE for n in range(11, -1, -1)), lengths=(MINUTE, 2 * MINUTE)),
            "12th time in 24 hours, flapping (12 times within 1 h 50 min), median 2 min to resolve",
        ),
        (past(HOUR, 30 * MINUTE, 15 * MINUTE, 0), "4th time in 24 hours, flapping (4 times within 1 h)"),
        (past(3 * DAY, 61 * MINUTE, 30 * MINUTE, 15 * MINUTE, 0), "4th time in 24 hours"),
        (past(*(n * DAY for n in range(20, -1, -1))), "21st time in 30 days, mostly around 14:00 UTC"),
    ],
)
def test_the_summary(told, sentence):
    found = pattern(told)
    assert (found and summary(found)) == sentence


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ((23.5, 23.9, 24.2), "00:00"),
        ((0.6, 0.9, 1.4, 13), "01:00"),
        ((2.5, 3.5, 9, 15), None),
        ((3, 3, 3, 9, 15, 21), None),
    ],
)
def test_the_usual_hour_is_found_around_midnight_and_only_when_most_agree(hours, said):
    openings = tuple(round((day + hour / 24) * DAY) for day, hour in enumerate(hours, 20_000))
    sentence = summary(pattern(Past(openings, (), ())))
    assert f"mostly around {said} UTC" in sentence if said else "around" not in sentence


def test_flaps_of_one_afternoon_are_no_usual_hour():
    found = pattern(past(*(n * 5 * MINUTE for n in range(9, -1, -1))))
    assert (found.usual_hour, found.flaps, found.flapped) == (None, 10, 45 * MINUTE)


@pytest.mark.parametrize(
    ("ages", "counted"),
    [
        ((0,), None),
        ((3 * DAY, 2 * DAY, HOUR, 0), (4, 7)),
        ((3 * DAY, 2 * HOUR, HOUR, 0), (3, 1)),
        ((DAY, 0), (2, 7)),
        ((25 * DAY, 20 * DAY, 15 * DAY, 2 * DAY, 0), (5, 30)),
    ],
)
def test_the_shortest_time_that_holds_most_of_them_is_told(ages, counted):
    assert recurrence([NOW - age for age in ages]) == counted


def change(seq: int, kind: Kind, at: int, who: str = "source:am", why: str = "", *, alert_id: int = 1) -> Change:
    """A Change at that minute."""
    return Change(alert_id, seq, at * MINUTE, kind, who, why, None)


def test_times_begin_and_end_by_their_changes():
    told = [
        change(1, Kind.OPENED, 0),
        change(2, Kind.RESOLVED, 10),
        change(3, Kind.REOPENED, 20),
        change(4, Kind.REOPENED, 40),
        change(5, Kind.EXPIRED, 50),
        change(6, Kind.RESOLVED, 55),
        change(1, Kind.RESOLVED, 60, alert_id=2),
        change(1, Kind.OPENED, 70, alert_id=3),
        change(2, Kind.RESOLVED, 80, "ada", alert_id=3),
        change(1, Kind.OPENED, 90, alert_id=4),
    ]
    found = [(e.alert_id, e.began // MINUTE, e.ended and e.ended // MINUTE, e.by) for e in episodes(told)]
    assert found == [
        (1, 0, 10, "source:am"),
        (1, 20, None, ""),
        (1, 40, 55, "source:am"),
        (3, 70, 80, "ada"),
        (4, 90, None, ""),
    ]


@pytest.mark.parametrize(
    ("made", "note"),
    [
        (change(1, Kind.RESOLVED, 0, "ada", "restarted it"), True),
        (change(1, Kind.RESOLVED, 0, "ada", " \n"), False),
        (change(1, Kind.RESOLVED, 0, "source:sentry (Ada)", "in next release"), False),
        (change(1, Kind.ACKNOWLEDGED, 0, "ada", "looking"), False),
    ],
)
def test_what_is_a_note(made, note):
    assert is_note(made) == note


@pytest.mark.parametrize(
    ("labels", "subject", "other", "other_subject", "similar"),
    [
        ({"service": "shop"}, None, {"service": "shop", "pod": "b"}, None, True),
        ({"service": "shop"}, "a", {"service": "bank"}, "b", False),
        ({"service": "shop"}, "db-1", {"service": "bank"}, "db-1", True),
        ({"service": "shop", "job": "x"}, None, {"job": "x"}, None, False),
        ({"job": "node", "instance": "a"}, "a", {"job": "node", "instance": "b"}, "b", True),
        ({"instance": "a"}, "a", {"instance": "b"}, "b", True),
        ({"service": ""}, None, {}, None, True),
        ({"service": "shop"}, None, {}, None, False),
    ],
)
def test_which_alerts_of_a_name_are_similar(labels, subject, other, other_subject, similar):
    assert alike(labels, subject, other, other_subject) == similar


def fix(note: str = "restarted the pool", **more) -> Fix:
    """Anna's, three days ago."""
    told = {"took": 32 * MINUTE, "similar": False, "subject": None, "who": "anna@example.org", "at": NOW - 3 * DAY}
    return Fix(alert_id=1, note=note, **told | more)


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (fix(), 'Last time (3 days ago, 32 min) anna@example.org resolved it: "restarted the pool"'),
        (fix(took=None), 'Last time (3 days ago) anna@example.org resolved it: "restarted the pool"'),
        (
            fix(similar=True, subject="db-1:9100", who="anna"),
            'A similar alert about "db-1:9100" (3 days ago, 32 min) was resolved by anna: "restarted the pool"',
        ),
        (
            fix(similar=True),
            'A similar alert (3 days ago, 32 min) was resolved by anna@example.org: "restarted the pool"',
        ),
        (
            fix('said "yes"\r\n\x1b[31m{subject} <b>\u202e', who="\x1b[0m", at=NOW + DAY),
            "Last time (just now, 32 min) [0m resolved it: \"said 'yes' [31m{subject} <b>\"",
        ),
        (fix(who="\x00"), 'Last time (3 days ago, 32 min) somebody resolved it: "restarted the pool"'),
    ],
)
def test_the_last_time(told, sentence):
    assert last_time(told, NOW) == sentence


def test_what_people_write_is_cut():
    assert quoted("x" * 10_000_000) == f'"{"x" * 299}…"'
    assert len(last_time(fix("y" * 5000, who="z" * 5000, similar=True, subject="s" * 5000), NOW)) < 600


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (-SECOND, "0 s"),
        (0, "0 s"),
        (59 * SECOND, "59 s"),
        (59_700_000, "1 min"),
        (32 * MINUTE + 20 * SECOND, "32 min"),
        (59 * MINUTE + 40 * SECOND, "1 h"),
        (5 * HOUR + 20 * MINUTE, "5 h 20 min"),
        (DAY, "1 day"),
        (5 * DAY + 20 * HOUR, "6 days"),
    ],
)
def test_lengths(length, told):
    assert spoken(length) == told


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (-DAY, "just now"),
        (59 * SECOND, "just now"),
        (MINUTE, "1 min ago"),
        (59 * MINUTE, "59 min ago"),
        (HOUR, "1 hour ago"),
        (47 * HOUR, "1 day ago"),
        (3 * DAY + 5 * HOUR, "3 days ago"),
    ],
)
def test_how_long_ago(length, told):
    assert ago(length) == told
