"""Whatever Grafana's, Sentry's and other senders' webhooks hold: 2xx or 4xx, text stays data, links stay safe."""

import json
import shlex
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import VALUES, mutated, places
from tests.sentry import event, hook, issue, legacy
from tests.servers import Server, ask, running
from tests.support import Site, serving

METRIC = hook(
    "critical",
    metric_alert={
        "id": "1",
        "projects": ["shop"],
        "date_started": "2026-11-20T08:00:00Z",
        "alert_rule": {
            "id": "8",
            "name": "Errors",
            "aggregate": "count()",
            "threshold_type": 0,
            "triggers": [{"label": "critical", "alert_threshold": 1.0}],
        },
    },
    description_text="5 events",
    web_url="https://sentry.example.org/a/",
)
GRAFANA = {
    "version": "1",
    "orgId": 1,
    "title": "t",
    "state": "alerting",
    "status": "firing",
    "receiver": "ops",
    "groupLabels": {},
    "commonLabels": {},
    "commonAnnotations": {},
    "truncatedAlerts": 0,
    "externalURL": "https://grafana.example.org/",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DatasourceNoData", "rulename": "Orders", "instance": "a"},
            "annotations": {"summary": "s"},
            "startsAt": "2026-11-20T08:00:00+02:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://grafana.example.org/rule",
            "fingerprint": "0123456789abcdef",
            "silenceURL": "https://grafana.example.org/silence",
            "dashboardURL": "",
            "panelURL": "https://grafana.example.org/panel",
            "values": {"A": 1.5, "B": None},
            "valueString": "x",
            "imageURL": "https://grafana.example.org/image.png",
        },
        {"status": "resolved", "labels": {"alertname": "B"}, "startsAt": "2026-11-20T08:00:00Z"},
    ],
}
CONFIG = json.dumps(
    {
        "sources": {
            "grafana": {"kind": "grafana"},
            "sentry": {"kind": "sentry", "keep": ["vars", "data"]},
            "any": {
                "kind": "generic",
                "mapping": {
                    "alerts": "events",
                    "name": "what",
                    "title": "join(' ', [what, text])",
                    "message": "text",
                    "severity": {"path": "level", "map": {"p1": "critical"}, "default": "warning"},
                    "resolved": {"path": "state", "in": ["ok"]},
                    "starts_at": "since",
                    "users": "users",
                    "labels": {"host": "host", "region": {"body": "region"}},
                    "facts": {"all": "details"},
                    "links": {"Look": "url"},
                },
            },
            "worked": {
                "kind": "generic",
                "mapping": {
                    "alerts": "events[?users > `3`]",
                    "name": "what",
                    "title": "join(' ', [what, text])",
                    "severity": {"body": "max_by(events[?users], &users).level"},
                    "ignore": {"path": "contains(text, level)", "in": True},
                    "starts_at": "floor(since)",
                    "users": "ceil(avg([users, to_number(users)]))",
                    "labels": {"host": "reverse(host)"},
                    "facts": {"all": "merge(@, details)", "sum": {"body": "{users: sum(events[].users)}"}},
                },
            },
        }
    }
)
GENERIC = {
    "region": "eu",
    "events": [
        {
            "what": "Down",
            "text": "it is",
            "level": "p1",
            "state": "bad",
            "since": 1_790_000_000,
            "users": 5,
            "host": "h-1",
            "details": {"a": [1]},
            "url": "https://any.example.org/1",
        },
        {"what": "Up", "text": "it was", "state": "ok", "since": "2026-11-20T08:00:00Z"},
    ],
}
BODIES: dict[str, tuple[str, str, Any]] = {
    "issue": ("sentry", "issue", hook("created", issue=issue())),
    "ignored": ("sentry", "issue", hook("ignored", issue=issue())),
    "assigned": ("sentry", "issue", hook("assigned", issue=issue(), assignee={"type": "user", "name": "Bob"})),
    "event_alert": ("sentry", "event_alert", hook("triggered", event=event(), issue_alert={"title": "r"})),
    "metric_alert": ("sentry", "metric_alert", METRIC),
    "comment": ("sentry", "comment", hook("created", comment="c", comment_id=1, issue_id=42)),
    "seer": ("sentry", "seer", hook("root_cause_completed", group_id=42, run_id=1, root_cause={"description": "d"})),
    "activity": ("sentry", "activity_alert", hook("triggered", issue=issue(), activity={"type": "t", "details": {}})),
    "legacy": ("sentry", "", legacy()),
    "grafana": ("grafana", "", GRAFANA),
    "generic": ("generic/any", "", GENERIC),
    "worked": ("generic/worked", "", GENERIC),
}


def headers(resource: str) -> dict[str, str]:
    """What goes with the body."""
    return {"Sentry-Hook-Resource": resource} if resource else {}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real program."""
    with running(tmp_path_factory.mktemp("hostile"), CONFIG) as started:
        yield started


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application."""
    async with serving(tmp_path, CONFIG) as served:
        yield served


HUGE = 10**400
"""Valid JSON, and more than a floating-point number holds."""
NUMBERS = st.sampled_from([HUGE, -HUGE, 10**4299, 2**63, 5e-324, 1e308])
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", BODIES)
@UNHURRIED
@given(data=st.data())
def test_any_value_anywhere_is_2xx_or_4xx(server: Server, kind: str, data: st.DataObject) -> None:
    address, resource, body = BODIES[kind]
    values = VALUES | NUMBERS
    changes = data.draw(st.lists(st.tuples(st.sampled_from(list(places(body))), values), min_size=1, max_size=3))
    hostile = json.dumps(mutated(body, changes)).encode()
    status, answer = ask(f"{server.url}/webhook/{address}", hostile, headers(resource))
    assert 200 <= status < 500, answer
    status, page = server.get("/api/v1/alerts?limit=3")
    assert status == 200
    for alert in page["alerts"]:
        assert server.get(f"/api/v1/alerts/{alert['id']}")[0] == 200


