"""Conformance with recorded traffic: `python -m tests.conformance FOLDER`.

Posts every recorded Alertmanager webhook of the folder (in the order of its index.json) to a fresh alertsage, as the
sender did, and compares the alerts that the API then shows with what the bodies and the index say. A folder with a
manifest.json holds samples of Sentry, one with neither samples of Grafana. Prints a line for each recording and each
disagreement; exits with 1 if there is any.
"""

import json
import sys
import tempfile
import urllib.parse
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from receiver.domain.times import parse_rfc3339, rfc3339
from receiver.sources.fingerprint import fingerprint
from tests import conformance_grafana, conformance_sentry
from tests.servers import Server, ask, running

WRONG_KIND = ("prom-",)
"""Recordings of another interface (Prometheus to Alertmanager): they must be refused in words, and change nothing."""


@dataclass
class Expected:
    """What the bodies say of one fingerprint, by rules simple enough to be read at once."""

    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, int, int | None]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Open unless the latest episode has ended."""
        start = max(start for status, start, _ in self.told if status == "firing") if self.fired else 0
        ends = [end for _, _, end in self.told if end is not None and end >= start]
        return "resolved" if ends else "active"

    @property
    def fired(self) -> bool:
        """True when any body told of it firing."""
        return any(status == "firing" for status, _, _ in self.told)

    @property
    def ended_at(self) -> str | None:
        """The latest end that was told, unless it is open."""
        return rfc3339(max(end for _, _, end in self.told if end is not None)) if self.status == "resolved" else None

    @property
    def count(self) -> int:
        """Each (status, start) counts once: the recordings are replayed within two minutes."""
        return len({(status, start) for status, start, _ in self.told})


def check(folder: Path) -> list[str]:
    """Every disagreement, one sentence each."""
    index = json.loads((folder / "index.json").read_text())
    wrong = list(_vectors(folder))
    expected: dict[str, Expected] = defaultdict(Expected)
    with tempfile.TemporaryDirectory() as temporary, running(Path(temporary)) as server:
        for entry in sorted(index, key=lambda entry: entry["t"]):
            file = folder / entry["file"]
            bodies = [file, file.with_suffix(".raw.json")]
            for body in (body for body in bodies if body.exists()):
                wrong += [f"{body.name}: {sentence}" for sentence in _replay(server, body, entry, expected)]
            print(f"{entry['file']}: {entry['about']}")
        wrong += list(_compare(server, expected))
    return wrong


def _vectors(folder: Path) -> Iterator[str]:
    file = folder / "fingerprint-vectors.json"
    for vector in json.loads(file.read_text()) if file.exists() else []:
        computed = fingerprint(vector["labels"])
        if computed != vector["fingerprint"]:
            yield f"fingerprint of {vector['labels']}: {computed}, Alertmanager says {vector['fingerprint']}"


def _replay(server: Server, file: Path, entry: dict[str, Any], expected: dict[str, Expected]) -> Iterator[str]:
    raw = file.read_bytes()
    status, answer = ask(server.url + "/webhook/alertmanager", raw, _headers(file))
    if file.name.startswith(WRONG_KIND):
        if status != 400:
            yield f"answered {status}, not 400: {answer}"
        return
    if status != 200:
        yield f"answered {status}: {answer}"
        return
    body = json.loads(raw)
    resolved = sum(alert["status"] == "resolved" for alert in body["alerts"])
    told = (answer["received"], resolved, answer["truncated"], len(answer["quarantined"]))
    indexed = (entry["alerts"], entry["resolved"], entry["truncatedAlerts"], 0)
    if told != indexed:
        yield f"(received, resolved, truncated, quarantined) is {told}, the index says {indexed}"
    for alert in body["alerts"]:
        if fingerprint(alert["labels"]) != alert["fingerprint"]:
            yield f"computed fingerprint {fingerprint(alert['labels'])} is not the sent {alert['fingerprint']}"
        seen = expected[alert["fingerprint"]]
        seen.labels = alert["labels"]
        if alert["status"] == "firing":
            seen.annotations = alert["annotations"]
        start, end = parse_rfc3339(alert["startsAt"]), parse_rfc3339(alert["endsAt"])
        assert start is not None
        seen.told.append((alert["status"], start, end))


def _headers(file: Path) -> dict[str, str]:
    recorded = file.with_name(file.name.split(".")[0] + ".headers.txt").read_text().splitlines()[1:]
    pairs = (line.split(": ", 1) for line in recorded if ": " in line)
    return {name: value for name, value in pairs if name not in ("Host", "Content-Length")}


def _compare(server: Server, expected: dict[str, Expected]) -> Iterator[str]:
    stored = {}
    cursor = ""
    while cursor is not None:
        _, page = server.get(
            f"/api/v1/alerts?limit=500&cursor={urllib.parse.quote(cursor)}" if cursor else "/api/v1/alerts?limit=500"
        )
        for alert in page["alerts"]:
            if alert["fingerprint"] in stored:
                yield f"{alert['fingerprint']} is stored twice"
            stored[alert["fingerprint"]] = alert
        cursor = page["next"]
    for key in sorted(expected.keys() ^ stored.keys()):
        yield f"{key} is {'missing' if key in expected else 'more than was sent'}"
    for key in sorted(expected.keys() & stored.keys()):
        yield from (f"{key}: {sentence}" for sentence in _differences(expected[key], stored[key]))


def _differences(said: Expected, alert: dict[str, Any]) -> Iterator[str]:
    pairs = {
        "labels": said.labels,
        "annotations": said.annotations,
        "status": said.status,
        "ended_at": said.ended_at,
        "notification_count": said.count,
    }
    if said.status == "resolved" or len({start for _, start, _ in said.told}) == 1:
        first = min(start for _, start, _ in said.told)
        pairs["started_at"] = rfc3339(first)
    for name, value in pairs.items():
        if alert[name] != value:
            yield f"{name} is {alert[name]!r}, the bodies say {value!r}"
    if not alert["category"] or not alert["priority_terms"] or len(alert["recommendations"]) < 1:
        yield "it is not explained"


def _by_kind(folder: Path) -> Callable[[Path], list[str]]:
    if (folder / "index.json").exists():
        return check
    return conformance_sentry.check if (folder / "manifest.json").exists() else conformance_grafana.check


def main() -> int:
    """Check the folder named on the command line."""
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else Path("-")
    if not folder.is_dir() or not any(folder.glob("*.json")):
        print("usage: python -m tests.conformance FOLDER   (a folder of recordings or samples)")
        return 2
    try:
        wrong = _by_kind(folder)(folder)
    except (KeyError, TypeError):
        print(f"{folder} holds no recordings of webhooks that this command knows")
        return 2
    for sentence in wrong:
        print(f"DISAGREES {sentence}")
    print("conforms" if not wrong else f"{len(wrong)} disagreements")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
