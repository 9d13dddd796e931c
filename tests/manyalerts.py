"""Very many random alerts, written straight into a store, and patterns counted from them in the plainest way."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select

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


def _insert(connection: Connection, rows: tuple[list[dict[str, Any]], ...]) -> None:
    for table, some in zip((alert, content, change), rows, strict=True):
        connection.execute(insert(table), some)


# --- the plainest way -----------------------------------------------------------------------------------------------


def stored(connection: Connection) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]]]:
    """All alerts, and all Changes of each in order."""
    trails = defaultdict(list)
    for row in connection.execute(select(change).order_by(change.c.alert_id, change.c.seq)).mappings():
        trails[row["alert_id"]].append(dict(row))
    return [dict(row) for row in connection.execute(select(alert)).mappings()], trails


def person(who: str) -> bool:
    """True for somebody, whoever vouches for the name."""
    return who.endswith(")") if who.startswith("source:") else who != "alertsage"


def episodes(alerts: Any, trails: Any, since: int, until: int) -> Iterator[dict[str, Any]]:
    """Each time that an alert began between the two moments, and what became of it."""
    for one in alerts:
        if one["heartbeat"]:
            continue
        trail = trails[one["id"]]
        begins = [place for place, c in enumerate(trail) if c["kind"] in BEGINS]
        for place, begin in enumerate(begins):
            began = trail[begin]["at"]
            if not since <= began < until:
                continue
            last = begins[place + 1] if place + 1 < len(begins) else len(trail)
            own = trail[begin + 1 : last]
            acts = [c for c in own if c["kind"] in ACTS and person(c["who"])]
            resolved = [c["at"] for c in own if c["kind"] == "resolved"]
            yield one | {
                "began": began,
                "again": trail[begin]["kind"] == "reopened",
                "took": resolved[0] - began if resolved else None,
                "expired": not resolved and any(c["kind"] == "expired" for c in own),
                "anew": not resolved and not any(c["kind"] == "expired" for c in own) and last < len(trail),
                "waited": next((c["at"] - began for c in acts if c["kind"] in ("acknowledged", "resolved")), None),
                "acted": bool(acts),
                "hushed": trail[begin]["status"] == "suppressed",
            }


def local(moment: int, zone: str) -> datetime:
    """The moment by the clocks of that zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)).astimezone(ZoneInfo(zone))


def lengths(found: list[int]) -> dict[str, Any]:
    """Mean and percentiles as the answer tells them."""
    if not found:
        return {"count": 0, "mean_seconds": None, "p50_seconds": None, "p95_seconds": None}
    ranked = sorted(took // 1000 for took in found)

    def rank(share: float) -> float:
        return round(next(v for n, v in enumerate(ranked, 1) if n >= share * len(ranked) - 1e-9) / 1000, 1)

    mean = round(sum(ranked) / len(ranked) / 1000, 1)
    return {"count": len(ranked), "mean_seconds": mean, "p50_seconds": rank(0.5), "p95_seconds": rank(0.95)}


def most(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Most first, then in the order of the alphabet."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def runs(alerts: Any, trails: Any, since: int, until: int) -> list[dict[str, Any]]:
    """The alerts that began four times and more, each at most half an hour after the time before."""
    found = []
    for one in alerts:
        if one["heartbeat"]:
            continue
        begun = [c["at"] for c in trails[one["id"]] if c["kind"] in BEGINS and since <= c["at"] < until]
        best: list[int] = []
        for start in range(len(begun)):
            run = begun[start : start + 1]
            for at in begun[start + 1 :]:
                if at - run[-1] > 30 * MINUTE:
                    break
                run.append(at)
            best = max(best, run, key=len)
        if len(best) >= 4:
            found.append({"alert": one["id"], "times": len(best), "name": one["name"]})
    return sorted(found, key=lambda run: (-run["times"], run["alert"]))


def expected(alerts: Any, trails: Any, since: int, until: int, zone: str) -> dict[str, Any]:
    """What the answer has to say."""
    found = list(episodes(alerts, trails, since, until))
    before = Counter(e["name"] for e in episodes(alerts, trails, since - (until - since), since))
    week = [[0] * 24 for _ in range(7)]
    for e in found:
        clock = local(e["began"], zone)
        week[clock.weekday()][clock.hour] += 1
    hourly = [sum(day[hour] for day in week) for hour in range(24)]
    names = most(Counter(e["name"] for e in found))
    took = [e["took"] for e in found if e["took"] is not None]
    over = [e for e in found if not e["hushed"] and (e["took"] is not None or e["expired"] or e["anew"])]
    things = most(Counter((e["name"], e["subject"]) for e in found))
    by_name = defaultdict(list)
    for e in found:
        by_name[e["name"]].append(e)
    ignored = [
        (name, len(own))
        for name, own in (
            (name, [e for e in over if e["name"] == name])
            for name in by_name
            if not any(e["acted"] for e in by_name[name])
        )
        if len(own) >= 5
    ]

    def table(what: str, column: str) -> list[dict[str, Any]]:
        return [{what: v or None, "times": n} for v, n in most(Counter(e[column] for e in found))]

    return {
        "total_alerts": len(found),
        "most_common_type": names[0][0] if names else None,
        "peak_hour": hourly.index(max(hourly)) if found else None,
        "avg_resolution_time_minutes": round(sum(t // 1000 for t in took) / len(took) / 60_000, 1) if took else None,
        "type_distribution": dict(names),
        "hourly_distribution": hourly,
        "totals": {
            "times": len(found),
            "alerts": len({e["id"] for e in found}),
            "opened": sum(not e["again"] for e in found),
            "reopened": sum(e["again"] for e in found),
            "resolved": len(took),
            "expired": sum(e["expired"] for e in found),
            "began_anew": sum(e["anew"] for e in found),
            "still_open": sum(e["took"] is None and not e["expired"] and not e["anew"] for e in found),
            "suppressed": sum(e["hushed"] for e in found),
            "acted_on": sum(e["acted"] for e in found),
            "over": len(over),
            "over_without_an_act": sum(not e["acted"] for e in over),
        },
        "mtta": lengths([e["waited"] for e in found if e["waited"] is not None]),
        "mttr": lengths(took),
        "week": week,
        "by_type": [
            {
                "name": name,
                "times": n,
                "before": before[name],
                "resolved": sum(e["took"] is not None for e in by_name[name]),
                "expired": sum(e["expired"] for e in by_name[name]),
                "acted_on": sum(e["acted"] for e in by_name[name]),
                "mtta": lengths([e["waited"] for e in by_name[name] if e["waited"] is not None]),
                "mttr": lengths([e["took"] for e in by_name[name] if e["took"] is not None]),
            }
            for name, n in names
        ],
        "by_resource": table("resource", "subject"),
        "by_category": table("category", "category"),
        "by_source": table("source", "source"),
        "by_priority": table("priority", "priority"),
        "noisiest": [{"name": k[0], "resource": k[1] or None, "times": n} for k, n in things[:10]],
        "never_acted_on": [{"name": name, "times": n} for name, n in most(Counter(dict(ignored)))],
        "before": before.total(),
    }
