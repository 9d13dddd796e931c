"""Secrets that senders write into their webhooks are found nowhere afterwards."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from receiver.sources import SourceContext
from receiver.sources.reading import without_secrets
from tests import engines
from tests.sentry import event, hook
from tests.servers import Server, ask, firing, running, webhook

CONFIG = json.dumps(
    {
        "log": {"level": "debug"},
        "redact": {"patterns": ["acct-[a-z0-9]+"], "keys": ["national_number"]},
        "sources": {
            "alertmanager": {},
            "grafana": {"kind": "grafana"},
            "sentry": {"kind": "sentry", "auth": {"url_token": "planted-url-token"}},
            "keeping": {"kind": "sentry", "keep": ["vars", "headers", "cookies", "data", "env"]},
            "any": {"kind": "generic", "mapping": {"name": "name", "message": "text", "facts": {"all": "details"}}},
        },
    }
)
PLANTED = "planted"
TEXT = (
    "https://bob:planted-userinfo@host/x failed, password=planted-assigned, Authorization: Bearer planted-bearer,"
    " see acct-planted1 and ?token=planted-parameter"
)


def sentry_event() -> dict[str, Any]:
    """An event with a secret wherever they are found."""
    frames = [
        {
            "filename": "a.py",
            "lineno": 1,
            "in_app": True,
            "vars": {"api_token": "'planted-in-vars'", "url": "'https://u:planted-var-url@h/'"},
            "context_line": "connect(password='planted-in-code')",
            "pre_context": ["login('planted-before')"],
        }
    ]
    return event(
        message=TEXT,
        title="E: password=planted-title",
        tags=[["token", "planted-tag"], ["url", "https://h/?access_token=planted-tag-url"]],
        user={"id": "1", "national_number": "planted-number", "email": "ada@example.org"},
        request={
            "url": "https://u:planted-request-url@h/?token=planted-query",
            "query_string": [["api_key", "planted-pair"]],
            "headers": [["Authorization", "Bearer planted-header"], ["Cookie", "sid=planted-cookie-header"]],
            "cookies": [["session", "planted-cookie"]],
            "data": {"password": "planted-data"},
            "env": {"DB_PASSWORD": "planted-env"},
        },
        extra={"aws": {"secret_access_key": "planted-extra"}},
        contexts={
            "state": {"Authorization": "planted-context"},
            "response": {
                "headers": {"set-cookie": "planted-response"},
                "cookies": "planted",
                "data": {"pass": "planted"},
            },
        },
        exception={"values": [{"type": "E", "value": TEXT, "stacktrace": {"frames": frames}}]},
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """The real program, logging all it can."""
    with running(tmp_path, CONFIG) as started:
        yield started


def test_what_senders_wrote_in_secret_is_found_nowhere(server: Server, tmp_path: Path) -> None:
    alert = firing("A", annotations={"summary": TEXT, "description": f'{{"password": "planted-json"}} {TEXT}'}) | {
        "generatorURL": "http://u:planted-generator@p/graph?g0.expr=up"
    }
    bad = {"status": "odd", "labels": {"password": "planted-quarantined"}, "x": TEXT}
    posts: list[tuple[str, Any, dict[str, str]]] = [
        ("alertmanager", webhook(alert, bad), {}),
        ("grafana", webhook(alert) | {"version": "1", "orgId": 1, "message": TEXT}, {}),
        (
            "sentry?token=planted-url-token",
            hook("triggered", event=sentry_event()),
            {"Sentry-Hook-Resource": "event_alert"},
        ),
        ("sentry/keeping", hook("triggered", event=sentry_event()), {"Sentry-Hook-Resource": "event_alert"}),
        ("sentry?token=planted-url-token", hook("created", installation={"code": "planted-code"}), {}),
        ("generic/any", {"name": "A", "text": TEXT, "details": {"apiKey": "planted-fact", "list": [TEXT]}}, {}),
        ("generic/any", {"text": TEXT}, {}),
        ("sentry", hook("triggered", event=sentry_event()), {"Sentry-Hook-Signature": "planted-signature"}),
    ]
    for address, body, headers in posts:
        ask(f"{server.url}/webhook/{address}", json.dumps(body).encode(), headers)
    listed = server.get("/api/v1/alerts?limit=500")[1]["alerts"]
    assert len(listed) == 5
    shown = [server.get(f"/api/v1/alerts/{one['id']}")[1] for one in listed]
    shown += [listed, server.get("/api/v1/quarantine")[1], server.get("/metrics")[1]]
    assert "[redacted]" in str(shown)
    assert "ada@example.org" in str(shown)
    assert PLANTED not in str(shown)
    assert server.stop() == 0
    if engines.Current.name == engines.POSTGRES:
        assert PLANTED not in str(engines.everything(engines.address(tmp_path)))
    for file in [*tmp_path.glob("alertsage.db*"), server.log]:
        if file.is_file():
            assert PLANTED.encode() not in file.read_bytes(), file.name


BARE = {
    "contexts": {
        "response": {"status_code": 500, "headers": {"X": "planted"}, "cookies": "planted", "data": "planted"},
        "deep": {"er": [{"Vars": {"a": "planted"}, "n": 1}, {"env": "planted"}]},
        "data": {"a": "planted"},
    },
    "user": {"id": "1", "data": {"a": "planted"}},
    "tags": {"env": "prod", "data": "eu"},
    "exception": {
        "values": [
            {
                "type": "E",
                "mechanism": {"handled": True, "meta": "planted"},
                "raw_stacktrace": "planted",
                "stacktrace": {
                    "frames": [
                        {
                            "filename": "a.py",
                            "lineno": 1,
                            "context_line": "f(x)",
                            "pre_context": ["planted"],
                            "post_context": ["planted"],
                            "vars": {"a": "planted"},
                        }
                    ]
                },
            }
        ]
    },
}
"""Parts of an event in which secrets have neither a name nor a look."""


@pytest.mark.parametrize(
    "body", [{"data": {"event": BARE}}, {"data": {"error": BARE}}, {"project": "x", "event": BARE}]
)
def test_the_spool_holds_nothing_that_the_database_does_not(body: dict[str, Any]) -> None:
    left, _ = without_secrets(json.dumps(body).encode(), SourceContext("sentry", "sentry"))
    assert "planted" not in str(left)
    (told,) = [part for part in (*left.get("data", {}).values(), left.get("event")) if part]
    assert told["contexts"] == {"response": {"status_code": 500}, "deep": {"er": [{"n": 1}, {}]}}
    assert told["tags"] == BARE["tags"], "their names are the application's own"
    (raised,) = told["exception"]["values"]
    assert raised["mechanism"] == {"handled": True}
    assert raised["stacktrace"]["frames"] == [{"filename": "a.py", "lineno": 1, "context_line": "f(x)"}]


@pytest.mark.only(engines.SQLITE)
def test_what_keep_names_is_kept_wherever_it_is() -> None:
    source = SourceContext("sentry", "sentry", keep=frozenset({"headers", "vars"}))
    told = without_secrets(json.dumps({"data": {"event": BARE}}).encode(), source)[0]["data"]["event"]
    assert told["contexts"]["response"] == {"status_code": 500, "headers": {"X": "planted"}}
    assert told["contexts"]["deep"] == {"er": [{"Vars": {"a": "planted"}, "n": 1}, {}]}
    assert told["exception"]["values"][0]["stacktrace"]["frames"][0]["vars"] == {"a": "planted"}


def test_what_is_taken_out_is_counted(server: Server) -> None:
    server.post("/webhook/alertmanager", webhook(firing("A", annotations={"summary": TEXT})))
    assert 'alertsage_redactions_total{source="alertmanager"} 5.0' in server.get("/metrics")[1]
