"""The HTTP surface of the real application: webhooks in, alerts out, health, and plain sentences for mistakes."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from receiver.web.routes import ROUTES, Asks
from tests.servers import firing, resolved, webhook
from tests.support import Site, serving

REPO = Path(__file__).parent.parent
SECRETS = """
server: {token: t0p}
sources:
  prod: {auth: {bearer: s3cret}}
  open: {}
"""


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


# --- webhooks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/webhook", "/webhook/alertmanager", "/webhook/alertmanager/alertmanager"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_intake_address_takes_a_webhook_without_a_redirect(site: Site, path: str, slash: str) -> None:
    answer = await site.post(path + slash, webhook(firing("Down")))
    assert (answer.status, answer.json["received"]) == (200, 1)
    assert await listed(site) == ["Down"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/webhook", "/webhook/alertmanager", "/webhook/alertmanager/"])
async def test_an_intake_address_takes_only_post(site: Site, method: str, path: str) -> None:
    answer = await site.ask(method, path)
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


async def test_the_answer_tells_what_became_of_each_alert(site: Site) -> None:
    first = firing("A")
    body = webhook(first, firing("B"), {"status": "odd"}) | {"truncatedAlerts": 2}
    answer = (await site.post("/webhook", body)).json
    assert answer["received"] == 3
    assert answer["truncated"] == 2
    assert answer["outcomes"] == {"opened": 2}
    (bad,) = answer["quarantined"]
    assert bad["index"] == 2
    assert "odd" in bad["reason"]
    again = (await site.post("/webhook", webhook(first, resolved(firing("B"), "2026-11-23T07:00:00Z")))).json
    assert again["outcomes"] == {"duplicate": 1, "resolved": 1}


async def test_an_unknown_source_is_told_which_there_are(tmp_path: Path) -> None:
    async with serving(tmp_path, "sources: {eu: {}, us: {}}") as site:
        for path in ("/webhook", "/webhook/alertmanager", "/webhook/alertmanager/asia", "/webhook/grafana/eu"):
            answer = await site.post(path, webhook(firing("A")))
            assert answer.status == 404, path
            assert "/webhook/alertmanager/eu" in answer.json["detail"]
        assert (await site.post("/webhook/alertmanager/us", webhook(firing("A")))).status == 200
        assert [alert["source"] for alert in (await site.get("/api/v1/alerts")).json["alerts"]] == ["us"]


async def test_one_source_of_its_kind_needs_no_name(tmp_path: Path) -> None:
    async with serving(tmp_path, "sources: {prod: {}}") as site:
        assert (await site.post("/webhook", webhook(firing("A")))).status == 200


async def test_what_could_not_be_read_is_kept_for_a_look(site: Site) -> None:
    await site.post("/webhook", webhook(firing("A"), firing("B") | {"startsAt": "soon"}))
    (kept,) = (await site.get("/api/v1/quarantine")).json["quarantined"]
    assert "startsAt" in kept["reason"]
    assert json.loads(kept["excerpt"])["startsAt"] == "soon"
    assert kept["source"] == "alertmanager"


# --- credentials ----------------------------------------------------------------------------------------------------


async def test_each_route_asks_for_what_its_line_of_the_table_says(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        for route in ROUTES:
            path = route.path.replace("{kind}", "alertmanager").replace("{name}", "prod").replace("{id}", "1")
            answer = await site.ask(route.method, path, b"{}")
            if route.asks is Asks.NOTHING:
                assert answer.status == 200, path
            elif path.endswith("prod") or route.asks is Asks.TOKEN:
                assert answer.status == 401, path
                assert "WWW-Authenticate" in answer.headers
            if route.asks is Asks.TOKEN and route.method == "GET":
                assert (await site.get(path, Authorization="Bearer t0p")).status in {200, 404}, path


async def test_a_source_is_let_in_by_its_own_secret_only(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        body, prod = webhook(firing("A")), "/webhook/alertmanager/prod"
        assert (await site.post(prod, body)).status == 401
        assert (await site.post(prod, body, Authorization="Bearer t0p")).status == 401
        assert (await site.post(prod, body, Authorization="Bearer s3cret")).status == 200
        assert (await site.post("/webhook/alertmanager/open", body)).status == 200


async def test_a_wrong_secret_is_refused_before_the_body_is_sent(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        url = f"http://127.0.0.1:{site.port}/webhook/alertmanager/prod"

        async def never() -> AsyncIterator[bytes]:
            yield b"{"
            pytest.fail("the body was read")

        headers = {"Expect": "100-continue", "Content-Length": "2"}
        async with site.client.post(url, data=never(), headers=headers) as answer:
            assert answer.status == 401


@pytest.mark.parametrize("path", ["/", "/metrics", "/api/v1/alerts", "/api/v1/quarantine"])
async def test_pages_of_other_sites_and_other_names_are_refused(site: Site, path: str) -> None:
    assert (await site.get(path)).status == 200
    assert (await site.get(path, Host="evil.example.org")).status == 403
    assert (await site.get(path, Origin="https://evil.example.org")).status == 403
    assert (await site.get("/healthz", Host="evil.example.org")).status == 200


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


# --- the rest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/-/healthy", "/-/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_health_answers_200_while_all_is_well(site: Site, method: str, path: str) -> None:
    assert (await site.ask(method, path)).status == 200


async def test_nowhere_is_404_with_a_sentence(site: Site) -> None:
    assert "GET /" in await detail(site, "/nowhere", 404)
    assert "GET /" in await detail(site, "/api/v2/alerts", 404)


async def test_the_index_names_every_route(site: Site) -> None:
    text = (await site.get("/")).body.decode()
    assert all(route.path in text for route in ROUTES)


async def test_a_reload_takes_a_new_configuration_and_keeps_the_old_one_when_it_is_bad(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        (tmp_path / "config.yaml").write_text("sources: {fresh: {}}")
        assert (await site.post("/-/reload", b"")).status == 200
        assert (await site.post("/webhook/alertmanager/fresh", webhook(firing("A")))).status == 200
        (tmp_path / "config.yaml").write_text("sources: {bad: {expire_after: 45x}}")
        answer = await site.post("/-/reload", b"")
        assert answer.status == 400
        assert "45x" in answer.json["detail"]
        assert (await site.post("/webhook/alertmanager/fresh", webhook(firing("A")))).status == 200


def test_every_route_is_documented() -> None:
    text = "\n".join(page.read_text() for page in [*REPO.glob("docs/*.md"), *REPO.glob("README.md")])
    for route in ROUTES:
        assert f"`{route.method} {route.path}`" in text, f"{route.method} {route.path} is in no page of docs/"


async def test_every_metric_is_documented(site: Site) -> None:
    page = (await site.get("/metrics")).body.decode()
    exposed = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    text = (REPO / "docs/api.md").read_text()
    documented = set(re.findall(r"^\| `(alertsage_\w+)`", text, re.MULTILINE))
    assert {name for name in exposed if not name.endswith("_created")} == documented


def figures(page: bytes) -> dict[str, float]:
    """Every sample of a metrics page by name and labels."""
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in page.decode().splitlines()
        if line and not line.startswith("#")
    }


async def test_metrics_count_what_is_stored_and_what_came(stored: Site) -> None:
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
