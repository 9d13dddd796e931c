"""Journeys of Sentry's webhooks, over HTTP: each timeline by its name, then what is read out of them."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.sentry import SECRET, event, hook, issue, legacy, post, signature
from tests.support import Site, serving


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """alertsage without configuration."""
    async with serving(tmp_path) as served:
        yield served


async def alerts(site: Site) -> list[dict[str, Any]]:
    """All alerts with their history, oldest first."""
    listed = (await site.get("/api/v1/alerts?limit=500")).json["alerts"]
    return [(await site.get(f"/api/v1/alerts/{one['id']}")).json for one in reversed(listed)]


async def only(site: Site) -> dict[str, Any]:
    """The one alert there is."""
    (alert,) = await alerts(site)
    return alert


def kinds(alert: dict[str, Any]) -> list[str]:
    """The audit trail in words."""
    return [change["kind"] for change in alert["changes"]]


# --- timelines ------------------------------------------------------------------------------------------------------


async def test_issue_created_then_event_alert_then_resolved_then_late_event(site: Site) -> None:
    now = time.time()
    await post(site, "issue", hook("created", issue=issue()), at=now - 60)
    await post(site, "event_alert", hook("triggered", event=event(happened=now - 60), triggered_rule="Page us"))
    alert = await only(site)
    assert (alert["status"], alert["notification_count"]) == ("active", 2)
    assert alert["impact"] == {"users": 2, "source": "Sentry: users seen by the issue"}
    assert alert["labels"]["environment"] == "production"
    assert alert["facts"]["frame"] == "shop/orders.py:88 in reserve"
    await post(site, "issue", hook("resolved", issue=issue(), resolution_type="in_next_release"), at=now - 10)
    late = await post(site, "event_alert", hook("triggered", event=event(happened=now - 30)))
    assert late.json["outcomes"] == {"stale": 1}
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("resolved", ["opened", "resolved"])
    assert (alert["changes"][1]["who"], alert["changes"][1]["why"]) == ("source:sentry (Ada)", "in next release")


async def test_resolved_then_regressed(site: Site) -> None:
    now = time.time()
    await post(site, "issue", hook("created", issue=issue()), at=now - 90)
    await post(site, "issue", hook("resolved", issue=issue()), at=now - 60)
    await post(site, "issue", hook("unresolved", issue=issue(substatus="regressed", count="61")), at=now - 30)
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("active", ["opened", "resolved", "reopened"])
    assert "regressed" in alert["changes"][2]["why"]
    assert alert["facts"]["error_count"] == 61


@pytest.mark.parametrize("word", ["ignored", "archived"])
async def test_ignored_then_escalating(site: Site, word: str) -> None:
    now = time.time()
    await post(site, "issue", hook("created", issue=issue()), at=now - 90)
    await post(site, "issue", hook(word, issue=issue(substatus="archived_until_escalating")), at=now - 60)
    assert (await only(site))["status"] == "suppressed"
    await post(site, "issue", hook("unresolved", issue=issue(substatus="escalating")), at=now - 30)
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("active", ["opened", "suppressed", "unsuppressed"])
    assert [change["why"] for change in alert["changes"]][1:] == [
        f"{word} in Sentry: archived until escalating",
        "escalating",
    ]


async def test_ignored_then_resolved_then_fired_again_is_told(site: Site) -> None:
    now = time.time()
    await post(site, "issue", hook("created", issue=issue()), at=now - 90)
    await post(site, "issue", hook("ignored", issue=issue()), at=now - 60)
    await post(site, "issue", hook("resolved", issue=issue()), at=now - 30)
    await post(site, "event_alert", hook("triggered", event=event(happened=now - 10)))
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("active", ["opened", "suppressed", "resolved", "reopened"])


def metric(action: str, said: str = "142 events in the last 1 hour", **fields: Any) -> dict[str, Any]:
    """A metric alert's body."""
    rule = {
        "id": "8",
        "name": "Checkout error rate",
        "aggregate": "count()",
        "query": "transaction:/checkout",
        "environment": "production",
        "threshold_type": 0,
        "triggers": [{"label": "critical", "alert_threshold": 100.0}, {"label": "warning", "alert_threshold": 75.0}],
    }
    alert = {"id": "31", "title": "x", "status": 2, "date_started": "2026-11-20T08:00:00Z", "date_closed": None}
    data = {"metric_alert": alert | {"alert_rule": rule, "projects": ["shop"]} | fields}
    return hook(action, **data, description_text=said, web_url="https://s.example.org/a/8/")


async def test_metric_warning_then_critical_then_resolved_is_one_alert(site: Site) -> None:
    await post(site, "metric_alert", metric("warning", "80 events in the last 1 hour"))
    assert ((await only(site))["priority"], (await only(site))["threshold"]) == ("medium", 75.0)
    await post(site, "metric_alert", metric("critical"))
    alert = await only(site)
    assert (alert["fingerprint"], alert["value"], alert["threshold"]) == ("metric:8", 142.0, 100.0)
    assert (alert["overage_percent"], alert["notification_count"]) == (42.0, 2)
    await post(site, "metric_alert", metric("resolved"))
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("resolved", ["opened", "escalated", "resolved"])


