"""Very many random alerts, written straight into a store."""

import json
import random
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, insert

from receiver.domain import changes as domain
from receiver.domain.alert import Alert
from receiver.domain.times import DAY, HOUR, MINUTE
from receiver.domain.vocabulary import Kind, Status
from receiver.store import Store
from receiver.store.tables import alert, change, content

NAMES = ("database_slow_query", "HostHighCpu", "DiskFull", 'odd "name"\u2028', "ApiDown", "")
SUBJECTS = ("web-1", "web-2", "bookings table", "", "caf\u00e9")
SOURCES = ("am", "grafana", "sentry")
CATEGORIES = ("system", "database", "availability")
PRIORITIES = ("critical", "high", "medium")
PEOPLE = ("ada@example.org", "sentry", "source:sentry (Ada)")
NOT_PEOPLE = ("source:am", "alertsage", "source:sentry")
BEGINS = ("opened", "reopened")
ACTS = ("acknowledged", "suppressed", "unsuppressed", "assigned", "noted", "amended", "resolved")
FATE = ("fate_seq", "began_seq", "over_at", "heeded", "opened_as")
AT_ONCE = 1000


def made(count: int, first: int, last: int, seed: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Random alerts that began between the two moments, each with its Changes."""
    chance = random.Random(seed)
    for number, at in enumerate(sorted(chance.randrange(first, last) for _ in range(count)), 1):
        trail = list(_trail(chance, number, at))
        # some are from before fates were kept; of others a replica of before made the last Changes
        kept = chance.choice((0, len(trail), len(trail), max(0, len(trail) - chance.randrange(4))))
        yield _alert(chance, number, at, trail) | fate(trail[:kept]), trail


def fate(trail: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the columns of an alert with these Changes say became of it."""
    one = Alert(1, "am", "f", 0, Status.ACTIVE, 0, 0, 0)
    for told in trail:
        one.status = Status(told["status"])
        domain.change(one, Kind(told["kind"]), told["at"], told["who"], "")
    return {name: getattr(one, name) for name in FATE}


def _trail(chance: random.Random, number: int, at: int) -> Iterator[dict[str, Any]]:
    seq, kind, status = 1, chance.choices(("opened", "resolved"), (30, 1))[0], "active"
    for _ in range(chance.choices((1, 2, 6), (20, 3, 1))[0]):
        status = chance.choices(("active", "suppressed"), (9, 1))[0] if kind in BEGINS else kind
        yield _change((number, seq, at), kind, "source:am", status)
        for kind, who in _between(chance):
            at, seq = at + int(chance.expovariate(1 / (10 * MINUTE))), seq + 1
            yield _change((number, seq, at), kind, who, kind if kind in ("resolved", "expired") else "active")
        kind, at, seq = "reopened", at + int(chance.expovariate(1 / (15 * MINUTE))), seq + 1


def _between(chance: random.Random) -> Iterator[tuple[str, str]]:
    if chance.random() < 0.1:
        yield "escalated", chance.choice((*NOT_PEOPLE, "owners"))
    if chance.random() < 0.4:
        yield chance.choice(ACTS[:-1]), chance.choice((*PEOPLE, *NOT_PEOPLE))
    if chance.random() < 0.1:
        yield "expired", "alertsage"
    if chance.random() < 0.8:
        yield "resolved", chance.choice((*PEOPLE, "source:am", "source:am", "source:am"))
    if chance.random() < 0.1:
        yield "noted", chance.choice(PEOPLE)


def _change(place: tuple[int, int, int], kind: str, who: str, status: str) -> dict[str, Any]:
    told = {
        **dict(zip(("alert_id", "seq", "at"), place, strict=True)),
        "kind": kind,
        "who": who,
        "why": "",
        "status": status,
    }
    return told | {"via": "", "detail": None}


def _alert(chance: random.Random, number: int, at: int, trail: Sequence[dict[str, Any]]) -> dict[str, Any]:
    last = next(c["kind"] for c in reversed(trail) if c["kind"] in ("resolved", "expired", *BEGINS))
    closed = last not in BEGINS
    moments = dict.fromkeys(("created_at", "started_at", "latest_start", "last_firing_at"), at)
    return moments | {
        "id": number,
        "source": chance.choice(SOURCES),
        "fingerprint": f"{number:016x}",
        "latest": True,
        "status": last if closed else "active",
        "last_seen_at": trail[-1]["at"],
        "ended_at": trail[-1]["at"] if closed else None,
        "last_end": 0,
        "closed_at": trail[-1]["at"] if closed else 0,
        "resolved_by": "",
        "suppressed_until": 0,
        "notification_count": 1,
        "recent": "",
        "episodes": "",
        "change_count": len(trail),
        "predecessor": None,
        "expire_after": 3 * DAY,
        "priority": chance.choice(PRIORITIES),
        "category": chance.choice(CATEGORIES),
        "name": chance.choices(NAMES, (30, 20, 10, 5, 2, 1))[0],
        "heartbeat": chance.random() < 0.02,
        "digest": b"12345678",
        "subject": chance.choice(SUBJECTS),
    }


async def fill(store: Store, count: int, first: int, last: int, seed: int) -> None:
    """Store random alerts with their Changes and figures."""
    chance = random.Random(seed)
    alerts, contents, trails = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for row, trail in made(count, first, last, seed):
        alerts.append(row)
        trails += trail
        figures = {"value": round(chance.uniform(80, 120), 2), "threshold": 80, "direction": "above", "unit": "seconds"}
        texts = {"kind": "alertmanager", "title": "", "message": "", "generator_url": "", "labels": "{}"}
        told = json.dumps({"metric": "took", **figures} if chance.random() < 0.9 else {})
        contents.append({"alert_id": row["id"], **texts, "annotations": "{}", "detail": told, "raw": b"{}"})
        if len(alerts) == AT_ONCE or row["id"] == count:
            await store.write(partial(_insert, rows=(alerts, contents, trails)))
            alerts, contents, trails = [], [], []


async def store_week(store: Store, until: int) -> None:
    """A week of a shop before that moment: its database is slow at lunch, a disk flaps, a job is nobody's business."""
    begun: list[tuple[int, str, str, int, str]] = []
    for day in range(5):  # Monday to Friday, Berlin being an hour ahead
        noon = until - (7 - day) * DAY + 11 * HOUR
        lunch = range(3 if day < 2 else 2)
        begun += [(noon + n * 37 * MINUTE, "database_slow_query", "bookings table", 30 + n * 2, "ada") for n in lunch]
    for day in range(7):
        for n, hour in enumerate((2, 9, 17)):
            at = until - (7 - day) * DAY + hour * HOUR + day * 31 * MINUTE
            begun.append((at, "NightlyJobSlow", f"job-{n}", 2, ""))
    begun += [(until - DAY + n * 20 * MINUTE, "DiskAlmostFull", "db-1", 10, "") for n in range(6)]
    begun += [(until - (6 - n) * DAY + n * 5 * HOUR, "ApiDown", "api", 45, "bob") for n in range(6)]
    begun += [(until - 30 * DAY, "HostDown", "web-1", 5, "ada")]
    begun += [(until - (13 - n % 6) * DAY + n * HOUR, "ApiDown", "api", 50, "bob") for n in range(20)]
    rows, trails, openings = list[dict[str, Any]](), list[dict[str, Any]](), dict[str, int]()
    for at, name, subject, minutes, who in sorted(begun):
        number, seq, kind = len(rows) + 1, 1, "opened"
        if name == "DiskAlmostFull" and openings.get(name):  # a flap
            number, kind = openings[name], "reopened"
            seq = max(c["seq"] for c in trails if c["alert_id"] == number) + 1
        openings.setdefault(name, number)
        trails.append(_change((number, seq, at), kind, "source:am", "active"))
        if who:
            seq += 1
            trails.append(_change((number, seq, at + 4 * MINUTE), "acknowledged", who, "acknowledged"))
        trails.append(_change((number, seq + 1, at + minutes * MINUTE), "resolved", who or "source:am", "resolved"))
        if kind == "opened":
            row = _alert(random.Random(1), number, at, trails[-2 - bool(who) :])
            told = {"category": "availability" if name == "ApiDown" else "database", "priority": "high"}
            rows.append(row | told | {"name": name, "subject": subject, "source": "am", "heartbeat": False})
    for row in rows:
        own = [c for c in trails if c["alert_id"] == row["id"]]
        row.update(fate(own), change_count=len(own))
    texts = {"kind": "alertmanager", "title": "", "message": "", "generator_url": "", "labels": "{}"}
    contents = [{"alert_id": row["id"], **texts, "annotations": "{}", "detail": "{}", "raw": b"{}"} for row in rows]
    await store.write(partial(_insert, rows=(rows, contents, trails)))


async def store_flap(store: Store, begun: Sequence[int]) -> None:
    """One alert that began at these moments, and was over five minutes after each."""
    trail = []
    for at in begun:
        kind = "reopened" if trail else "opened"
        trail.append(_change((1, len(trail) + 1, at), kind, "source:am", "active"))
        trail.append(_change((1, len(trail) + 1, at + 5 * MINUTE), "resolved", "source:am", "resolved"))
    row = _alert(random.Random(1), 1, begun[0], trail) | fate(trail) | {"heartbeat": False}
    texts = {"kind": "alertmanager", "title": "", "message": "", "generator_url": "", "labels": "{}"}
    told = {"alert_id": 1, **texts, "annotations": "{}", "detail": "{}", "raw": b"{}"}
    await store.write(partial(_insert, rows=([row], [told], trail)))


def _insert(connection: Connection, rows: tuple[list[dict[str, Any]], ...]) -> None:
    for table, some in zip((alert, content, change), rows, strict=True):
        connection.execute(insert(table), some)
