"""Units of metrics, and figures as people read them."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta

import humanize

from enrichers.promql import Reading
from receiver.domain.words import UNITS

_SHARE = re.compile(r"[:_]ratio(?:[:_]|$)")
_MOMENT = re.compile(r"timestamp(?:_seconds)?$")
_ABSENCE = frozenset({"absent", "absent_over_time"})
_COUNTING = frozenset({"count", "increase", "changes", "resets"})
_SCALES: Mapping[str, tuple[tuple[str, float], ...]] = {
    "seconds": (("milliseconds", 1000.0), ("minutes", 1 / 60), ("hours", 1 / 3600), ("days", 1 / 86400)),
    "milliseconds": (("seconds", 0.001),),
}
"""What a unit is called after a multiplication."""
_RATES = frozenset({"rate", "irate"})


def unit_of(reading: Reading) -> str | None:
    """The unit of the measured side: percent, ratio, bytes, seconds, per_second, count ...; None for an unknown one."""
    metric = (reading.metric or "").removesuffix("_bucket")
    if reading.direction == "equal" or reading.functions & _ABSENCE:
        return "state"
    if reading.scale == 100:
        return "percent"
    timed = reading.clock is not None or _MOMENT.search(metric) is not None
    if reading.scale != 1:
        return _rescaled("seconds" if timed else _by_suffix(metric, reading), reading.scale)
    lasting = metric.endswith(("_seconds_sum", "_time_seconds_total"))
    if reading.divided and not lasting:
        # Of one thing divided by another, only what has a limit up to 1 is a share of a whole.
        return "ratio" if reading.threshold is None or abs(reading.threshold) <= 1 else None
    if reading.divided or timed:
        return "seconds"
    return _by_suffix(metric, reading)


def _rescaled(unit: str | None, scale: float) -> str | None:
    """The unit after a multiplication; None when it has no name of its own."""
    scales = _SCALES.get(unit or "", ())
    return next((name for name, factor in scales if math.isclose(scale, factor)), None)


def _by_suffix(metric: str, reading: Reading) -> str | None:
    found = next((unit for endings, unit in UNITS if metric.endswith(endings)), None)
    if found is None and _SHARE.search(metric):
        return "ratio"  # recording rules name it inside: job:errors:ratio_rate5m
    if reading.functions & _RATES and "histogram_quantile" not in reading.functions:
        return {"bytes": "bytes_per_second", "seconds": "ratio"}.get(found or "", "per_second")
    if found is None and (reading.functions & _COUNTING or metric.endswith("_total")):
        return "count"
    return found


def figure(value: float, unit: str | None) -> str:
    """The value for people: 92%, 1.5 GiB, 5 minutes, 3.2/s."""
    return _FIGURES.get(unit or "", _short)(value)


def _short(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _span(seconds: float) -> str:
    """At most two units, the larger first: more than that nobody reads."""
    if not math.isfinite(seconds) or abs(seconds) > 10**10:
        return f"{seconds:g} s"
    if abs(seconds) < 1:
        return f"{_short(seconds * 1000)} ms" if seconds else "0 s"
    if abs(seconds) < 60:
        return f"{_short(seconds)} s"
    coarse = next((step for above, step in _COARSE if abs(seconds) >= above), 1)
    whole = timedelta(seconds=round(seconds / coarse) * coarse)
    return humanize.precisedelta(whole, minimum_unit="seconds", suppress=("months", "years"), format="%.0f")


_COARSE = ((86400 * 10, 86400), (86400, 3600), (3600, 60))
"""(from how many seconds, what is rounded to)."""
_FIGURES: Mapping[str, Callable[[float], str]] = {
    "ratio": lambda value: f"{_short(value * 100)}%",
    "percent": lambda value: f"{_short(value)}%",
    "bytes": lambda value: humanize.naturalsize(value, binary=True),
    "bytes_per_second": lambda value: f"{humanize.naturalsize(value, binary=True)}/s",
    "seconds": _span,
    "milliseconds": lambda value: _span(value / 1000),
    "minutes": lambda value: _span(value * 60),
    "hours": lambda value: _span(value * 3600),
    "per_second": lambda value: f"{_short(value)}/s",
    "celsius": lambda value: f"{_short(value)} °C",
    "days": lambda value: f"{_short(value)} days",
}
