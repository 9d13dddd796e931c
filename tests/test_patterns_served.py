"""Patterns over HTTP, from webhooks and acts to the answer; the example in the docs."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic_core import to_json
from sqlalchemy import Connection, delete

from receiver.domain import acts, times
from receiver.domain.times import DAY, instant
from receiver.flow import patterns
from receiver.flow.patterns import Patterns, Wanted
from receiver.store.tables import alert, change, content, job
from receiver.web.keys import PATTERNS, STORE
from receiver.web.patternforms import Hygiene, Report
from tests import manyalerts
from tests.servers import firing, resolved, webhook
from tests.stores import open_store
from tests.support import Site, serving

DOCS = Path(__file__).parent.parent / "docs/patterns.md"
PATH = "/api/v1/patterns"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults."""
    async with serving(tmp_path) as served:
        yield served


async def asked(site: Site, query: str = "", path: str = PATH) -> dict[str, Any]:
    """The answer, which is of the form that the API's document tells."""
    answer = await site.get(path + query)
    assert answer.status == 200, answer.body
    form = Report if path == PATH else Hygiene
    read = form.model_validate_json(answer.body, strict=True)
    assert read.model_dump(mode="json") == answer.json
    return dict(answer.json)


async def test_nothing_stored_is_said_so(site):
    told = await asked(site)
    assert told["total_alerts"] == 0
    assert told["most_common_type"] is told["peak_hour"] is told["avg_resolution_time_minutes"] is None
    assert told["known_since"] is None
    assert (told["type_distribution"], told["hourly_distribution"]) == ({}, [0] * 24)
    assert told["insights"] == ["No alert is stored: there is nothing to see a pattern in yet."]
    assert (await asked(site, path=f"{PATH}/hygiene"))["rules"] == []


async def test_from_webhooks_and_acts_to_the_answer(site):
    now = times.rfc3339(times.now())
    heartbeat = firing("Watchdog", now, severity="none")
    slow, cpu = (
        firing("DbSlow", now, severity="critical", instance="db-1"),
        firing("HostHighCpu", now, instance="web-1"),
    )
    await site.post("/webhook", webhook(slow, cpu, heartbeat))
    await site.post("/webhook", webhook(slow, cpu, heartbeat))  # repeats are no times
    await site.post("/webhook", webhook(resolved(slow, times.rfc3339(times.now()))))
    store = site.app[STORE]
    mine = next(one for one in (await site.get("/api/v1/alerts")).json["alerts"] if one["name"] == "HostHighCpu")
    await store.act(mine["id"], lambda alert: acts.acknowledge(alert, "ada", times.now()))
    told = await asked(site, "?days=1&zone=Asia/Kolkata")
    assert told["type_distribution"] == {"DbSlow": 1, "HostHighCpu": 1}
    assert {row["resource"] for row in told["by_resource"]} == {"db-1", "web-1"}
    totals = {name: told["totals"][name] for name in ("times", "resolved", "still_open", "acted_on", "over")}
    assert totals == {"times": 2, "resolved": 1, "still_open": 1, "acted_on": 1, "over": 1}
    assert (told["mtta"]["count"], told["mttr"]["count"]) == (1, 1)
    assert [one["alert"] for one in told["longest_open"]] == [mine["id"]]
    clock = datetime.now(ZoneInfo("Asia/Kolkata"))
    assert told["week"][clock.weekday()][clock.hour] + told["week"][clock.weekday()][clock.hour - 1] == 2
    assert told["complete"] is False
    assert told["before"]["times"] is None
    assert (await asked(site, "?priority=high"))["total_alerts"] == 1
    assert (await asked(site, "?name=HostHighCpu&name=None%00"))["total_alerts"] == 1
    assert (await asked(site, "?source=alertmanager&category=system,performance"))["total_alerts"] == 2
    assert (await asked(site, "?source=alertmanager&category=system,database"))["total_alerts"] == 1
    assert (await asked(site, "?source=another"))["insights"][-1] == "No alert began in these 7 days."
    rules = (await asked(site, path=f"{PATH}/hygiene"))["rules"]
    assert [(rule["name"], rule["proposal"]) for rule in rules] == [("DbSlow", "keep"), ("HostHighCpu", "keep")]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("days=0", "days is '0', not a number from 1 to 366"),
        ("days=1.5", "days is '1.5', not a number from 1 to 366"),
        ("days=7&days=8", "days is given more than once"),
        ("zone=Mars/Olympus", "zone is 'Mars/Olympus', not a time zone's name like Europe/Berlin or UTC"),
        ("zone=../../etc/passwd", "zone is '../../etc/passwd', not a time zone's name like Europe/Berlin or UTC"),
        ("zone=Europe", "zone is 'Europe', not a time zone's name like Europe/Berlin or UTC"),
        ("zone=a%00b", "zone is 'a\\x00b', not a time zone's name like Europe/Berlin or UTC"),
        ("category=none", "'none' is not a category; there is application, availability, business, database, "),
        ("zones=UTC", "'zones' is not a parameter here; there is days, zone, name, source, category, priority"),
    ],
)
async def test_a_parameter_that_cannot_be_is_named(site, query, told):
    for path in (PATH, f"{PATH}/hygiene"):
        answer = await site.get(f"{path}?{query}")
        assert (answer.status, answer.json["detail"][: len(told)]) == (400, told)


