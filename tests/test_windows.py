"""When silences are active: once, and in windows that recur, over both changes of the clocks of Europe/Berlin."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from receiver.domain.alert import FOREVER
from receiver.domain.matchers import Unreadable
from receiver.domain.times import HOUR, MINUTE, SECOND, Instant, as_datetime, instant
from receiver.domain.windows import State, Window
from receiver.silencing import cron

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> Instant:
    """A moment in UTC: 2026-03-29 01:30."""
    return instant(datetime.fromisoformat(text).replace(tzinfo=UTC))


def recurring(schedule: str, lasts: int, zone: str = "Europe/Berlin") -> Window:
    """For ever, from long ago."""
    return Window(at("2020-01-01"), None, cron(schedule, zone), lasts)


def spans(window: Window, begins: Instant, ends: Instant) -> list[tuple[str, str]]:
    """When it is active, minute by minute, in UTC."""
    found: list[tuple[str, str]] = []
    since = None
    for moment in range(begins, ends, MINUTE):
        active = window.state(moment) is State.ACTIVE
        if active and since is None:
            since = moment
        if not active and since is not None:
            found.append((f"{as_datetime(since):%d %H:%M}", f"{as_datetime(moment):%d %H:%M}"))
            since = None
    return found


@pytest.mark.parametrize(
    ("schedule", "lasts", "active"),
    [
        # Clocks go from 02:00 to 03:00 at 01:00 UTC on the 29th.
        ("30 1 * * *", HOUR, [("28 00:30", "28 01:30"), ("29 00:30", "29 01:30"), ("29 23:30", "30 00:30")]),
        ("30 2 * * *", HOUR, [("28 01:30", "28 02:30"), ("29 01:00", "29 02:00"), ("30 00:30", "30 01:30")]),  # the gap
        ("0 2 * * *", 2 * HOUR, [("28 01:00", "28 03:00"), ("29 01:00", "29 03:00"), ("30 00:00", "30 02:00")]),
        ("0 3 * * *", HOUR, [("28 02:00", "28 03:00"), ("29 01:00", "29 02:00"), ("30 01:00", "30 02:00")]),
        ("0,30 2,3 29 * *", 10 * MINUTE, [("29 01:00", "29 01:10"), ("29 01:30", "29 01:40")]),
        ("0 22 * * SAT", 8 * HOUR, [("28 21:00", "29 05:00")]),
        (
            "0 * 29 3 *",
            5 * MINUTE,
            [("28 23:00", "28 23:05")] + [(f"29 {h:02}:00", f"29 {h:02}:05") for h in range(22)],
        ),
    ],
)
def test_in_spring(schedule: str, lasts: int, active: list[tuple[str, str]]) -> None:
    assert spans(recurring(schedule, lasts), at("2026-03-27 22:00"), at("2026-03-30 12:00")) == active


@pytest.mark.parametrize(
    ("schedule", "lasts", "active"),
    [
        # Clocks go from 03:00 back to 02:00 at 01:00 UTC on the 25th: what comes twice counts the first time.
        ("30 1 * * *", HOUR, [("23 23:30", "24 00:30"), ("24 23:30", "25 00:30"), ("26 00:30", "26 01:30")]),
        (
            "30 2 * * *",
            HOUR,
            [("24 00:30", "24 01:30"), ("25 00:30", "25 01:30"), ("26 01:30", "26 02:30")],
        ),  # the fold
        ("30 2 * * *", 2 * HOUR, [("24 00:30", "24 02:30"), ("25 00:30", "25 02:30"), ("26 01:30", "26 03:30")]),
        ("0 3 * * *", HOUR, [("24 01:00", "24 02:00"), ("25 02:00", "25 03:00"), ("26 02:00", "26 03:00")]),
        ("0 0 25 10 *", 24 * HOUR, [("24 22:00", "25 22:00")]),  # an hour before that day ends: 25 hours are in it
        ("*/30 2 25 10 *", MINUTE, [(f"25 0{h}:{m}0", f"25 0{h}:{m}1") for h in (0, 1) for m in (0, 3)]),
    ],
)
def test_in_autumn(schedule: str, lasts: int, active: list[tuple[str, str]]) -> None:
    assert spans(recurring(schedule, lasts), at("2026-10-23 22:00"), at("2026-10-26 12:00")) == active


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("schedule", ["30 2 * * *", "0 2 * * SUN", "*/20 * * * *", "15 */3 * * *", "5 0 1 * *"])
def test_what_was_last_and_what_comes_next_agree_over_a_year(zone: str, schedule: str) -> None:
    moments, chance = cron(schedule, zone), random.Random(schedule)
    for _ in range(150):
        now = at("2026-01-01") + chance.randrange(365 * 24 * 3600) * SECOND
        last, following = moments.latest(now), moments.following(now)
        assert last is not None
        assert following is not None
        assert last <= now < following
        assert moments.following(last) == following, "nothing lies between"
        assert moments.latest(following) == following
        assert moments.latest(following - 1) == last


@pytest.mark.parametrize("seed", range(10))
def test_nothing_changes_before_the_moment_that_is_told(seed: int) -> None:
    chance = random.Random(seed)
    day = chance.choice(("2026-03-28", "2026-10-24", "2026-07-01"))
    schedule = f"{chance.randrange(60)} {chance.choice(('*', '1', '2', '3', '2,3', '*/2'))} * * *"
    starts = at(day) + chance.randrange(24 * 60) * MINUTE
    ends = chance.choice((None, starts + chance.randrange(1, 48 * 60) * MINUTE))
    window = Window(starts, ends, cron(schedule, "Europe/Berlin"), chance.randrange(1, 200) * MINUTE)
    until, state = 0, window.state(at(day) - 1)
    for moment in range(at(day), at(day) + 60 * HOUR, MINUTE):
        if moment >= until:
            until, state = window.next_change(moment), window.state(moment)
        assert window.state(moment) is state, (schedule, as_datetime(moment))


def test_once() -> None:
    window = Window(1000, 2000)
    assert [window.state(now) for now in (999, 1000, 1999, 2000)] == ["pending", "active", "active", "expired"]
    assert [window.next_change(now) for now in (0, 1000, 2000)] == [1000, 2000, FOREVER]
    assert (window.next_start(0), window.next_start(1500), window.active_until(1500)) == (1000, None, 2000)


def test_a_window_that_recurs_is_cut_by_start_and_end() -> None:
    window = Window(at("2026-06-02 00:30"), at("2026-06-03 00:15"), cron("0 0 * * *", "UTC"), HOUR)
    assert spans(window, at("2026-06-01"), at("2026-06-05")) == [("02 00:30", "02 01:00"), ("03 00:00", "03 00:15")]
    assert window.next_start(at("2026-06-01")) == at("2026-06-02 00:30"), "in the middle of a window"
    assert window.next_start(at("2026-06-02 12:00")) == at("2026-06-03")
    assert window.active_until(at("2026-06-03 00:10")) == at("2026-06-03 00:15")
    assert window.state(at("2026-06-03 00:15")) is State.EXPIRED


def test_windows_that_touch_are_one() -> None:
    nights = Window(0, None, cron("0 0 * * SAT,SUN", "UTC"), 24 * HOUR)
    assert nights.active_until(at("2026-06-06 05:00")) == at("2026-06-08")
    assert Window(0, None, cron("0 * * * *", "UTC"), 24 * HOUR).active_until(at("2026-06-06 05:00")) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "told"),
    [
        ("60 * * * *", "UTC", "bad minute"),
        ("* * * *", "UTC", "five fields"),
        ("0 * * * * *", "UTC", "five fields"),
        ("@daily", "UTC", "five fields"),
        ("0 0 31 2 *", "UTC", "bad day-of-month"),
        ("0 0 L/2 * L#9", "UTC", "no cron expression"),
        ("*/0 * * * *", "UTC", "bad minute"),
        ("0 0 * * *", "Mars/Olympus", "not a time zone"),
        ("0 0 * * *", "../../etc/passwd", "not a time zone"),
        ("0 0 * * *", "Europe", "not a time zone"),
        ("0 0 * * *", "", "not a time zone"),
        ("0" * 300 + " 0 * * *", "UTC", "five fields"),
    ],
)
def test_what_is_no_schedule(schedule: str, zone: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        cron(schedule, zone)


def test_the_clock_of_the_place_is_meant() -> None:
    """By a calculation of its own: every day at 06:30 there, on all days of a year without gap or fold then."""
    window, day = recurring("30 6 * * *", HOUR), datetime(2026, 1, 1, 6, 30, tzinfo=BERLIN)
    for number in range(365):
        begins = instant(day + timedelta(days=number))
        assert [window.state(begins + late) for late in (-1, 0, HOUR - 1, HOUR)] == [
            "pending", "active", "active", "pending",
        ]  # fmt: skip
