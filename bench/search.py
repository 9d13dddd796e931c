"""Searches over HTTP: pages of 50 with 100,000 alerts open, alone and among a million closed ones."""

import json
import random
import statistics
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, func, insert, select

from bench import filling
from bench.lists import Client
from receiver.domain import times
from receiver.domain.times import DAY, SECOND
from receiver.domain.vocabulary import Category, Priority
from receiver.store.rows import index_labels
from receiver.store.tables import alert, alert_count, change, content
from tests.servers import Server

OPEN = 100_000
AT_ONCE = 1000
ASKED = 40
"""Requests for each figure."""
CELLS = (
    ("open, newest", "status:open", "newest"),
    ("open, by priority", "status:open", "priority"),
    ("open, by start", "status:open", "started_at"),
    ("open, last seen", "status:open", "last_seen_at"),
    ("open, most often seen", "status:open", "notification_count"),
    ("priority and category, older than an hour", "status:open priority>=high category:database age>1h", "priority"),
    ("a source that has one in 1,000", "status:open source:rare", "priority"),
    ("a label on 90 %", "status:open team=web", "priority"),
    ("a label on 10 %", "status:open team=ops", "newest"),
    ("a label on one in 1,000", "status:open team=rare", "priority"),
    ("a label on 90 %, seen most often", "status:open team=web", "notification_count"),
    ("a word in one of 100", "status:open deadlock", "newest"),
    ("a word in one of 100, by priority", "status:open deadlock", "priority"),
    ("a word in none", "status:open nowhere", "newest"),
    ("a word in none, last seen", "status:open nowhere", "last_seen_at"),
    ("a regular expression, one of 100", "status:open instance=~host-[0-9]*77:.*", "newest"),
    ("a regular expression, none", "status:open instance=~nowhere.*", "priority"),
    ("everything, newest", "", "newest"),
    ("everything, by priority", "", "priority"),
    ("everything, a word in one of 100", "deadlock", "newest"),
    ("everything, most often seen", "", "notification_count"),
)


def fill(url: str, open_ones: int, closed: int) -> None:
    """A new database at that address with so many alerts: the closed ones older than the open ones."""
    filling.fill(url, lambda connection: _fill(connection, open_ones, closed))


def _fill(connection: Connection, open_ones: int, closed: int) -> None:
    rows = list[dict[str, Any]]()
    for row in _rows(open_ones, closed, random.Random(11)):
        rows.append(row)
        if len(rows) == AT_ONCE:
            _insert(connection, rows)
            rows = []
    if rows:
        _insert(connection, rows)
    last = 0
    while labelled := index_labels(connection, last, AT_ONCE):
        last = labelled
    keys = list(alert_count.primary_key.c)
    counted = select(*(alert.c[key.name] for key in keys), func.count()).group_by(*(alert.c[key.name] for key in keys))
    connection.execute(insert(alert_count).from_select([*keys, alert_count.c.n], counted))


def _rows(open_ones: int, closed: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    now, total = times.now(), open_ones + closed
    for number in range(1, total + 1):
        begun = now - DAY - (total - number) * SECOND // 20
        seen = begun + chance.randrange(DAY)
        ended = None if number > closed else seen
        yield {
            "id": number,
            "source": "rare" if number % 1000 == 7 else "alertmanager",
            "fingerprint": f"{number:016x}",
            "latest": True,
            "created_at": begun,
            "status": "resolved" if ended else chance.choices(("active", "acknowledged", "suppressed"), (90, 8, 2))[0],
            "started_at": begun,
            "latest_start": begun,
            "last_seen_at": seen,
            "last_firing_at": seen,
            "ended_at": ended,
            "last_end": ended or 0,
            "closed_at": ended or 0,
            "resolved_by": "",
            "suppressed_until": 0,
            "notification_count": chance.randrange(1, 500),
            "recent": f"1,{begun},{seen}",
            "episodes": str(begun),
            "change_count": 1,
            "expire_after": 30 * DAY,
            "priority": chance.choices(tuple(map(str, Priority)), (3, 15, 60, 12, 10))[0],
            "category": chance.choice(tuple(map(str, Category))),
            "name": f"Name{number % 200}",
            "heartbeat": False,
            "digest": b"12345678",
        }


def _insert(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(alert), rows)
    detail = json.dumps({"subject": "web-1", "facts": {"filler": "x" * 400}, "enrichers": [], "said": []})
    contents = []
    for row in rows:
        number, what = row["id"], "deadlock" if row["id"] % 100 == 3 else "lock"
        team = "rare" if number % 1000 == 9 else "ops" if number % 10 == 4 else "web"
        labels = {"alertname": row["name"], "instance": f"host-{number}:9100", "job": "node", "namespace": "shop"}
        told = {"summary": f"{row['name']} on host-{number}", "runbook_url": "https://runbooks.example.org/Name"}
        contents.append(
            {
                "alert_id": number,
                "kind": "alertmanager",
                "title": f"{row['name']} on host-{number}",
                "message": f"A {what} on host-{number} has lasted for more than ten minutes, and others wait for it.",
                "generator_url": "http://prometheus.example.org/graph?g0.expr=node_cpu_busy_percent+%3E+80&g0.tab=1",
                "labels": json.dumps(labels | {"severity": "warning", "team": team}),
                "annotations": json.dumps(told),
                "detail": detail,
                "raw": b'{"startsAt":"2026-11-23T06:40:41.347Z","endsAt":"0001-01-01T00:00:00Z"}',
            }
        )
    connection.execute(insert(content), contents)
    opened = {"seq": 1, "kind": "opened", "who": "source:alertmanager", "why": "", "status": "active"}
    connection.execute(insert(change), [{"alert_id": row["id"], "at": row["created_at"], **opened} for row in rows])


def measure(server: Server, title: str) -> None:
    """Print how long the first page takes, and the tenth."""
    print(f"\n{title}\n\n| search | sort | found | first page p50 | p95 | tenth page p50 | p95 |")
    print("|---|---|--:|--:|--:|--:|--:|")
    client = Client(server)
    for what, search, sort in CELLS:
        path = "/api/v1/alerts?" + urlencode({"query": search, "sort": sort})
        page = json.loads(client.get(path))
        found, later = len(page["alerts"]), path
        for _ in range(9):
            if page["next"] is None:
                break
            later = f"{path}&{urlencode({'cursor': page['next']})}"
            page = json.loads(client.get(later))
        first, tenth = _spent(client, path), _spent(client, later)
        figures = " | ".join(f"{figure:.1f}" for figure in (*first, *tenth))
        print(f"| {what} | {sort} | {found} | {figures} |", flush=True)


def _spent(client: Client, path: str) -> tuple[float, float]:
    """The median and the 95th percentile, in milliseconds."""
    spent = client.spent(path, ASKED)
    return statistics.median(spent), statistics.quantiles(spent, n=20)[-1]
