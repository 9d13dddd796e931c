"""What to do about a rule that alerts too often: a proposal with its evidence, or to keep it as it is.

What is known are the times that it alerted, for how long, what people did about them, and one value for each alert (the
last that it was described with). What was measured in between, or while it was silent, is not known: no proposal claims
to know how often another threshold would have alerted.
"""

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

from receiver.domain.findings import shown
from receiver.domain.history import spoken
from receiver.domain.patterns import Times
from receiver.domain.spread import length, percentile, spread
from receiver.domain.tally import Record
from receiver.domain.times import MINUTE, SECOND, Instant
from receiver.domain.value import value

LEAST = 10
"""Of fewer times that are over nothing is proposed."""
LEAST_DAYS = 3
LEAST_VALUES = 10
RECENT = 50
"""Alerts of each name whose values are looked at, the newest."""
SELDOM = 0.1
"""Acted on at most so often, it is mostly noise."""
SHORT_SHARE = 0.5
"""So many of those that nobody acted on have to be short for a longer `for:` to help."""
WAITS = (1, 2, 3, 5, 10, 15, 20, 30)
"""Minutes that a longer `for:` may be."""
HEADROOM = 0.2
FULL = {"percent": 100.0, "ratio": 1.0}
"""Where a quantity ends, by its unit: no threshold can be beyond."""


@value
class Reading:
    """What was read of one alert's figures when it was last described; None for what was not."""

    alert: int
    value: float | None
    threshold: float | None
    direction: str | None
    unit: str | None
    metric: str | None


class Recent:
    """The newest alerts of each name."""

    def __init__(self) -> None:
        self._alerts: dict[str, list[tuple[Instant, int]]] = {}
        """The newest last."""

    def add(self, more: Times) -> None:
        """These as well."""
        for name, began, alert in zip(more.names, more.began, more.alerts, strict=True):
            self._alerts.setdefault(name, []).append((began, alert))
        for name in dict.fromkeys(more.names):
            self._alerts[name].sort()
            del self._alerts[name][:-RECENT]

    def of(self, name: str) -> list[int]:
        """At most RECENT, each once."""
        return list(dict.fromkeys(alert for _, alert in self._alerts.get(name, ())))


@value
class Proposal:
    """What to do about one rule."""

    action: str
    """`keep`, `raise_threshold` (`lower_threshold` where low values alert), `longer_for`, `delete`."""
    why: str
    """One or two sentences with the figures that it rests on."""
    threshold: float | None = None
    seconds: int | None = None
    """How much longer `for:` should be."""


def hygiene(name: str, record: Record, days: int, flaps: int, readings: Sequence[Reading]) -> dict[str, Any]:
    """One rule's line of the report: it alerted on so many different days, and so many of its alerts flapped."""
    values = comparable(readings)
    proposal = propose(record, days, values)
    return {
        "name": name,
        "proposal": proposal.action,
        "threshold": proposal.threshold,
        "for_seconds": proposal.seconds,
        "why": proposal.why,
        "evidence": {
            "times": record.times,
            "days": days,
            "over": record.over,
            "acted_on": record.acted,
            "over_without_an_act": record.ignored,
            "suppressed": record.hushed,
            "expired": record.expired,
            "flapping_alerts": flaps,
            "lengths": shown(spread(record.lengths())),
            "lengths_without_an_act": shown(spread(sorted(record.unheeded))),
            "values": _values(values),
        },
    }


def propose(record: Record, days: int, readings: Sequence[Reading]) -> Proposal:
    """What to do about a rule. `readings` are comparable: the same unit, direction and metric."""
    if record.over < LEAST:
        why = f"Only {record.over} of its times are over and were told to people; less than {LEAST} say nothing."
        return Proposal("keep", why)
    if days < LEAST_DAYS:
        return Proposal("keep", f"It alerted on {_days(days)} only: that is one trouble, and says nothing of the rule.")
    heeded = record.over - record.ignored
    acted = f"Somebody acted on {heeded} of {record.over}" if heeded else f"Nobody acted on any of {record.over}"
    if heeded > record.over * SELDOM:
        return Proposal("keep", f"{acted}: people need it.")
    return _longer_for(record, acted) or _threshold(readings, acted) or _delete(record, acted, days)


