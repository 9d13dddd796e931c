"""The HTTP surface of the real application: webhooks in, alerts out, health, and plain sentences for mistakes."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from receiver.web.routes import ROUTES
from receiver.web.table import Asks
from tests.servers import firing, resolved, webhook
from tests.support import Site, serving

GUARDED = (Asks.INTAKE, Asks.READ, Asks.ACT, Asks.ADMIN)
"""What asks for a token."""

REPO = Path(__file__).parent.parent
SECRETS = """
server: {token: t0p}
sources:
  prod: {auth: {bearer: s3cret}}
  open: {}
  graf-prod: {kind: grafana, auth: {bearer: s3cret}}
"""


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults."""
    async with serving(tmp_path) as served:
        yield served


# --- webhooks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/webhook", "/webhook/alertmanager", "/webhook/alertmanager/alertmanager"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_every_intake_address_takes_a_webhook_without_a_redirect(site: Site, path: str, slash: str) -> None:
    answer = await site.post(path + slash, webhook(firing("Down")))
    assert (answer.status, answer.json["received"]) == (200, 1)
    assert [alert["name"] for alert in (await site.get("/api/v1/alerts")).json["alerts"]] == ["Down"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/webhook", "/webhook/alertmanager", "/webhook/alertmanager/"])
async def test_an_intake_address_takes_only_post(site: Site, method: str, path: str) -> None:
    answer = await site.ask(method, path)
    assert answer.status == 405
    assert "POST" in answer.headers["Allow"]


async def test_an_alert_without_a_start_told_again_is_a_repeat(site: Site) -> None:
    body = {"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "N"}}]}
    outcomes = [(await site.post("/webhook", body)).json["outcomes"] for _ in range(3)]
    assert outcomes == [{"opened": 1}, {"duplicate": 1}, {"duplicate": 1}]
    over = {"version": "4", "alerts": [{"status": "resolved", "labels": {"alertname": "N"}}]}
    assert (await site.post("/webhook", over)).json["outcomes"] == {"resolved": 1}
    assert (await site.post("/webhook", body)).json["outcomes"] == {"reopened": 1}


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


async def test_a_webhook_of_which_nothing_can_be_read_is_400_and_kept_for_a_look_too(site: Site) -> None:
    bad = firing("A") | {"startsAt": "yesterday"}
    answer = await site.post("/webhook", webhook(*[bad] * 30))
    assert answer.status == 400
    kept = (await site.get("/api/v1/quarantine")).json["quarantined"]
    assert len(kept) == 10
    assert "yesterday" in kept[0]["reason"]


async def test_a_webhook_to_nowhere_is_counted_and_logged(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert (await site.post("/webhook/alertmanager/nobody", webhook(firing("A")))).status == 404
    page = (await site.get("/metrics")).body.decode()
    assert 'alertsage_refused_webhooks_total{reason="unknown_source",source="_unknown"} 1.0' in page
    assert "no source is configured for /webhook/alertmanager/nobody" in caplog.text


# --- credentials ----------------------------------------------------------------------------------------------------


async def test_each_route_asks_for_what_its_line_of_the_table_says(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        for route in ROUTES:
            name = "graf-prod" if "grafana" in route.path else "prod"
            path = route.path.format(kind="alertmanager", name=name, id=1, rule="disk-full")
            answer = await site.ask(route.method, path, b"{}")
            if route.asks is Asks.NOTHING:
                assert answer.status == 200, path
            elif path.endswith("prod") or route.asks in GUARDED:
                assert answer.status == 401, path
                assert "WWW-Authenticate" in answer.headers
            if route.asks in GUARDED and route.method == "GET":
                assert (await site.get(path, Authorization="Bearer t0p")).status in {200, 404}, path


async def test_a_source_is_let_in_by_its_own_secret_only(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        body, prod = webhook(firing("A")), "/webhook/alertmanager/prod"
        assert (await site.post(prod, body)).status == 401
        assert (await site.post(prod, body, Authorization="Bearer t0p")).status == 401
        assert (await site.post(prod, body, Authorization="Bearer s3cret")).status == 200
        assert (await site.post("/webhook/alertmanager/open", body)).status == 200


async def test_with_a_token_a_stranger_learns_no_names(tmp_path: Path) -> None:
    async with serving(tmp_path, SECRETS) as site:
        answer = await site.post("/webhook/alertmanager/nobody", webhook(firing("A")))
        assert answer.status == 404
        assert "prod" not in answer.json["detail"]


@pytest.mark.parametrize(
    ("auth", "offered"),
    [
        ("{bearer: a}", 'Bearer realm="alertsage"'),
        ("{basic: {username: u, password: p}}", 'Bearer realm="alertsage", Basic realm="alertsage"'),
    ],
)
async def test_what_a_401_offers_works_there(tmp_path: Path, auth: str, offered: str) -> None:
    async with serving(tmp_path, f"server: {{token: t0p}}\nsources: {{prod: {{auth: {auth}}}}}") as site:
        answer = await site.post("/webhook", webhook(firing("A")))
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, offered)
        assert (await site.get("/metrics")).headers["WWW-Authenticate"] == 'Bearer realm="alertsage"'


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


# --- the rest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/-/healthy", "/-/ready"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_health_answers_200_while_all_is_well(site: Site, method: str, path: str) -> None:
    assert (await site.ask(method, path)).status == 200


async def test_nowhere_is_404_with_a_sentence(site: Site) -> None:
    for path in ("/nowhere", "/api/v2/alerts", "/api/v1/alerts%2F1", "/api/v1/rules/%7Brule%7D"):
        answer = await site.get(path)
        assert answer.status == 404
        assert "GET /" in answer.json["detail"]


async def test_another_word_in_place_of_a_number_is_told_for_what_it_is(site: Site) -> None:
    for method, path, missing in (
        ("GET", "/api/v1/silences/mine", "there is no silence mine"),
        ("POST", "/api/v1/alerts/last/resolve", "there is no alert last"),
        ("DELETE", f"/api/v1/silences/{'9' * 99}x/", f"there is no silence {'9' * 40}"),
    ):
        answer = await site.ask(method, path)
        assert (answer.status, answer.json["detail"]) == (404, missing)
    assert (await site.get("/api/v1/silences/preview")).headers["Allow"] == "POST"


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
