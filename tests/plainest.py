"""Patterns, counted from all Changes of all alerts in the plainest way."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from receiver.domain.times import DAY, MINUTE
from receiver.store.tables import alert, change, content
from tests.manyalerts import ACTS, BEGINS


def stored(connection: Connection) -> tuple[list[dict[str, Any]], dict[int, list[dict[str, Any]]]]:
    """All alerts, and all Changes of each in order."""
    trails = defaultdict(list)
    for row in connection.execute(select(change).order_by(change.c.alert_id, change.c.seq)).mappings():
        trails[row["alert_id"]].append(dict(row))
    return [dict(row) for row in connection.execute(select(alert)).mappings()], trails


def values(connection: Connection) -> dict[int, float | None]:
    """The value of each alert, if it has one."""
    rows = connection.execute(select(content.c.alert_id, content.c.detail))
    return {number: json.loads(detail).get("value") for number, detail in rows}


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


def evidence(
    alerts: Any, trails: Any, values: dict[int, float | None], since: int, until: int
) -> dict[str, dict[str, Any]]:
    """What hygiene has to say of each name: the values are those of the alerts that began last, fifty times."""
    found = defaultdict(list)
    for e in episodes(alerts, trails, since, until):
        found[e["name"]].append(e)
    told = {}
    for name, own in found.items():
        over = [e for e in own if not e["hushed"] and (e["took"] is not None or e["expired"] or e["anew"])]
        newest = {e["id"] for e in sorted(own, key=lambda e: (e["began"], e["id"]))[-50:]}
        seen = sorted(value for number in newest if (value := values[number]) is not None)
        told[name] = {
            "times": len(own),
            "days": len({e["began"] // DAY for e in own}),
            "over": len(over),
            "acted_on": sum(e["acted"] for e in own),
            "over_without_an_act": sum(not e["acted"] for e in over),
            "suppressed": sum(e["hushed"] for e in own),
            "expired": sum(e["expired"] for e in own),
            "lengths": lengths([e["took"] for e in own if e["took"] is not None]),
            "lengths_without_an_act": lengths(
                [e["took"] for e in own if e["took"] is not None and not e["acted"] and not e["hushed"]]
            ),
            "values": {"count": len(seen), "least": seen[0], "most": seen[-1]},
        }
    return told


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
