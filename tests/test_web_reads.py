"""What is read over HTTP: alerts by what they are, one alert, and the metrics."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from receiver.flow.show import AT_ONCE, all_completed
from receiver.store import AlertQuery
from receiver.web.keys import CONFIGURATION, STORE
from tests.servers import firing, resolved, webhook
from tests.support import Site, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults."""
    async with serving(tmp_path) as served:
        yield served


async def detail(site: Site, path: str, status: int) -> str:
    """The sentence of a refusal of GET."""
    answer = await site.get(path)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json
    assert document["type"] == "about:blank"
    assert document["status"] == status
    assert document["title"]
    return str(document["detail"])


async def listed(site: Site, query: str = "") -> list[str]:
    """The names of the alerts that the query finds, in order."""
    answer = await site.get(f"/api/v1/alerts{query}")
    assert answer.status == 200, answer.body
    return [alert["labels"]["alertname"] for alert in answer.json["alerts"]]


async def test_a_large_page_gives_way_to_other_requests(site: Site) -> None:
    links = [f"http://p/graph?g0.expr=shop_{n}_total%20>%20{n}" for n in range(60)]
    await site.post("/webhook", webhook(*(firing(f"N{n}") | {"generatorURL": link} for n, link in enumerate(links))))
    app, loop = site.app, asyncio.get_running_loop()
    page = await app[STORE].page(AlertQuery(limit=60))
    others = 0

    def other() -> None:
        nonlocal others
        others += 1
        loop.call_soon(other)

    other()
    before = others
    shown = await all_completed(page.alerts, app[CONFIGURATION].setup)
    assert others - before >= len(shown) // AT_ONCE == 15
    served = (await site.get("/api/v1/alerts?limit=60")).json["alerts"]
    told = ("id", "facts", "recommendations", "links", "provenance")
    assert [[one[name] for name in told] for one in served] == [[one[name] for name in told] for one in shown]


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.fixture
async def stored(site: Site) -> Site:
    """Four alerts: A and B critical, C and D warnings; D has ended."""
    alerts = [
        firing("A", annotations={"summary": "Alpha is down"}, severity="critical", team="web"),
        firing("B", severity="critical", team="db"),
        firing("C", severity="warning", team="web"),
        firing("D", severity="warning", team="db"),
    ]
    await site.post("/webhook", webhook(*alerts))
    await site.post("/webhook", webhook(resolved(alerts[3], "2026-11-23T07:00:00Z")))
    return site


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "DCBA"),
        ("?status=active", "CBA"),
        ("?status=open", "CBA"),
        ("?status=resolved", "D"),
        ("?status=open,resolved", "DCBA"),
        ("?status=active&status=resolved", "DCBA"),
        ("?alertname=B", "B"),
        ("?label.team=web", "CA"),
        ("?label.team=web&label.severity=warning", "C"),
        ("?label.team=", ""),
        ("?label.nothing=", "DCBA"),
        ("?q=alpha", "A"),
        ("?q=%25", ""),
        ("?q=%00", ""),
        ("?source=%00", ""),
        ("?alertname=%00", ""),
        ("?label.te%00am=x", ""),
        ("?label.team=%00", ""),
        ("?source=alertmanager", "DCBA"),
        ("?source=other", ""),
        ("?status=open&label.team=db", "B"),
        ("?limit=2", "DC"),
    ],
)
async def test_alerts_are_found_by_what_they_are(stored: Site, query: str, names: str) -> None:
    assert await listed(stored, query) == list(names)


