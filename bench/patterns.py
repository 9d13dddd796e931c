"""Patterns over HTTP: 100,000 alerts of the last week, alone and among very many older ones, and webhooks beside."""

import json
import random
import statistics
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert

from bench import filling
from bench.lists import Client
from bench.load import Bodies, drive
from receiver.domain import times
from receiver.domain.times import DAY, MINUTE, Instant
from receiver.store.tables import alert, change, content
from tests.manyalerts import fate
from tests.servers import Server

WINDOW = 7 * DAY
LATELY = 100_000
"""Alerts that began within WINDOW; the others within 80 days before."""
NAMES, SUBJECTS = 60, 2000
AGAIN, HEEDED = 0.05, 0.3
"""So many began once more, and so many of all times were acknowledged."""
OLD = 0.01
"""So many were stored by an earlier version, which kept nothing of this in the rows."""
AT_ONCE = 1000
ASKED = 9
SECONDS = 8.0
PATHS = ("/api/v1/patterns?days=7&zone=Europe/Berlin", "/api/v1/patterns/hygiene?days=7")


def fill(url: str, stored: int) -> None:
    """A new database at that address with so many closed alerts, LATELY of them of the last week."""
    filling.fill(url, lambda connection: _fill(connection, stored))


def _fill(connection: Connection, stored: int) -> None:
    chance, now = random.Random(1), times.now()
    older = (now - WINDOW - chance.randrange(80 * DAY) for _ in range(stored - LATELY))
    began = sorted([*older, *(now - chance.randrange(WINDOW) for _ in range(LATELY))])
    for first in range(0, stored, AT_ONCE):
        trails = [
            list(_changes(chance, first + number, at)) for number, at in enumerate(began[first : first + AT_ONCE], 1)
        ]
        rows = [_alert(chance, trail) for trail in trails]
        connection.execute(insert(alert), rows)
        connection.execute(insert(content), [_content(chance, row) for row in rows])
        connection.execute(insert(change), [made for trail in trails for made in trail])


def _alert(chance: random.Random, trail: list[dict[str, Any]]) -> dict[str, Any]:
    number, at, ended = trail[0]["alert_id"], trail[0]["at"], trail[-1]["at"]
    moments = {"created_at": at, "started_at": at, "latest_start": at, "last_firing_at": at}
    ends = {"last_seen_at": ended, "ended_at": ended, "last_end": ended, "closed_at": ended}
    return fate([] if chance.random() < OLD else trail) | {
        "id": number,
        "source": "alertmanager",
        "fingerprint": f"{number:016x}",
        "latest": True,
        "status": "resolved",
        **moments,
        **ends,
        "resolved_by": "",
        "suppressed_until": 0,
        "notification_count": 2,
        "recent": "",
        "episodes": str(at),
        "change_count": len(trail),
        "predecessor": None,
        "expire_after": 3 * DAY,
        "priority": chance.choice(("critical", "high", "medium", "low")),
        "category": chance.choice(("system", "database", "application", "performance")),
        "name": f"Rule{min(int(chance.expovariate(0.08)), NAMES - 1)}",
        "heartbeat": False,
        "digest": b"12345678",
        "subject": f"web-{chance.randrange(SUBJECTS)}",
    }


def _content(chance: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    texts = {"kind": "alertmanager", "title": "CPU is high", "message": "CPU is at 92%", "generator_url": ""}
    figures = {"metric": "cpu", "value": chance.uniform(80, 100), "threshold": 80, "direction": "above", "unit": None}
    told = figures | {"subject": row["subject"], "facts": {"filler": "x" * 600}, "enrichers": [], "said": []}
    labels = json.dumps({"alertname": row["name"], "instance": row["subject"], "severity": "warning"})
    return {
        "alert_id": row["id"],
        **texts,
        "labels": labels,
        "annotations": "{}",
        "detail": json.dumps(told),
        "raw": b"{}",
    }


def _changes(chance: random.Random, number: int, at: Instant) -> Iterator[dict[str, Any]]:
    seq, sender, kind = 1, {"alert_id": number, "who": "source:alertmanager", "why": ""}, "opened"
    for _ in range(1 + (chance.random() < AGAIN)):
        ended = at + int(chance.expovariate(1 / (30 * MINUTE)))
        yield sender | {"seq": seq, "at": at, "kind": kind, "status": "active"}
        if chance.random() < HEEDED:
            seq += 1
            person = {"kind": "acknowledged", "who": "ada@example.org", "status": "acknowledged"}
            yield sender | person | {"seq": seq, "at": (at + ended) // 2}
        yield sender | {"seq": seq + 1, "at": ended, "kind": "resolved", "status": "resolved"}
        kind, at, seq = "reopened", ended + MINUTE, seq + 2


def measure(server: Server, title: str) -> None:
    """Print how long the answers take, and what webhooks wait meanwhile."""
    client = Client(server)
    print(f"\n{title}\n\n| | median ms | longest ms |\n|---|--:|--:|")
    for path in PATHS:
        spent = client.spent(path, ASKED)
        print(f"| `{path}` | {statistics.median(spent):.0f} | {max(spent):.0f} |", flush=True)
    told = json.loads(client.get(PATHS[0]))
    assert told["total_alerts"] > LATELY * 0.99, told["total_alerts"]
    _beside(server)


def _beside(server: Server) -> None:
    """Webhooks at a steady rate, without and with somebody who asks for patterns all the time."""
    port = int(server.url.rsplit(":", 1)[1])
    print("\n| webhooks of 1 alert, 200 a second | p99 ms | longest ms |\n|---|--:|--:|")
    for new in (False, True):
        what = "new" if new else "repeats"
        drive(port, 4, 1, Bodies(1, new=new, run=8), rate=200)
        alone = drive(port, 4, SECONDS, Bodies(1, new=new, run=9), rate=200)
        stopping = threading.Event()
        thread = threading.Thread(target=_ask, args=(server, stopping))
        thread.start()
        together = drive(port, 4, SECONDS, Bodies(1, new=new, run=10), rate=200)
        stopping.set()
        thread.join()
        print(f"| {what}, alone | {alone.p99:.1f} | {alone.longest:.1f} |")
        print(
            f"| {what}, patterns asked for without a pause | {together.p99:.1f} | {together.longest:.1f} |", flush=True
        )


def _ask(server: Server, stopping: threading.Event) -> None:
    client = Client(server)
    while not stopping.is_set():
        client.get(PATHS[0])
