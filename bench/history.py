"""One alert and its history over HTTP, with very many past alerts stored: of its own key and of others of its name."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert

from bench import filling
from bench.lists import Client
from receiver.domain import times
from receiver.domain.times import DAY, HOUR, SECOND
from receiver.store.rows import index_labels
from receiver.store.tables import alert, change, content
from tests.servers import Server, firing, webhook

NAME = "HostHighCpu"
NOTED = 10
"""Every so manyth alert was resolved by a person with a note."""
SERVICES = 1000
SPAN = 90 * DAY
AT_ONCE = 1000
CELLS = (
    ("its key: a quarter of all, each 10th with a note", "often", NAME),
    ("its key: a quarter of all, a note in the first only", "once", NAME),
    ("none of its key, all of its name", "new", NAME),
    ("nothing at all", "none", "NeverSeenBefore"),
)
"""What is stored, and the fingerprint and name of the alert that is looked at."""


def fill(url: str, stored: int) -> None:
    """A new database at that address with so many closed alerts of NAME.

    A quarter is of the key `often`, a quarter of `once`, the others each of their own; the service of a key is like
    no other's among the first two, so that all notes of the name that may be similar are looked at in vain.
    """
    filling.fill(url, lambda connection: _fill(connection, stored))


def _fill(connection: Connection, stored: int) -> None:
    rows = list[dict[str, Any]]()
    for row in _rows(stored, times.now() - SPAN - 2 * HOUR):
        rows.append(row)
        if len(rows) == AT_ONCE:
            _insert(connection, rows)
            rows = []
    _insert(connection, rows)
    last = 0
    while labelled := index_labels(connection, last, AT_ONCE):
        last = labelled


def _rows(stored: int, first: int) -> Iterator[dict[str, Any]]:
    """The alerts in order, with what is needed for their content and Changes besides."""
    step, last = SPAN // stored, dict[str, int]()
    openings: dict[str, list[int]] = {"often": [], "once": []}
    for number in range(1, stored + 1):
        key = ("often", "once", f"own-{number}", f"own-{number}")[number % 4]
        at = first + number * step
        begun = openings.get(key, [])
        begun[:] = [*begun[-49:], at]
        noted = key not in last if key == "once" else number // 4 % NOTED == 0
        yield {
            "id": number,
            "fingerprint": key,
            "created_at": at,
            "episodes": ",".join(map(str, begun)),
            "predecessor": last.get(key),
            "has_note": noted,
            "latest": key not in openings or number > stored - 4,
            "service": key if key in openings else f"service-{number % SERVICES}",
        }
        last[key] = number


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    states = [_state(row) for row in rows]
    connection.execute(insert(alert), states)
    texts = {"kind": "alertmanager", "title": "CPU is high", "message": "CPU is at 92%", "generator_url": ""}
    detail = json.dumps({"subject": "web-1", "facts": {"filler": "x" * 400}, "enrichers": [], "said": []})
    contents = [
        {
            "alert_id": row["id"],
            "labels": json.dumps({"alertname": NAME, "service": row["service"], "severity": "warning"}),
            **texts,
            "annotations": "{}",
            "detail": detail.replace("web-1", f"web-{row['fingerprint']}"),
            "raw": b"{}",
        }
        for row in rows
    ]
    connection.execute(insert(content), contents)
    connection.execute(insert(change), [made for row in rows for made in _changes(row)])


def _state(row: dict[str, Any]) -> dict[str, Any]:
    at, ended = row["created_at"], row["created_at"] + SECOND
    moments = {"started_at": at, "latest_start": at, "last_seen_at": ended, "last_firing_at": at, "ended_at": ended}
    kept = {name: value for name, value in row.items() if name != "service"}
    return (
        kept
        | moments
        | {
            "source": "alertmanager",
            "status": "resolved",
            "last_end": ended,
            "closed_at": ended,
            "resolved_by": "",
            "suppressed_until": 0,
            "notification_count": 2,
            "recent": "",
            "change_count": 2,
            "expire_after": 3 * DAY,
            "priority": "medium",
            "category": "system",
            "name": NAME,
            "heartbeat": False,
            "digest": b"12345678",
        }
    )


def _changes(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    who, why = ("ada@example.org", "restarted it") if row["has_note"] else ("source:alertmanager", "")
    opened = {"alert_id": row["id"], "seq": 1, "at": row["created_at"], "kind": "opened"}
    yield opened | {"who": "source:alertmanager", "why": ""}
    yield opened | {"seq": 2, "at": row["created_at"] + SECOND, "kind": "resolved", "who": who, "why": why}


def measure(server: Server, title: str) -> None:
    """Print how long one alert takes with its history, and beside it the same alert in the list, without."""
    print(f"\n{title}\n\n| stored before | alert with history, ms | notes found | the same in the list, ms |")
    print("|---|--:|--:|--:|")
    client = Client(server)
    for what, fingerprint, name in CELLS:
        number = _look_at(server, client, fingerprint, name)
        found = json.loads(client.get(f"/api/v1/alerts/{number}"))["history"]["fixes"]
        with_history = client.milliseconds(f"/api/v1/alerts/{number}")
        listed = client.milliseconds("/api/v1/alerts?limit=1")
        print(f"| {what} | {with_history:.2f} | {len(found)} | {listed:.2f} |", flush=True)


def _look_at(server: Server, client: Client, fingerprint: str, name: str) -> int:
    """Let an alert of that key fire now; its number."""
    now = times.rfc3339(times.now())
    told = firing(name, now, service=fingerprint, severity="warning") | {"fingerprint": fingerprint}
    status, answer = server.post("/webhook", webhook(told))
    assert status == 200, answer
    listed = json.loads(client.get("/api/v1/alerts?limit=4"))["alerts"]
    return next(one["id"] for one in listed if one["fingerprint"] == fingerprint)
