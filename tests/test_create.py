"""POST /api/v1/alerts and its forms: what is made of them, what counts, what is refused, what outlives an outage."""

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from receiver.domain.forms import FORMS, PLAIN, make
from receiver.web.forms_create import EXAMPLES, POSTED
from tests.servers import ask, running
from tests.support import Answer, Site, serving

CPU = {"metric_name": "cpu_percent", "current_value": 92, "threshold_value": 80, "resource": "web-server-01"}
SLOW = EXAMPLES[PLAIN]


async def tell(site: Site, form: str, body: Any, **headers: str) -> Answer:
    """Post to a form."""
    path = "/api/v1/alerts" if form == PLAIN else f"/api/v1/alerts/{form}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await site.post(path, body, **{"Content-Type": "application/json"} | named)


def test_every_form_has_its_parameters_and_an_example() -> None:
    assert set(FORMS) == set(POSTED) == set(EXAMPLES)


async def test_the_owners_first_example(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        answer = await tell(site, "system", CPU)
        alert = answer.json
        assert (answer.status, answer.headers["Location"]) == (201, f"/api/v1/alerts/{alert['id']}")
        assert alert["title"] == "High CPU Usage - web-server-01"
        assert alert["message"] == "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"
        assert (alert["priority"], alert["category"], alert["source"]) == ("high", "system", "api")
        assert "web-server-01" in alert["recommendations"][0]["command"]
        assert (await tell(site, "system", CPU | {"current_value": 95})).json["priority"] == "critical"
        # the priority of an open alert only rises
        assert (await tell(site, "system", CPU | {"current_value": 81})).json["priority"] == "critical"


TOLD = [
    ("system", CPU | {"current_value": 121}, "High CPU Usage - web-server-01", "critical", "system"),
    (
        "system",
        {"metric_name": "disk_free_percent", "current_value": 4, "threshold_value": 10, "resource": "db-1"},
        "Low Disk Free - db-1",
        "critical",
        "system",
    ),
    ("performance", EXAMPLES["performance"], "High API Response Time (P95) - /api/bookings", "high", "performance"),
    ("business", EXAMPLES["business"], "Low Bookings Per Hour - booking site", "high", "business"),
    ("application-error", EXAMPLES["application-error"], "StripeAPIError in booking_service", "medium", "application"),
    (
        "application-error",
        {"error_type": "DatabaseError", "source": "shop"},
        "DatabaseError in shop",
        "critical",
        "application",
    ),
    (
        "application-error",
        {"error_type": "KeyError", "source": "shop", "affected_users": 11},
        "KeyError in shop",
        "critical",
        "application",
    ),
    (
        "application-error",
        {"error_type": "KeyError", "source": "shop", "error_count": 6},
        "KeyError in shop",
        "high",
        "application",
    ),
    ("security", EXAMPLES["security"], "Failed Logins - admin login", "critical", "security"),
    ("security", {"event_type": "brute_force", "resource": "ssh"}, "Brute Force - ssh", "high", "security"),
    # fewer attempts than the threshold are no worse than many
    (
        "security",
        {"event_type": "brute_force", "resource": "ssh", "attempts": 3, "threshold_value": 200},
        "Brute Force - ssh",
        "medium",
        "security",
    ),
    ("availability", EXAMPLES["availability"], "PostgreSQL on db-01 is down", "critical", "availability"),
    (PLAIN, SLOW, "Slow Database Query on Bookings Table", "high", "database"),
    (PLAIN, {"type": "x", "title": "Something"}, "Something", "medium", "application"),
    ("system", CPU | {"title": "Mine", "priority": "low", "category": "business"}, "Mine", "low", "business"),
]


@pytest.mark.parametrize(("form", "body", "title", "priority", "category"), TOLD)
@pytest.mark.only("sqlite")
async def test_what_a_form_makes(
    tmp_path: Path, *, form: str, body: Any, title: str, priority: str, category: str
) -> None:
    async with serving(tmp_path) as site:
        answer = await tell(site, form, body)
        alert = answer.json
        assert answer.status == 201, alert
        assert (alert["title"], alert["priority"], alert["category"]) == (title, priority, category)
        assert alert["recommendations"]
        assert alert == next(iter((await site.get("/api/v1/alerts")).json["alerts"])) | {
            name: alert[name] for name in ("enrichers",)
        }


SCAN = {"event_type": "scan", "resource": "a", "attempts": 1234567, "threshold_value": 10.0}


@pytest.mark.parametrize(
    ("form", "given", "message"),
    [
        ("system", CPU | {"message": "mine"}, "mine"),
        ("availability", {"resource": "db"}, "db does not answer"),
        ("availability", {"resource": "db", "endpoint": "tcp:5432"}, "db does not answer at tcp:5432"),
        ("security", {"event_type": "scan", "resource": "a", "attempts": 3}, "3 attempts"),
        ("security", {"event_type": "scan", "resource": "a", "attempts": 3, "source_ip": "::1"}, "3 attempts from ::1"),
        ("security", {"event_type": "scan", "resource": "a"}, None),
        ("security", SCAN | {"source_ip": "::1"}, "1234567 attempts from ::1 (threshold: 10)"),
        ("security", SCAN, "1234567 attempts (threshold: 10)"),
        ("security", SCAN | {"description": "from one net, by turns"}, "from one net, by turns"),
        # what was given is never a template
        ("availability", {"resource": "{side}", "error_message": "{resource}"}, "{resource}"),
    ],
)
def test_messages_say_what_is_known(form: str, given: Any, message: str | None) -> None:
    assert make(FORMS[form], given).said.message == message


@pytest.mark.parametrize("value", [80, 70])
@pytest.mark.only("sqlite")
async def test_what_is_within_the_limit_is_not_said_to_exceed_it(tmp_path: Path, value: int) -> None:
    async with serving(tmp_path) as site:
        alert = (await tell(site, "system", CPU | {"current_value": value, "direction": "above"})).json
        assert alert["message"] == f"CPU is at {value}% (threshold: 80%)"


async def test_what_was_told_is_shown(tmp_path: Path) -> None:
    told = SLOW | {
        "notification_channels": ["slack", "email"],
        "labels": {"team": "data"},
        "links": {"Dashboard": "https://grafana.example.org/d/1", "No": "javascript:alert(1)"},
        "recommendations": ["first", "second"],
        "started_at": "2026-11-20T08:00:00+01:00",
    }
    async with serving(tmp_path) as site:
        answer = await tell(site, PLAIN, told)
        for alert in (
            answer.json,
            (await site.get(f"/api/v1/alerts/{answer.json['id']}")).json,
            (await site.get("/api/v1/alerts?label.team=data")).json["alerts"][0],
        ):
            assert alert["metadata"] == SLOW["metadata"]
            assert (alert["related_logs"], alert["notification_channels"]) == (SLOW["related_logs"], ["slack", "email"])
            assert alert["labels"] == {"alertname": SLOW["type"], "resource": SLOW["resource"], "team": "data"}
            assert [link["title"] for link in alert["links"]] == ["Dashboard"]
            assert [one["text"] for one in alert["recommendations"]][:2] == ["first", "second"]
            assert len(alert["recommendations"]) > 2
            assert alert["provenance"]["recommendations"][:3] == ["sender", "sender", "recommendations"]
            assert alert["impact"] == {"users": 15, "source": "source:api"}
            assert alert["started_at"] == "2026-11-20T07:00:00.000Z"
        changes = (await site.get(f"/api/v1/alerts/{answer.json['id']}")).json["changes"]
        assert [(one["kind"], one["who"], one["via"]) for one in changes] == [("opened", "source:api", "api")]


async def test_sixty_posts_in_an_hour_are_one_alert(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        answers = await asyncio.gather(*[tell(site, "system", CPU | {"current_value": 80 + n}) for n in range(60)])
        assert sorted(answer.status for answer in answers) == [200] * 59 + [201]
        (alert,) = (await site.get("/api/v1/alerts")).json["alerts"]
        assert alert["notification_count"] == 60
        other = await tell(site, "system", CPU | {"resource": "web-server-02"})
        assert (other.status, other.json["notification_count"]) == (201, 1)


async def test_after_the_window_a_new_alert_names_the_first(tmp_path: Path) -> None:
    config = json.dumps({"lifecycle": {"late_within": "100ms", "reopen_within": "1s"}})
    async with serving(tmp_path, config) as site:
        first = (await tell(site, "system", CPU)).json
        await asyncio.sleep(1.1)
        second = await tell(site, "system", CPU)
        assert (second.status, second.json["predecessor"]) == (201, first["id"])
        assert (second.json["notification_count"], second.json["id"] == first["id"]) == (1, False)
        assert (await site.get(f"/api/v1/alerts/{first['id']}")).json["status"] == "expired"


async def test_it_expires_after_an_hour_unless_set(tmp_path: Path) -> None:
    async with serving(tmp_path, json.dumps({"sources": {"api": {"expire_after": "2h"}, "sentry": {}}})) as site:
        assert (await tell(site, "system", CPU)).status == 201
        assert (await site.post("/webhook/api", CPU)).status == 404
        assert (await site.post("/webhook/api/api", CPU)).status == 404


async def test_a_repeated_key_answers_with_the_same_alert(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        first = await tell(site, "system", CPU, Idempotency_Key="k-1")
        again = await tell(site, "system", CPU, Idempotency_Key="k-1")
        assert (first.status, again.status) == (201, 200)
        assert (again.json["id"], again.json["notification_count"]) == (first.json["id"], 1)
        other = await tell(site, "system", CPU | {"current_value": 93}, Idempotency_Key="k-1")
        assert (other.status, "Idempotency-Key" in other.json["detail"]) == (422, True)
        form = await tell(site, "performance", CPU, Idempotency_Key="k-1")
        assert form.status == 422
        assert (await tell(site, "system", CPU, Idempotency_Key="k-2")).json["notification_count"] == 2
        assert (await tell(site, "system", CPU, Idempotency_Key="k" * 1001)).status == 400
        assert (await tell(site, "system", CPU, Idempotency_Key="é" * 300)).json["notification_count"] == 3
        assert (await tell(site, "system", CPU, Idempotency_Key="é" * 300)).json["notification_count"] == 3


async def test_one_key_at_once_counts_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        answers = await asyncio.gather(*[tell(site, "system", CPU, Idempotency_Key="k") for _ in range(20)])
        assert {(answer.json["id"], answer.json["notification_count"]) for answer in answers} == {(1, 1)}
        answers = await asyncio.gather(
            *[tell(site, "system", CPU | {"resource": str(n)}, Idempotency_Key="other") for n in range(20)]
        )
        assert sorted(answer.status for answer in answers) == [201] + [422] * 19
        assert len((await site.get("/api/v1/alerts")).json["alerts"]) == 2


async def test_a_key_is_known_after_a_kill(tmp_path: Path) -> None:
    headers = {"Idempotency-Key": "once"}
    with running(tmp_path) as server:
        status, first = ask(f"{server.url}/api/v1/alerts/system", json.dumps(CPU).encode(), headers)
        assert status == 201
        server.kill()
    with running(tmp_path) as server:
        status, again = ask(f"{server.url}/api/v1/alerts/system", json.dumps(CPU).encode(), headers)
        assert (status, again["id"], again["notification_count"]) == (200, first["id"], 1)
        status, _ = ask(f"{server.url}/api/v1/alerts/system", json.dumps(SLOW).encode(), headers)
        assert status == 422


BAD = [
    ("system", {}, "metric_name: is missing"),
    ("system", CPU | {"current_value": "92"}, "current_value: must be a number"),
    ("system", CPU | {"current_value": float("nan")}, "current_value: must be a finite number"),
    ("system", CPU | {"resource": ""}, "resource: "),
    ("system", CPU | {"metric_name": " "}, "metric_name: "),
    ("system", CPU | {"colour": "red"}, "colour: is not known here"),
    ("system", CPU | {"priority": "urgent"}, "priority: "),
    ("system", CPU | {"affected_users": -1}, "affected_users: "),
    ("system", CPU | {"labels": {"alertname": "x"}}, "labels: "),
    ("system", CPU | {"labels": {"a": 1}}, "labels.a: "),
    ("system", CPU | {"started_at": "2026-11-20T08:00:00"}, "started_at: "),
    ("system", CPU | {"direction": "equal"}, "direction: "),
    ("system", [], ""),
    (PLAIN, {"title": "x"}, "type: is missing"),
    (PLAIN, {"type": "x", "title": ""}, "title: "),
]


@pytest.mark.parametrize(("form", "body", "detail"), BAD)
@pytest.mark.only("sqlite")
async def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, form: str, body: Any, detail: str) -> None:
    async with serving(tmp_path) as site:
        answer = await tell(site, form, body)
        assert (answer.status, answer.headers["Content-Type"]) == (422, "application/problem+json")
        assert answer.json["detail"].startswith(detail)
        assert (await site.get("/api/v1/alerts")).json["alerts"] == []


async def test_half_characters_and_nul_lose_no_alert(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        told = b'{"type": "x", "title": "a\\ud83d", "message": "b\\u0000", "metadata": {"\\udcff": ["\\u0000"]}}'
        for body in (told, b"\xef\xbb\xbf" + told):
            assert (await tell(site, PLAIN, body)).status in (200, 201)
        alert = (await site.get("/api/v1/alerts/1")).json
        assert (alert["title"], alert["message"], alert["notification_count"]) == ("a\ufffd", "b\ufffd", 2)
        assert alert["metadata"]["\ufffd"] == ["\ufffd"]


@pytest.mark.only("sqlite")
async def test_no_json_and_other_types_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        assert (await tell(site, PLAIN, b"{")).status == 400
        assert (await tell(site, PLAIN, b"")).status == 422
        assert (await site.post("/api/v1/alerts", SLOW, **{"Content-Type": "text/plain"})).status == 415
        deep = b'{"type": "x", "title": "x", "metadata": {"a": ' + b"[" * 150 + b"]" * 150 + b"}}"
        assert (await tell(site, PLAIN, deep)).status == 400


async def test_what_is_huge_or_odd_is_cut_and_kept(tmp_path: Path) -> None:
    huge = {
        "error_type": "E" * 5000,
        "error_message": "m" * 100_000,
        "source": "s" * 100_000,
        "stack_trace": "x\n" * 500_000 + '  File "shop/pay.py", line 40, in charge\nKeyError',
        "metadata": {"big": "b" * 1_000_000, "small": 1, "metrics": [1], "test": True, "a\u0000b": "nul\u0000"},
        "recommendations": [f"do {n}" * 1000 for n in range(100)],
        "notification_channels": ["c" * 1000] * 100,
        "labels": {f"l{n}": "v" * 20_000 for n in range(500)},
        "related_logs": "l" * 100_000,
        "title": "t" * 100_000,
    }
    async with serving(tmp_path) as site:
        answer = await tell(site, "application-error", huge)
        assert answer.status == 201
        alert = (await site.get("/api/v1/alerts/1")).json
        assert alert["metadata"]["small"] == 1
        assert "big" in alert["metadata"]["left_out"]
        assert alert["facts"]["frame"] == "shop/pay.py:40 in charge"
        assert alert["facts"].keys() & {"metrics", "test"} == set()
        assert (len(alert["labels"]), len(alert["title"])) == (250, 500)
        assert alert["priority"] == "medium"
        assert len(alert["recommendations"]) < 30
        assert len(json.dumps(alert["raw"] | {"labels": {}})) < 150_000


async def test_secrets_are_taken_out(tmp_path: Path) -> None:
    canary = "c4n4ry-hunter2"
    told = SLOW | {
        "metadata": {"password": canary, "dsn": f"postgres://u:{canary}@db/x"},
        "message": f"login failed: password={canary}",
        "recommendations": [f"curl -H 'Authorization: Bearer {canary}' x"],
    }
    async with serving(tmp_path) as site:
        answer = await tell(site, PLAIN, told)
        assert answer.status == 201
        assert canary not in answer.body.decode()
        assert canary not in (await site.get("/api/v1/alerts/1")).body.decode()
        assert "[redacted]" in answer.body.decode()


@pytest.mark.only("sqlite")
async def test_while_the_database_is_away_it_is_kept_on_the_disk(tmp_path: Path) -> None:
    async with serving(tmp_path, json.dumps({"database": {"busy_timeout": "10ms"}})) as site:
        assert (await tell(site, PLAIN, SLOW)).status == 201
        other = sqlite3.connect(next(tmp_path.glob("*.db")), isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        answer = await tell(site, "system", CPU, Idempotency_Key="k")
        assert (answer.status, answer.json["id"]) == (202, None)
        other.execute("ROLLBACK")
        other.close()
        async with asyncio.timeout(10):
            while len((await site.get("/api/v1/alerts")).json["alerts"]) < 2:
                await asyncio.sleep(0.05)
            again = await tell(site, "system", CPU, Idempotency_Key="k")
        assert (again.status, again.json["notification_count"]) == (200, 1)
        assert (await tell(site, "system", SLOW, Idempotency_Key="k")).status == 422


async def test_it_asks_for_a_token(tmp_path: Path) -> None:
    async with serving(tmp_path, json.dumps({"server": {"token": "s3cret"}})) as site:
        assert (await tell(site, "system", CPU)).status == 401
        assert (await tell(site, "system", CPU, Authorization="Bearer s3cret")).status == 201


@pytest.mark.only("sqlite")
async def test_it_is_counted_like_a_source(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        await tell(site, "system", CPU)
        await tell(site, "system", CPU | {"current_value": "x"})
        metrics = (await site.get("/metrics")).body.decode()
        assert 'alertsage_sightings_total{outcome="opened",source="api"} 1.0' in metrics
        assert 'alertsage_refused_webhooks_total{reason="invalid",source="api"} 1.0' in metrics
