"""Conformance with samples of Grafana's webhook: a folder of bodies, each compared with what the API then shows."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from receiver.domain.times import parse_rfc3339, rfc3339
from tests.servers import Server, running

LINKS = ("generatorURL", "panelURL", "dashboardURL", "silenceURL", "imageURL")


def check(folder: Path) -> list[str]:
    """Every disagreement, one sentence each."""
    files = sorted(folder.glob("*.json"))
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as temporary, running(Path(temporary)) as server:
        for file in files:
            wrong += [f"{file.name}: {sentence}" for sentence in _sample(server, json.loads(file.read_text()))]
            print(file.name)
    return wrong


def _sample(server: Server, body: Mapping[str, Any]) -> Iterator[str]:
    for address in ("/webhook/grafana", "/webhook"):
        status, answer = server.post(address, body)
        if status != 200 or answer["received"] != len(body["alerts"]) or answer["quarantined"]:
            yield f"{address} answered {status}: {answer}"
    _, page = server.get("/api/v1/alerts?limit=500&source=grafana")
    stored = {alert["fingerprint"]: alert for alert in page["alerts"]}
    for sent in body["alerts"]:
        alert = stored.get(sent["fingerprint"])
        if alert is None:
            yield f"{sent['fingerprint']} is missing"
            continue
        yield from (f"{sent['fingerprint']}: {sentence}" for sentence in _differences(alert, sent))


def _differences(alert: Mapping[str, Any], sent: Mapping[str, Any]) -> Iterator[str]:
    began = parse_rfc3339(sent["startsAt"])
    assert began is not None
    pairs = {
        "status": (alert["status"], "active" if sent["status"] == "firing" else "resolved"),
        "labels": (alert["labels"], sent["labels"]),
        "annotations": (alert["annotations"], sent["annotations"]),
        "started_at": (alert["started_at"], rfc3339(began)),
        "values": (alert["facts"].get("values"), sent.get("values")),
        "links": ({link["url"] for link in alert["links"]} >= {sent[name] for name in LINKS if sent.get(name)}, True),
        "notification_count": (alert["notification_count"], 1),
    }
    for name, (found, told) in pairs.items():
        if found != told:
            yield f"{name} is {found!r}, the body says {told!r}"