async def test_an_incident_begins_when_it_was_detected_not_where_the_rules_window_began(site: Site) -> None:
    """`date_started` of the second incident lies before the end of the first."""
    first = {"date_started": "2026-11-20T08:00:00Z", "date_detected": "2026-11-20T08:10:00Z"}
    second = {"date_started": "2026-11-20T08:20:00Z", "date_detected": "2026-11-20T08:31:00Z"}
    for action, number, dates in (
        ("critical", "31", first),
        ("resolved", "31", first | {"date_closed": "2026-11-20T08:30:00Z"}),
        ("critical", "32", second),
    ):
        body = metric(action)
        body["data"]["metric_alert"] |= {"id": number} | dates
        await post(site, "metric_alert", body)
    alert = await only(site)
    assert (alert["status"], kinds(alert)) == ("active", ["opened", "resolved", "reopened"])
    assert alert["started_at"] == "2026-11-20T08:31:00.000Z"


async def test_a_comment_takes_nothing_away_of_what_is_known_of_the_issue(site: Site) -> None:
    await post(site, "issue", hook("created", issue=issue(title="KeyError: release Shop@1.2")))
    before = await only(site)
    await post(site, "comment", hook("created", comment="hm", comment_id=5, issue_id=42, project_slug="shop"))
    after = await only(site)
    assert after["impact"] == before["impact"] == {"users": 2, "source": "Sentry: users seen by the issue"}
    assert (after["title"], after["facts"]) == (before["title"], before["facts"])


async def test_the_same_delivery_again_is_not_taken_in_again(site: Site) -> None:
    body = hook("triggered", event=event())
    first = await post(site, "event_alert", body, Idempotency_Key="abc")
    again = await post(site, "event_alert", body, at=time.time() + 300, Idempotency_Key="abc", Request_ID="other")
    assert (first.json["outcomes"], again.json["outcomes"]) == ({"opened": 1}, {"duplicate": 1})
    other = hook("triggered", event=event(happened=time.time() + 1))
    await post(site, "event_alert", other, Idempotency_Key="abd")
    assert (await only(site))["notification_count"] == 2


async def test_a_comment_told_twice_without_a_key_is_one_note(site: Site) -> None:
    await post(site, "issue", hook("created", issue=issue()))
    body = hook("created", comment="it is the deploy", comment_id=5, issue_id=42, project_slug="shop")
    assert (await post(site, "comment", body)).json["outcomes"] == {"noted": 1}
    assert (await post(site, "comment", body)).json["outcomes"] == {"duplicate": 1}
    assert (await only(site))["changes"][1]["why"] == "commented: it is the deploy"


@pytest.mark.parametrize("tags", [[["severity", "none"]], [["severity", "low"]], [["category", "business"]], []])
@pytest.mark.parametrize("level", [{}, {"level": None}])
async def test_an_applications_tags_do_not_judge_its_errors(
    site: Site, tags: list[list[str]], level: dict[str, Any]
) -> None:
    told = event(tags=tags, exception={"values": [{"type": "DatabaseError", "value": "gone"}]}) | level
    await post(site, "event_alert", hook("triggered", event=told))
    alert = await only(site)
    assert (alert["priority"], alert["category"]) == ("critical", "application")
    assert "alertsage_alerts{" in (page := (await site.get("/metrics")).body.decode())
    assert 'priority="critical",source="sentry",status="active"} 1.0' in page


async def test_an_assignment_that_tells_of_more_users_raises_the_priority(site: Site) -> None:
    await post(site, "issue", hook("created", issue=issue()))
    assert (await only(site))["priority"] == "medium"
    await post(site, "issue", hook("assigned", issue=issue(userCount=50), assignee={"type": "user", "name": "Bob"}))
    alert = await only(site)
    assert (alert["priority"], kinds(alert)) == ("critical", ["opened", "assigned", "escalated"])


async def test_ids_are_the_same_as_numbers_and_as_texts(site: Site) -> None:
    await post(site, "issue", hook("created", issue=issue(42)))
    await post(site, "event_alert", hook("triggered", event=event("42")))
    await post(site, "comment", hook("created", comment="x", comment_id=1, issue_id=42))
    assert (await only(site))["fingerprint"] == "issue:42"


# --- what else is said ----------------------------------------------------------------------------------------------


async def test_assignments_comments_and_findings_join_the_trail_and_open_nothing(site: Site) -> None:
    assignee = {"type": "team", "name": "checkout", "id": 1}
    remarks = [
        ("issue", hook("assigned", issue=issue(), assignee=assignee)),
        ("comment", hook("created", comment="hm", comment_id=1, issue_id=42)),
        ("seer", hook("root_cause_completed", group_id=42, run_id=1, root_cause={"description": "a null"})),
        ("activity_alert", hook("triggered", issue=issue(), activity={"type": "note"}, alert={"name": "W"})),
    ]
    for resource, body in remarks:
        assert (await post(site, resource, body)).json["outcomes"] == {"unknown": 1}
    assert await alerts(site) == []
    await post(site, "event_alert", hook("triggered", event=event()))
    for resource, body in remarks:
        await post(site, resource, body, Idempotency_Key=resource)
    alert = await only(site)
    assert kinds(alert) == ["opened", "assigned", "noted", "noted", "noted"]
    assert alert["status"] == "active"
    assert (alert["facts"]["assignee"], alert["facts"]["root_cause"]) == ("checkout", "a null")
    assert alert["facts"]["frame"] == "shop/orders.py:88 in reserve"  # what was known before is not lost


