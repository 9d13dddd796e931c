"""The answer about patterns: the figures of a Tally in API form."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import chain
from typing import Any

from receiver.domain.insights import insights
from receiver.domain.patterns import LEAST, Asked, Open
from receiver.domain.spread import Spread, seconds, spread
from receiver.domain.tally import OTHER, Record, Tally
from receiver.domain.times import SECOND, Instant, rfc3339
from receiver.domain.usual import usual, weekday

TYPES, LISTED, TOP = 500, 50, 10
"""Names in `type_distribution`, entries of a table, entries of a list of the worst."""


def report(tally: Tally, asked: Asked, before: Mapping[str, int] | None, longest: Sequence[Open]) -> dict[str, Any]:
    """The answer. `before` counts the same many days before, by name; None when they are not known."""
    hourly, week = _hours(tally)
    types = _by_name(tally)
    kinds = [(kind.rsplit(" ", 2), n) for kind, n in tally.kinds.items()]
    lengths = {name: record.lengths() for name, record in tally.records.items()}
    reactions = {name: sorted(record.reactions) for name, record in tally.records.items()}
    whole = spread(*lengths.values())
    most = types.most_common(1)
    return extent(asked) | {
        "total_alerts": tally.times,
        "most_common_type": most[0][0] if most else None,
        "peak_hour": max(range(24), key=hourly.__getitem__) if tally.times else None,
        "avg_resolution_time_minutes": None if whole.mean is None else round(whole.mean / 60_000, 1),
        "type_distribution": _cut(types, TYPES),
        "hourly_distribution": hourly,
        "totals": _totals(tally),
        "before": _before(tally.times, before),
        "mtta": shown(spread(*reactions.values())),
        "mttr": shown(whole),
        "week": week,
        "by_type": [
            _type(name, tally.records[name], (reactions[name], lengths[name]), before)
            for name, _ in types.most_common(LISTED)
        ],
        "by_resource": _table("resource", _ordered(tally.subjects)),
        "by_category": _table("category", _summed((kind[1], n) for kind, n in kinds)),
        "by_source": _table("source", _summed((kind[0], n) for kind, n in kinds)),
        "by_priority": _table("priority", _summed((kind[2], n) for kind, n in kinds)),
        "noisiest": [
            {"name": name, "resource": subject or None, "times": n} for name, subject, n in _most(tally.records, TOP)
        ],
        "flapping": _flapping(tally),
        "longest_open": [_open(one, asked.until) for one in longest],
        "never_acted_on": _never_acted_on(tally),
        "insights": insights(tally, lengths, asked, before, longest),
    }


def extent(asked: Asked) -> dict[str, Any]:
    """What an answer is about, and how far that is known."""
    return {
        "since": rfc3339(asked.since),
        "until": rfc3339(asked.until),
        "days": asked.days,
        "zone": asked.zone,
        "known_since": None if asked.known_since is None else rfc3339(asked.known_since),
        "complete": asked.complete,
    }


def shown(found: Spread) -> dict[str, Any]:
    """A spread in API form."""
    return {
        "count": found.count,
        "mean_seconds": seconds(found.mean),
        "p50_seconds": seconds(found.p50),
        "p95_seconds": seconds(found.p95),
    }


# --- the parts ------------------------------------------------------------------------------------------------------


def _ordered(counts: Mapping[Any, int]) -> Counter[Any]:
    """So that of equally many the first in the alphabet comes first."""
    return Counter(dict(sorted(counts.items())))


def _most(records: Mapping[str, Record], most: int) -> list[tuple[str, str, int]]:
    """The most common (name, subject), of equally many the first in the alphabet first.

    Of many only the likely ones are sorted.
    """
    least = min(nlargest(most, chain.from_iterable(record.subjects.values() for record in records.values())), default=0)
    likely = [
        (name, subject, n) for name, record in records.items() for subject, n in record.subjects.items() if n >= least
    ]
    return sorted(likely, key=lambda one: (-one[2], *one[:2]))[:most]


def _summed(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    summed = Counter[str]()
    for name, n in counts:
        summed[name] += n
    return _ordered(summed)


def _by_name(tally: Tally) -> Counter[str]:
    return _ordered({name: record.times for name, record in tally.records.items()})


def _cut(counts: Counter[str], most: int) -> dict[str, int]:
    listed = dict(counts.most_common(most))
    rest = counts.total() - sum(listed.values())
    return listed | {OTHER: rest + listed.get(OTHER, 0)} if rest else listed


def _table(what: str, counts: Counter[str]) -> list[dict[str, Any]]:
    rows = [{what: name or None, "times": n} for name, n in counts.most_common(LISTED)]
    rest = counts.total() - sum(n for _, n in counts.most_common(LISTED))
    return [*rows, {what: OTHER, "times": rest}] if rest else rows


def _hours(tally: Tally) -> tuple[list[int], list[list[int]]]:
    week = [[0] * 24 for _ in range(7)]
    for record in tally.records.values():
        for hour, n in record.hours.items():
            week[weekday(hour)][hour % 24] += n
    return [sum(day[hour] for day in week) for hour in range(24)], week


def _totals(tally: Tally) -> dict[str, int]:
    records = tally.records.values()

    def total(name: str) -> int:
        return sum(getattr(record, name) for record in records)

    again = total("again")
    return {
        "times": tally.times,
        "alerts": tally.alerts,
        "opened": tally.times - again,
        "reopened": again,
        "resolved": total("resolved"),
        "expired": total("expired"),
        "began_anew": total("anew"),
        "still_open": total("open"),
        "suppressed": total("hushed"),
        "acted_on": total("acted"),
        "over": total("over"),
        "over_without_an_act": total("ignored"),
    }


def _before(times: int, before: Mapping[str, int] | None) -> dict[str, Any]:
    if before is None:
        return {"times": None, "change_percent": None}
    earlier = sum(before.values())
    return {"times": earlier, "change_percent": round((times - earlier) * 100 / earlier) if earlier else None}


def _type(
    name: str,
    record: Record,
    took: tuple[Sequence[int], Sequence[int]],
    before: Mapping[str, int] | None,
) -> dict[str, Any]:
    found = usual(record.hours)
    return {
        "name": name,
        "times": record.times,
        "before": None if before is None else before.get(name, 0),
        "resolved": record.resolved,
        "expired": record.expired,
        "acted_on": record.acted,
        "mtta": shown(spread(took[0])),
        "mttr": shown(spread(took[1])),
        "usually": None if found is None else found.spoken,
    }


def _flapping(tally: Tally) -> list[dict[str, Any]]:
    return [
        {
            "alert": one.alert,
            "name": one.name,
            "resource": one.subject or None,
            "times": one.times,
            "since": rfc3339(one.since),
            "until": rfc3339(one.until),
        }
        for one in tally.flapping()[:TOP]
    ]


def _open(one: Open, now: Instant) -> dict[str, Any]:
    return {
        "alert": one.alert,
        "name": one.name,
        "resource": one.subject or None,
        "priority": one.priority,
        "status": one.status,
        "since": rfc3339(one.since),
        "seconds": max(0, (now - one.since) // SECOND),
    }


def _never_acted_on(tally: Tally) -> list[dict[str, Any]]:
    """Names that were over LEAST times and more, people having been told, without anybody doing anything."""
    found = [
        (record.over, name)
        for name, record in tally.records.items()
        if record.over >= LEAST and record.ignored == record.over and not record.acted
    ]
    return [{"name": name, "times": n} for n, name in sorted(found, key=lambda one: (-one[0], one[1]))[:LISTED]]