ANY_TYPE: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    HUGE,
    -HUGE,
    1.5,
    1e308,
    5e-324,
    "",
    "text",
    [],
    [1],
    {},
    {"a": {"b": 1}},
]


@pytest.mark.parametrize("kind", BODIES)
async def test_a_field_of_any_wrong_type_is_2xx_or_4xx(site: Site, kind: str) -> None:
    address, resource, body = BODIES[kind]
    for path in places(body):
        for value in ANY_TYPE:
            hostile = json.dumps(mutated(body, [(path, value)])).encode()
            answer = await site.post(f"/webhook/{address}", hostile, **headers(resource))
            assert 200 <= answer.status < 500, (path, value, answer.body)
    assert (await site.get("/api/v1/alerts?limit=500")).status == 200


@pytest.mark.parametrize("limit", [HUGE, -HUGE, 1e308, 5e-324])
async def test_figures_of_any_size_are_shown_as_json(site: Site, limit: float) -> None:
    changes = [(("data", "metric_alert", "alert_rule", "triggers", 0, "alert_threshold"), limit)]
    await site.post("/webhook/sentry", mutated(METRIC, changes), **{"Sentry-Hook-Resource": "metric_alert"})
    for name in ("generic/any", "generic/worked"):
        await site.post(f"/webhook/{name}", mutated(GENERIC, [(("events", 0, "users"), limit)]))
    listed = (await site.get("/api/v1/alerts")).json["alerts"]
    assert listed
    for alert in listed:
        shown = await site.get(f"/api/v1/alerts/{alert['id']}")
        json.loads(shown.body, parse_constant=pytest.fail)


NASTY = "<script>alert(1)</script>{{7*7}}{%x%}'; DROP TABLE alert; --$(id)\u202e\x1b[31m"


def nastily(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Every free text replaced by a nasty one; what the form needs stays."""
    if isinstance(value, dict):
        return {key: nastily(item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [nastily(item, (*path, number)) for number, item in enumerate(value)]
    needed = {
        "action",
        "id",
        "issue_id",
        "status",
        "version",
        "state",
        "fingerprint",
        "type",
        "events",
        "what",
        "level",
    }
    if not isinstance(value, str) or path[-1] in needed or "At" in str(path[-1]) or "date" in str(path[-1]):
        return value
    if "url" in str(path[-1]).lower() or "link" in str(path[-1]):
        return "javascript:alert(1)//" + value
    return NASTY


@pytest.mark.parametrize("kind", [kind for kind in BODIES if kind not in ("comment", "seer")])
async def test_nasty_text_is_stored_as_it_is_and_unsafe_links_are_dropped(site: Site, kind: str) -> None:
    address, resource, body = BODIES[kind]
    if kind in ("assigned", "activity"):
        await site.post("/webhook/sentry", hook("created", issue=issue()), **{"Sentry-Hook-Resource": "issue"})
    answer = await site.post(f"/webhook/{address}", nastily(deepcopy(body)), **headers(resource))
    assert answer.status == 200, answer.body
    listed = (await site.get("/api/v1/alerts")).json["alerts"]
    assert listed
    whole = [(await site.get(f"/api/v1/alerts/{alert['id']}")).json for alert in listed]
    assert "DROP TABLE alert" in json.dumps(whole)
    for alert in whole:
        assert not [link for link in alert["links"] if not link["url"].startswith(("http://", "https://", "mailto:"))]
        for said in alert["recommendations"]:
            assert said["link"] is None or said["link"].startswith(("http://", "https://"))
            # quoted for the shell: it is one word, whatever is in it
            words = shlex.split(said["command"] or "")
            assert all("DROP TABLE alert; --$(id)" in word for word in words if "$(id)" in word)
    assert "49" not in whole[0]["title"]


@pytest.mark.parametrize("scheme", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil/x", "x"])
async def test_only_safe_schemes_make_links(site: Site, scheme: str) -> None:
    hostile = mutated(GENERIC, [(("events", 0, "url"), scheme)])
    await site.post("/webhook/generic/any", hostile)
    listed = (await site.get("/api/v1/alerts?alertname=Down")).json["alerts"]
    assert listed[0]["links"] == []
    good = mutated(GENERIC, [(("events", 0, "url"), "mailto:ops@example.org")])
    await site.post("/webhook/generic/any", good)
    listed = (await site.get("/api/v1/alerts?alertname=Down")).json["alerts"]
    assert listed[0]["links"] == [{"title": "Look", "url": "mailto:ops@example.org"}]


LIMITED = "limits: {alerts: 3, wire_size: 4KiB}"


@pytest.mark.parametrize("address", ["/webhook/grafana", "/webhook/sentry", "/webhook"])
@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"5", 400), (b"null", 400), (b"\xff", 400), (b"[" * 5000, 413), (b"[" * 2000, 400)],
)
async def test_what_is_no_webhook_is_refused_in_words(tmp_path: Path, address: str, body: bytes, status: int) -> None:
    async with serving(tmp_path, LIMITED) as served:
        answer = await served.post(address, body)
        assert answer.status == status
        assert 10 < len(answer.json["detail"]) < 500