async def test_pages_follow_each_other_by_their_cursor(stored: Site) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await stored.get(f"/api/v1/alerts?limit=3&cursor={cursor}")).json
        seen += [alert["labels"]["alertname"] for alert in page["alerts"]]
        cursor = page["next"]
    assert seen == list("DCBA")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?stauts=active", "status"),
        ("?status=activ", "active"),
        ("?priority=urgent", "critical"),
        ("?category=disk", "system"),
        ("?limit=0", "500"),
        ("?limit=501", "500"),
        ("?limit=x", "500"),
        ("?limit=-1", "500"),
        ("?limit=99999999999999999999", "500"),
        ("?cursor=x", "cursor"),
        ("?cursor=%C3%A4", "cursor"),
        ("?label.=x", "label.NAME"),
        ("?q=" + "x" * 300, "200"),
        ("?" + "&".join(f"label.a{n}=" for n in range(20)) + "&alertname=A", "at most 20 labels"),
        ("?source=" + ",".join("abcdefghijklmnopqrstuvwxyz" * 2), "more than 50 values"),
        ("?" + "x" * 3_000 + "=1", "parameter"),
    ],
)
async def test_a_mistake_in_the_query_is_told_in_a_sentence(site: Site, query: str, said: str) -> None:
    sentence = await detail(site, f"/api/v1/alerts{query}", 400)
    assert said in sentence
    assert len(sentence) < 300


async def test_one_alert_tells_its_history_and_what_was_sent(stored: Site) -> None:
    number = (await stored.get("/api/v1/alerts?alertname=D")).json["alerts"][0]["id"]
    alert = (await stored.get(f"/api/v1/alerts/{number}")).json
    assert alert["status"] == "resolved"
    assert [change["kind"] for change in alert["changes"]] == ["opened", "resolved"]
    assert alert["ended_at"] == "2026-11-23T07:00:00.000Z"
    assert alert["raw"]["group"]["groupKey"] == '{}:{alertname="Test"}'
    assert alert["raw"]["labels"]["team"] == "db"


@pytest.mark.parametrize("number", ["999", "0", "-1", "x", "9" * 40, "%F0%9F%98%80"])
async def test_an_alert_that_is_not_there_is_404(site: Site, number: str) -> None:
    assert "no alert" in await detail(site, f"/api/v1/alerts/{number}", 404)


# --- metrics -------------------------------------------------------------------------------------------------------


def figures(page: bytes) -> dict[str, float]:
    """Every sample of a metrics page by name and labels."""
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in page.decode().splitlines()
        if line and not line.startswith("#")
    }


async def test_metrics_count_what_is_stored_and_what_came(stored: Site) -> None:
    await stored.post("/webhook/alertmanager", b"junk")
    await stored.post("/webhook", b"junk")
    await stored.post("/webhook", webhook(firing("Watchdog", severity="none")))
    found = figures((await stored.get("/metrics")).body)

    def total(name: str, **labels: Any) -> float:
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            value
            for sample, value in found.items()
            if sample.startswith(name + "{") and all(pair in sample for pair in wanted)
        )

    assert total("alertsage_alerts", status="active") == 3
    assert total("alertsage_alerts", status="resolved") == 1
    assert total("alertsage_alerts_by_name", alertname="A") == 1
    assert total("alertsage_alerts_by_name", alertname="D") == 0
    assert total("alertsage_alerts_by_name", alertname="Watchdog") == 0
    assert total("alertsage_heartbeat_last_seen_timestamp_seconds", alertname="Watchdog") > 1_700_000_000
    assert total("alertsage_received_alerts_total", source="alertmanager") == 6
    assert total("alertsage_sightings_total", outcome="opened") == 5
    assert total("alertsage_refused_webhooks_total", source="alertmanager") == 1
    assert total("alertsage_refused_webhooks_total", source="_unknown") == 1
    assert found["alertsage_store_up"] == 1
    assert found["alertsage_last_reload_success"] == 1


async def test_names_beyond_the_cap_are_counted_together(tmp_path: Path) -> None:
    async with serving(tmp_path, "metrics: {names: 2}") as site:
        await site.post("/webhook", webhook(*(firing(f"N{n}") for n in range(5))))
        found = figures((await site.get("/metrics")).body)
        by_name = {sample: value for sample, value in found.items() if sample.startswith("alertsage_alerts_by_name")}
        assert len(by_name) == 3
        assert next(value for sample, value in by_name.items() if "_other" in sample) == 3


async def test_what_a_sender_writes_cannot_break_the_metrics_page(site: Site) -> None:
    await site.post("/webhook", webhook(firing('a"} 1\nalertsage_up 1\\')))
    page = (await site.get("/metrics")).body
    assert b"\nalertsage_up 1" not in page
    assert (await site.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")).body.endswith(b"# EOF\n")
    assert not re.search(rb'[{,](instance|job)="', page)
