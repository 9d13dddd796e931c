"""Conformance with samples of Sentry's webhooks: a folder with a manifest.json and, perhaps, signature_vectors.json.

Each sample goes to a source of its own; what the API then shows is compared with what the manifest says of it.
"""

import hashlib
import hmac
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.servers import Server, ask, running

STATUSES = {"firing": "active", "resolved": "resolved", "silenced": "suppressed"}
Alert = Mapping[str, Any]


def check(folder: Path) -> list[str]:
    """Every disagreement, one sentence each."""
    manifest = json.loads((folder / "manifest.json").read_text())
    vectors = _vectors(folder)
    sources: dict[str, Any] = {_name(number): {"kind": "sentry"} for number in range(len(manifest))}
    for number, vector in enumerate(vectors):
        secrets = ["another", vector["secret"]]
        sources[f"signed-{number}"] = {"kind": "sentry", "auth": {"signature": {"secrets": secrets}}}
    wrong: list[str] = []
    config = json.dumps({"sources": sources})
    with tempfile.TemporaryDirectory() as temporary, running(Path(temporary), config) as server:
        for number, (name, entry) in enumerate(manifest.items()):
            wrong += [f"{name}: {sentence}" for sentence in _sample(server, folder / name, entry, _name(number))]
            print(f"{name}: {entry['expect'].get('note', entry['expect']['status'])}")
        for number, vector in enumerate(vectors):
            found = _signature(server, folder, vector, f"signed-{number}")
            wrong += [f"signature {vector['name']}: {sentence}" for sentence in found]
            print(f"signature {vector['name']}: {vector['note']}")
    return wrong


def _name(number: int) -> str:
    return f"s{number}"


def _vectors(folder: Path) -> list[dict[str, Any]]:
    file = folder / "signature_vectors.json"
    return json.loads(file.read_text())["vectors"] if file.exists() else []


def _sample(server: Server, file: Path, entry: Mapping[str, Any], source: str) -> Iterator[str]:
    expect, body = entry["expect"], json.loads(file.read_text())
    resource = entry["sentry_hook_resource"]
    headers = {"Sentry-Hook-Resource": resource} if resource else {}
    if expect["status"] == "unchanged":
        yield from _opened_before(server, _issue_of(body), source)
    status, answer = ask(f"{server.url}/webhook/sentry/{source}", json.dumps(body).encode(), headers)
    if status != 200:
        yield f"answered {status}: {answer}"
        return
    _, page = server.get(f"/api/v1/alerts?source={source}")
    alerts = [server.get(f"/api/v1/alerts/{alert['id']}")[1] for alert in page["alerts"]]
    if expect["status"] == "none":
        if alerts or not (answer.get("ignored") or "message" in answer):
            yield f"made {len(alerts)} alerts, answered {answer}"
        return
    if len(alerts) != 1:
        yield f"made {len(alerts)} alerts, not one: {answer}"
        return
    yield from _differences(alerts[0], expect)


def _issue_of(body: Mapping[str, Any]) -> str:
    data = body["data"]
    return str(data.get("issue", {}).get("id") or data.get("issue_id") or data.get("group_id"))


def _opened_before(server: Server, issue: str, source: str) -> Iterator[str]:
    created = {"action": "created", "data": {"issue": {"id": issue, "title": "before", "level": "error"}}}
    headers = {"Sentry-Hook-Resource": "issue"}
    status, answer = ask(f"{server.url}/webhook/sentry/{source}", json.dumps(created).encode(), headers)
    if status != 200:
        yield f"the issue before it was answered {status}: {answer}"


def _differences(alert: Alert, expect: Mapping[str, Any]) -> Iterator[str]:
    if expect["status"] == "unchanged":
        if alert["status"] != "active" or len(alert["changes"]) != 2:
            yield f"status {alert['status']} with {alert['changes']}, expected an active alert with one more change"
    elif alert["status"] != STATUSES[expect["status"]]:
        yield f"status is {alert['status']}, expected {expect['status']}"
    for key, read in _FOUND.items():
        if key in expect:
            found = read(alert)
            if found != expect[key]:
                yield f"{key} is {found!r}, the manifest says {expect[key]!r}"
    rule = str(expect.get("key", "")).removeprefix("metric rule ").split(",")[0]
    identity = f"issue:{expect['issue_id']}" if "issue_id" in expect else f"metric:{rule}"
    if ("issue_id" in expect or rule) and alert["fingerprint"] != identity:
        yield f"fingerprint is {alert['fingerprint']}, expected {identity}"
    if "current_value" in expect and str(round(alert["value"] or 0)) not in expect["current_value"]:
        yield f"value is {alert['value']}, the manifest says {expect['current_value']}"


def _link(alert: Alert) -> str | None:
    return next((link["url"] for link in alert["links"]), None)


def _frame(alert: Alert) -> str:
    return str(alert["facts"].get("frame", "")).replace(" in ", " ")


_FOUND: Mapping[str, Callable[[Alert], Any]] = {
    "title": lambda alert: alert["title"],
    "level": lambda alert: alert["labels"].get("level"),
    "project": lambda alert: alert["labels"].get("project"),
    "organization": lambda alert: alert["labels"].get("organization"),
    "environment": lambda alert: alert["labels"].get("environment"),
    "severity": lambda alert: alert["labels"].get("severity"),
    "release": lambda alert: alert["facts"].get("release"),
    "short_id": lambda alert: alert["facts"].get("short_id"),
    "event_id": lambda alert: alert["facts"].get("event_id"),
    "rule": lambda alert: alert["facts"].get("rule"),
    "substatus": lambda alert: alert["facts"].get("substatus"),
    "assignee": lambda alert: alert["facts"].get("assignee"),
    "exception_type": lambda alert: alert["facts"].get("error_type"),
    "user": lambda alert: alert["facts"].get("user"),
    "request": lambda alert: alert["facts"].get("endpoint"),
    "culprit_frame": _frame,
    "threshold": lambda alert: alert["threshold"],
    "url": _link,
    "in_app_frames": lambda alert: alert["facts"].get("stacktrace", "").count("\n  >"),
}


def _signature(server: Server, folder: Path, vector: Mapping[str, Any], source: str) -> Iterator[str]:
    body = (folder / vector["body"]).read_bytes()
    computed = hmac.new(vector["secret"].encode(), body, hashlib.sha256).hexdigest()
    if computed != vector["signature"]:
        yield f"is {computed} by this program's own reckoning"
    flipped = bytes([body[0], *body[1:-2], body[-2] ^ 1, body[-1]])
    again = json.dumps(json.loads(body), indent=1).encode()
    cases = {
        "as sent": (body, vector["signature"], 200),
        "one bit flipped": (flipped, vector["signature"], 401),
        "serialised again": (again, vector["signature"], 401),
        "another signature": (body, "0" * 64, 401),
        "not ASCII": (body, "ä" * 64, 401),
        "missing": (body, None, 401),
    }
    for case, (sent, signature, right) in cases.items():
        headers = dict(vector["headers"])
        if signature is not None:
            headers[vector["header"]] = signature
        status, answer = ask(f"{server.url}/webhook/sentry/{source}", sent, headers)
        if status != right:
            yield f"{case}: answered {status}, not {right}: {answer}"
