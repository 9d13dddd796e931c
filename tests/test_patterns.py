"""Patterns equal what the plainest counting finds; they claim nothing that the numbers do not carry."""

import asyncio
import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, text, update

from receiver.domain.times import DAY, MINUTE, instant, rfc3339
from receiver.errors import Refused
from receiver.flow import patterns as flow
from receiver.flow.patterns import Patterns, Wanted
from receiver.store import patterns
from receiver.store.patterns import Narrow
from receiver.store.tables import alert, change
from tests import manyalerts, plainest
from tests.stores import open_store

COUNT = int(os.environ.get("ALERTSAGE_PATTERNS", "3000"))
"""Random alerts; 100000 shows what 3000 do not, and takes a minute."""
AUTUMN, SPRING = (instant(datetime(2026, *day, tzinfo=UTC)) for day in ((10, 28), (4, 1)))
YEARS = 100 * 366 * DAY


@pytest.mark.parametrize(
    ("until", "days", "zone"),
    [
        (SPRING, 7, "Europe/Berlin"),
        (AUTUMN, 7, "Europe/Berlin"),
        (AUTUMN, 10, "Asia/Kathmandu"),
        (AUTUMN, 10, "Australia/Lord_Howe"),
        (SPRING, 3, "America/St_Johns"),
        (SPRING, 7, "UTC"),
    ],
)
async def test_patterns_equal_the_plainest_counting(tmp_path, until, days, zone):
    async with open_store(tmp_path / "a.db") as store:
        first, last = until - 25 * DAY, until + DAY
        await manyalerts.fill(store, COUNT, first, last, seed=days)
        alerts, trails = await store.read(plainest.stored)
        told = await Patterns(store).report(Wanted(days, ZoneInfo(zone), now=until), YEARS)
        since = until - days * DAY
        expected = plainest.expected(alerts, trails, since, until, zone)
        assert told["before"]["times"] == expected.pop("before")
        usually = [row.pop("usually") for row in told["by_type"]]
        assert {name: told[name] for name in expected} == expected
        assert not any(usually)
        flapping = plainest.runs(alerts, trails, since, until)
        shown = [{name: one[name] for name in ("alert", "times", "name")} for one in told["flapping"]]
        assert shown == flapping[:10]
        assert shown
        longest = sorted((a["started_at"], a["id"]) for a in alerts if a["status"] == "active" and not a["heartbeat"])
        assert [one["alert"] for one in told["longest_open"]] == [number for _, number in longest[:10]]
        assert told["complete"] is True


async def test_the_evidence_of_hygiene_equals_the_plainest_counting(tmp_path):
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.fill(store, 2000, SPRING - 9 * DAY, SPRING, seed=9)
        alerts, trails = await store.read(plainest.stored)
        values = await store.read(plainest.values)
        told = await Patterns(store).hygiene(Wanted(7, ZoneInfo("UTC"), now=SPRING), YEARS)
    expected = plainest.evidence(alerts, trails, values, SPRING - 7 * DAY, SPRING)
    assert len(told["rules"]) == len(expected) > 3
    for one in told["rules"]:
        seen, own = one["evidence"], expected[one["name"]]
        seen["values"] = {name: seen["values"][name] for name in own["values"]}
        assert {name: seen[name] for name in own} == own


async def test_a_flap_that_began_before_counts_from_where_the_days_begin(tmp_path):
    async with open_store(tmp_path / "a.db") as store:
        begun = [SPRING - 2 * DAY + minutes * MINUTE for minutes in (-30, -10, 10, 30, 50, 70)]
        await manyalerts.store_flap(store, begun)
        told = await Patterns(store).report(Wanted(2, ZoneInfo("UTC"), now=SPRING), YEARS)
        (flap,) = told["flapping"]
    assert (flap["times"], flap["since"], flap["until"]) == (4, rfc3339(begun[2]), rfc3339(begun[-1]))


@pytest.mark.parametrize("size", [2, 7, 100, 1000])
async def test_what_is_read_in_parts_is_counted_once(tmp_path, monkeypatch, size):
    monkeypatch.setattr(patterns, "SLICE", size)
    patterns._slice.cache_clear()  # it is made for a size
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.fill(store, 100, SPRING - 2 * DAY, SPRING, seed=5)

        def at_once(connection: Connection) -> None:
            """Many begin at the same moment, the same alert among them."""
            connection.execute(update(change).values(at=change.c.at - change.c.at % DAY))
            moments = {"created_at": alert.c.created_at - alert.c.created_at % DAY}
            connection.execute(update(alert).values(fate_seq=0, **moments))  # of that moment its fate knows nothing

        await store.write(at_once)
        alerts, trails = await store.read(plainest.stored)
        told = await Patterns(store).report(Wanted(7, ZoneInfo("UTC"), now=SPRING), YEARS)
    patterns._slice.cache_clear()
    expected = plainest.expected(alerts, trails, SPRING - 7 * DAY, SPRING, "UTC")
    assert told["totals"] == expected["totals"]
    assert told["totals"]["times"] > 100


async def test_nothing_is_read_for_an_answer_that_was_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(patterns, "SLICE", 7)
    monkeypatch.setattr(flow, "MOST", 5)
    patterns._slice.cache_clear()
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.fill(store, 100, SPRING - 2 * DAY, SPRING, seed=5)
        counting, others = Patterns(store), asyncio.all_tasks()
        wanted = Wanted(7, ZoneInfo("UTC"), now=SPRING)
        with pytest.raises(Refused, match="more than 5 times"):
            await counting.report(wanted, YEARS)
        assert asyncio.all_tasks() == others
        monkeypatch.setattr(flow, "MOST", 500)
        assert (await counting.report(wanted, YEARS))["totals"]["times"] > 100
    patterns._slice.cache_clear()


async def test_what_is_asked_for_narrows_all_of_it_down(tmp_path):
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.fill(store, 2000, SPRING - 25 * DAY, SPRING, seed=1)
        alerts, trails = await store.read(plainest.stored)
        narrow = Narrow(("HostHighCpu", "DiskFull"), ("am", "grafana"), ("system",), ("critical", "high"))
        told = await Patterns(store).report(Wanted(7, ZoneInfo("UTC"), narrow, SPRING), YEARS)
        some = [
            one
            for one in alerts
            if (one["name"] in narrow.names and one["source"] in narrow.sources)
            and (one["category"] in narrow.categories and one["priority"] in narrow.priorities)
        ]
        expected = plainest.expected(some, trails, SPRING - 7 * DAY, SPRING, "UTC")
        assert told["before"]["times"] == expected.pop("before") > 0
        for row in told["by_type"]:
            del row["usually"]
        assert {name: told[name] for name in expected} == expected


@pytest.mark.only("postgresql")
async def test_postgresql_looks_changes_up_one_by_one(tmp_path):
    """However many rows are from before their fates were kept: it would rather read all Changes, for each part."""
    asked = {"at": SPRING - 7 * DAY, "number": 0, "seq": 0, "until": SPRING}

    def plans(connection: Connection) -> list[str]:
        connection.execute(text("ANALYZE"))
        found = []
        for stream in range(2):
            wanted = patterns._slice(stream, Narrow(), True).params(asked)
            told = wanted.compile(connection, compile_kwargs={"literal_binds": True})
            found.append("\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {told}")))
        return found

    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.fill(store, 3000, SPRING - 25 * DAY, SPRING, seed=3)
        opened, reopened = await store.write(plans)
    assert "alert_created" in opened
    assert "change_reopened" in reopened
    for plan in (opened, reopened):
        assert "hashed" not in plan
        assert "Seq Scan" not in plan
