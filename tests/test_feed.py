"""GET /api/v1/changes: what happened to alerts, in order, each once."""

from datetime import UTC, datetime, timedelta

import pytest

from receiver.domain import acts, times
from receiver.web.keys import STORE
from tests.servers import firing, resolved, webhook
from tests.support import Site, serving

STARTED = "2026-11-23T06:40:41.347Z"


async def told(site: Site, query: str = "since=2020-01-01T00:00:00Z") -> list[dict]:
    answer = await site.get(f"/api/v1/changes?{query}")
    assert answer.status == 200, answer.body
    return answer.json["changes"]


async def test_what_happened_is_told_oldest_first_with_its_alert(tmp_path):
    async with serving(tmp_path) as site:
        disk = firing("DiskFull", STARTED, {"summary": "Disk is full"}, instance="db-1", severity="critical")
        await site.post("/webhook", webhook(disk))
        await site.app[STORE].act(1, lambda state: acts.acknowledge(state, "ada", times.now(), "looking"))
        await site.post("/webhook", webhook(firing("HighCpu", STARTED, instance="web-1")))
        await site.post("/webhook", webhook(resolved(disk, "2026-11-23T07:00:00Z")))
        now = times.rfc3339(times.now())
        await site.post("/webhook", webhook(resolved(firing("End", STARTED), now)))
        await site.post("/webhook", webhook(disk | {"startsAt": now}))
        changes = await told(site)
        trail = (await site.get("/api/v1/alerts/1")).json["changes"]
    assert [(one["alert"]["id"], one["kind"]) for one in changes] == [
        (1, "opened"),
        (1, "acknowledged"),
        (2, "opened"),
        (1, "resolved"),
        (3, "resolved"),
        (1, "reopened"),
    ]
    assert changes[1]["alert"] == {
        "id": 1,
        "name": "DiskFull",
        "title": "Disk is full",
        "source": "alertmanager",
        "priority": "critical",
        "category": "system",
        "status": "active",
    }
    for one in changes:
        if one["alert"]["id"] == 1:
            same = trail[one["seq"] - 1]
            assert {name: one[name] for name in one if name != "alert"} == {n: same[n] for n in same if n != "before"}


async def test_what_was_posted_to_the_api_came_over_it(tmp_path):
    async with serving(tmp_path) as site:
        posted = {"type": "slow", "title": "Slow", "resource": "db"}
        answer = await site.post("/api/v1/alerts", posted, **{"Content-Type": "application/json"})
        assert answer.status == 201, answer.body
        assert [(one["kind"], one["via"]) for one in await told(site)] == [("opened", "api")]


async def test_pages_join_without_gap_or_overlap(tmp_path):
    async with serving(tmp_path) as site:
        for part in range(3):  # many of one webhook have the same moment
            some = [firing("Test", STARTED, n=f"{part}-{n}") for n in range(7)]
            await site.post("/webhook", webhook(*some))
            await site.post("/webhook", webhook(*(resolved(one, times.rfc3339(times.now())) for one in some[:3])))
            again = [one | {"startsAt": times.rfc3339(times.now())} for one in some[:2]]
            new = [firing("Test", STARTED, n=f"new {part}-{n}") for n in range(2)]
            await site.post("/webhook", webhook(new[0], *again, new[1]))
        everything = [(one["at"], one["alert"]["id"], one["seq"]) for one in await told(site)]
        pages, cursor = [], ""
        while True:
            answer = (await site.get(f"/api/v1/changes?since=2020-01-01T00:00:00Z&limit=4{cursor}")).json
            pages += [(one["at"], one["alert"]["id"], one["seq"]) for one in answer["changes"]]
            if answer["next"] is None:
                break
            cursor = f"&cursor={answer['next']}"
    assert len(everything) == 3 * (7 + 3 + 2 + 2)
    assert pages == everything == sorted(everything)


async def test_without_since_it_begins_now_and_says_when_that_is(tmp_path):
    async with serving(tmp_path) as site:
        await site.post("/webhook", webhook(firing("Test", STARTED)))
        answer = (await site.get("/api/v1/changes")).json
        assert (answer["changes"], answer["next"]) == ([], None)
        assert abs(datetime.fromisoformat(answer["now"]) - datetime.now(UTC)) < timedelta(seconds=20)
        await site.post("/webhook", webhook(firing("Later", STARTED)))
        assert [one["alert"]["name"] for one in await told(site, f"since={answer['now']}")] == ["Later"]


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    "query",
    [
        "since=",
        "since=yesterday",
        "limit=0",
        "limit=501",
        "limit=x",
        "limit=1&limit=2",
        "cursor=abc",
        "cursor=%C3%A4",
        "cursor=________________________________",
        "until=now",
        "since=0000-01-01T00:00:00Z",
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(tmp_path, query):
    async with serving(tmp_path) as site:
        answer = await site.get(f"/api/v1/changes?{query}")
    assert answer.status == 400, answer.body
    assert len(answer.json["detail"]) > 20