def comparable(readings: Iterable[Reading]) -> list[Reading]:
    """Those with a finite value; none when they are not of one and the same quantity."""
    known = [one for one in readings if _figure(one.value) and one.direction is not None]
    return known if len({(one.metric, one.direction, one.unit) for one in known}) == 1 else []


def _longer_for(record: Record, acted: str) -> Proposal | None:
    """The shortest `for:` that keeps most of the noise away and nothing that somebody acted on."""
    heeded = min(record.heeded, default=None)
    for minutes in WAITS:
        wait = minutes * MINUTE
        short = sum(length(took) < wait for took in record.unheeded)
        if short < record.ignored * SHORT_SHARE:
            continue
        if heeded is not None and length(heeded) < wait:
            return None
        others = f"the other {record.ignored}" if record.ignored < record.over else "them"
        why = f"{acted}. {short} of {others} were over within {spoken(wait)}"
        kept = "" if heeded is None else ", none of those that somebody acted on"
        return Proposal("longer_for", f"{why}{kept}: let it wait {spoken(wait)} longer.", seconds=wait // SECOND)
    return None


def _figure(value: float | None) -> bool:
    # a database that writes the largest numbers with a digit less makes them infinite
    return value is not None and isfinite(value)


def _threshold(readings: Sequence[Reading], acted: str) -> Proposal | None:
    """95 % of the seen values, and 20 % of headroom, away from where it alerts."""
    if len(readings) < LEAST_VALUES:
        return None
    first = readings[0]
    ranked = sorted(one.value for one in readings if one.value is not None)
    below = first.direction == "below"
    edge = percentile(ranked, 5) if below else percentile(ranked, 95)
    proposed = _round(edge - abs(edge) * HEADROOM if below else edge + abs(edge) * HEADROOM)
    present = {one.threshold for one in readings if one.threshold is not None}
    if any(proposed >= now if below else proposed <= now for now in present):
        return None
    full = FULL.get(first.unit or "")
    if (below and proposed <= 0) or (full is not None and proposed >= full):
        return None
    unit = f" ({first.unit})" if first.unit else ""
    seen = f"95 % of {len(ranked)} seen values were {'at least' if below else 'at most'} {edge:g}{unit}"
    why = f"{acted}. {seen}: that and 20 % of headroom make {proposed:g}."
    return Proposal("lower_threshold" if below else "raise_threshold", why, threshold=proposed)


def _delete(record: Record, acted: str, days: int) -> Proposal:
    if record.acted or record.heeded:
        why = f"{acted}, and neither its lengths nor its values tell how to make it better: look at what it is for."
        return Proposal("keep", why)
    why = f"{acted}, on {_days(days)}: delete it, or send it to nobody."
    return Proposal("delete", why)


def _days(days: int) -> str:
    return "one day" if days == 1 else f"{days} days"


def _round(number: float) -> float:
    """To three figures: more would be a precision that nobody measured."""
    return float(f"{number:.3g}")


def _values(readings: Sequence[Reading]) -> dict[str, Any] | None:
    """The seen values in API form; None without comparable ones."""
    if not readings:
        return None
    ranked = sorted(one.value for one in readings if one.value is not None)
    thresholds = sorted({one.threshold for one in readings if one.threshold is not None and _figure(one.threshold)})
    return {
        "count": len(ranked),
        "least": ranked[0],
        "p50": percentile(ranked, 50),
        "p95": percentile(ranked, 95),
        "most": ranked[-1],
        "thresholds": thresholds[:10],
        "direction": readings[0].direction,
        "unit": readings[0].unit,
        "metric": readings[0].metric,
        "note": "one value for each alert, the last that it was described with; those of its repeats are not kept",
    }