async def test_too_many_are_refused_with_the_way_out(site, monkeypatch):
    await site.post("/webhook", webhook(firing("A"), firing("B")))
    monkeypatch.setattr(patterns, "MOST", 1)
    answer = await site.get(PATH)
    assert answer.status == 422
    assert answer.json["detail"].startswith("alerts began more than 1 times in these 7 days: ask for fewer days")
    monkeypatch.undo()
    assert (await asked(site))["total_alerts"] == 2


async def test_one_is_counted_at_a_time_and_nobody_waits_for_ever(site, monkeypatch):
    told = await asyncio.gather(*[asked(site) for _ in range(5)])
    assert len(told) == 5
    monkeypatch.setattr(patterns, "PATIENCE", 0.01)
    async with patterns._Turn(site.app[PATTERNS]._turn):
        answer = await site.get(PATH)
    assert answer.status == 503
    assert (await site.get(PATH)).status == 200


# --- what is kept, and the docs -------------------------------------------------------------------------------------


async def test_what_retention_deleted_is_not_claimed_to_be_known(tmp_path):
    now = instant(datetime(2026, 11, 23, tzinfo=UTC))
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.store_week(store, now)

        async def told(days: int, kept: int) -> dict[str, Any]:
            return await Patterns(store).report(Wanted(days, ZoneInfo("UTC"), now=now), kept)

        whole, cut = await told(7, 90 * DAY), await told(7, 10 * DAY)
        assert (whole["complete"], whole["before"]["times"]) == (True, 20)
        assert (cut["complete"], cut["before"]["times"], cut["insights"][0]) == (
            True,
            None,
            "Alerts began 44 times in these 7 days.",
        )
        shorter = await told(7, 2 * DAY)
        assert shorter["known_since"] == "2026-11-21T00:00:00.000Z"
        assert shorter["complete"] is False
        assert shorter["insights"][0].startswith("Nothing is known of what was before 2026-11-21T00:00:00.000Z")
        # more than `max_closed` of them: the first ones go first
        assert (await told(60, 90 * DAY))["known_since"] == "2026-10-24T00:00:00.000Z"


async def test_what_was_open_before_the_first_end_is_known(site):
    created = []
    for name in ("first", "second", "third"):
        answer = await site.post(
            "/api/v1/alerts", {"type": name, "title": name}, **{"Content-Type": "application/json"}
        )
        created.append(answer.json["created_at"])
        await asyncio.sleep(0.005)
    assert (await asked(site))["known_since"] == created[0]
    await site.post("/api/v1/alerts/2/resolve", {"who": "ada"}, **{"Content-Type": "application/json"})
    assert (await asked(site))["known_since"] == created[0]
    # a number that is missing may have been an alert: then only what came after is known
    await site.app[STORE].write(_without_the_first)
    assert (await asked(site))["known_since"] == created[1]


def _without_the_first(connection: Connection) -> None:
    for table in (job, change, content):
        connection.execute(delete(table).where(table.c.alert_id == 1))
    connection.execute(delete(alert).where(alert.c.id == 1))


async def test_the_examples_in_the_docs_are_what_is_answered(tmp_path):
    now = instant(datetime(2026, 11, 23, tzinfo=UTC))
    report, rule = map(json.loads, re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.S))
    async with open_store(tmp_path / "a.db") as store:
        await manyalerts.store_week(store, now)
        wanted = Wanted(7, ZoneInfo("Europe/Berlin"), now=now)
        told = json.loads(to_json(await Patterns(store).report(wanted, 90 * DAY)))
        assert {name: told[name] for name in report} == report
        rules = json.loads(to_json(await Patterns(store).hygiene(wanted, 90 * DAY)))["rules"]
        first = next(one for one in rules if one["name"] == rule["name"])
        assert {name: first[name] for name in rule} == rule
    keys = set(re.findall(r"`(\w+)`", DOCS.read_text())) | set(report)
    assert set(told) <= keys
    assert set(told["totals"]) <= keys | set(report["totals"])