@pytest.mark.parametrize(
    ("resource", "body", "ignored"),
    [
        ("installation", hook("created", installation={"code": "f3c71b-planted"}), "installation"),
        ("preprod_artifact", hook("x", buildId=1), "preprod_artifact"),
        ("something_new", hook("x"), "other"),
        ("issue", hook("merged", issue=issue()), "issue.other"),
        ("seer", hook("root_cause_started", group_id=1, run_id=1), "seer.other"),
    ],
)
async def test_what_concerns_no_alert_is_answered_and_counted(
    site: Site, resource: str, body: dict[str, Any], ignored: str
) -> None:
    answer = await post(site, resource, body)
    assert (answer.status, answer.json["ignored"]) == (200, ignored)
    assert await alerts(site) == []
    page = (await site.get("/metrics")).body.decode()
    assert f'alertsage_ignored_webhooks_total{{event="{ignored}",source="sentry"}} 1.0' in page


async def test_saving_an_alert_rule_with_this_action_is_let_through(site: Site) -> None:
    answer = await post(site, None, {"fields": [{"name": "channel", "value": "#ops"}], "installationId": "a8e5"})
    assert (answer.status, list(answer.json)) == (200, ["message"])


async def test_what_cannot_be_read_is_kept_aside_and_answered_with_200(site: Site) -> None:
    answer = await post(site, "issue", hook("created", issue={"title": "no id"}))
    assert answer.status == 200
    assert "names no issue" in answer.json["quarantined"][0]["reason"]
    assert len((await site.get("/api/v1/quarantine")).json["quarantined"]) == 1


async def test_the_legacy_hook_tells_no_end_and_its_test_pages_nobody(site: Site) -> None:
    await post(site, None, legacy())
    await post(site, None, legacy("43", event=event("43", tags=[["sample_event", "yes"]])))
    real, test = await alerts(site)
    assert (real["fingerprint"], real["facts"]["rule"], real["priority"]) == ("issue:42", "Page us", "medium")
    assert (test["priority"], test["facts"]["test"]) == ("info", True)


async def test_a_setup_that_never_tells_ends_is_noticed(site: Site) -> None:
    for number in range(3):
        assert 'alertsage_source_never_resolves{source="sentry"} 1.0' not in (await site.get("/metrics")).body.decode()
        await post(site, "event_alert", hook("triggered", event=event(str(number))))
    assert 'alertsage_source_never_resolves{source="sentry"} 1.0' in (await site.get("/metrics")).body.decode()
    await post(site, "issue", hook("resolved", issue=issue("1")))
    assert 'alertsage_source_never_resolves{source="sentry"} 0.0' in (await site.get("/metrics")).body.decode()


# --- signatures -----------------------------------------------------------------------------------------------------

SIGNED = json.dumps(
    {
        "sources": {
            "sentry": {
                "kind": "sentry",
                "auth": {"signature": {"secrets": ["old", SECRET]}, "url_token": "t0ken"},
            }
        }
    }
)


@pytest.mark.parametrize("header", ["Sentry-Hook-Signature", "Sentry-App-Signature", "sentry-hook-signature"])
async def test_the_raw_bytes_are_what_is_signed(tmp_path: Path, header: str) -> None:
    body = json.dumps(hook("created", issue=issue(title="Grüße")), indent=1, ensure_ascii=False).encode()
    again = json.dumps(json.loads(body)).encode()
    flipped = body.replace(b"SHOP-1", b"SHOP-0")
    cases = [
        (body, signature(body), 200),
        (body, signature(body, "old"), 200),
        (body, signature(body).upper(), 200),
        (again, signature(body), 401),
        (flipped, signature(body), 401),
        (body, signature(body, "other"), 401),
        (body, "ä" * 64, 401),
        (body, "", 401),
    ]
    async with serving(tmp_path, SIGNED) as site:
        for sent, signed, status in cases:
            for address in ("/webhook/sentry", "/webhook"):
                answer = await site.post(address, sent, **{header: signed, "Sentry-Hook-Resource": "issue"})
                assert answer.status == status, (signed, address, answer.body)
        assert len(await alerts(site)) == 1


async def test_the_url_token_lets_the_legacy_hook_in_and_is_logged_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with serving(tmp_path, SIGNED) as site:
        body = json.dumps(legacy()).encode()
        assert (await site.post("/webhook/sentry", body)).status == 401
        assert (await site.post("/webhook/sentry?token=wrong", body)).status == 401
        assert (await site.post("/webhook/sentry?token=t0ken", body)).status == 200
        assert (await site.post("/webhook/sentry?token=t0ken", b"junk")).status == 400
    assert "t0ken" not in caplog.text
