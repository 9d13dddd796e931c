"""Reads the rule behind an alert: metric, threshold, current value, how far over; words title and message with it."""

import math
import re

from enrichers import promql
from enrichers.api import Context
from enrichers.promql import Reading
from enrichers.subject import subject
from enrichers.units import figure, unit_of
from receiver.domain.enrichment import AlertView, Enrichment, Link

LOOKED_AT = 2000
"""Characters of an annotation that are searched for the value."""
_TOLD_IN = ("description", "message", "summary", "title")
_NUMBER = r"(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
_AFTER = r"\s*(%|percent\b|ms\b|milliseconds\b|s\b|seconds\b)?(?![\w.:/-])"
_PERCENT = re.compile(rf"(?<![\w.:/-]){_NUMBER}\s*(%|percent\b)")
_NAMED = re.compile(
    rf"(?:\b(?:value|current|currently|now|is at|is|at|of|has|usage)\b[\s:=]*|\w:\s+|\(){_NUMBER}{_AFTER}",
    re.IGNORECASE,
)
_FACTORS = {"ms": 0.001, "milliseconds": 0.001}


def thresholds(alert: AlertView, _context: Context) -> Enrichment | None:
    """What is measured and how bad it is, from the PromQL in `generatorURL` and the annotations."""
    reading = promql.read(alert.generator_url)
    annotations = alert.annotations
    about = subject(alert.labels, reading.selected if reading else {})
    summary = annotations.get("summary") or annotations.get("title")
    title = summary or (f"{alert.name} on {about}" if alert.name and about else alert.name or about)
    message = annotations.get("description") or annotations.get("message") or summary or ""
    if reading is None:
        return Enrichment(title=title or None, message=message or None, subject=about)
    unit = unit_of(reading)
    value = value_in(alert, reading, unit)
    overage = overage_percent(value, reading)
    said = _sentence(reading, unit, value, overage)
    server = promql.server_of(alert.generator_url)
    return Enrichment(
        title=title or None,
        message=" ".join(part for part in (message, said) if part) or None,
        subject=about,
        metric=reading.metric,
        value=value,
        threshold=reading.threshold,
        direction=reading.direction if reading.threshold is not None else None,
        unit=unit,
        overage_percent=overage,
        facts={"expression": reading.expression} | ({"prometheus": server} if server else {}),
        links=(Link("Expression in Prometheus", alert.generator_url),) if server else (),
    )


def overage_percent(value: float | None, reading: Reading) -> float | None:
    """How far beyond the threshold, in percent of it; None without a value, for states and for a zero threshold."""
    limit = reading.threshold
    if value is None or limit is None or limit == 0 or not reading.level:
        return None
    beyond = value - limit if reading.direction == "above" else limit - value
    return round(beyond / abs(limit) * 100, 1)


def value_in(alert: AlertView, reading: Reading, unit: str | None) -> float | None:
    """The current value as the annotations tell it, on the threshold's scale; None unless it is convincing.

    Convincing is a number that is named as the value (or is a percentage where percent are measured) and does lie
    beyond the threshold, as the value of a firing alert must.
    """
    if reading.threshold is None or reading.direction is None:
        return None
    label = alert.labels.get("value") or alert.annotations.get("value")
    texts = [label] if label and re.fullmatch(_NUMBER, label) else []
    if texts:
        found = float(texts[0])
        return found if math.isfinite(found) and beyond(found, reading) else None
    for key in _TOLD_IN:
        text = alert.annotations.get(key, "")[:LOOKED_AT]
        for candidate in _candidates(text, unit):
            if math.isfinite(candidate) and beyond(candidate, reading):
                return candidate
    return None


def beyond(value: float, reading: Reading) -> bool:
    """True when a rule with this comparison fires at that value."""
    limit = reading.threshold
    if limit is None:
        return False
    match reading.sign:
        case ">":
            return value > limit
        case ">=":
            return value >= limit
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case _:
            return value == limit


def _candidates(text: str, unit: str | None) -> list[float]:
    """Numbers in the text that may be the value, on the scale of the unit, the most convincing first."""
    shares = [float(found[1]) for found in _PERCENT.finditer(text)] if unit in ("percent", "ratio") else []
    named = [(float(found[1]), found[2]) for found in _NAMED.finditer(text)]
    if unit == "ratio":
        return [share / 100 for share in shares] + [number for number, sign in named if sign is None and number <= 1]
    if unit == "percent":
        return shares + [number for number, sign in named if sign is None]
    plain = [(number, sign) for number, sign in named if sign not in ("%", "percent")]
    if unit == "seconds":
        return [number * _FACTORS.get((sign or "").lower(), 1) for number, sign in plain]
    return [number for number, _ in plain]


_NOUNS = (
    ("cpu", "CPU"),
    ("memory", "Memory"),
    ("inode", "Inodes"),
    ("filesystem", "Free space"),
    ("latency", "Latency"),
)


def _noun(reading: Reading) -> str:
    """What people call what is measured; of a ratio, one of its metrics would be the wrong word."""
    metric = (reading.metric or "").lower()
    return next((noun for word, noun in _NOUNS if word in metric), "It" if reading.divided else reading.metric or "It")


def _sentence(reading: Reading, unit: str | None, value: float | None, overage: float | None) -> str:
    """What the reading adds to the message, e.g. "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"."""
    if reading.metric is None or reading.threshold is None or not reading.level:
        return ""
    limit = figure(reading.threshold, unit)
    if value is None:
        return f"It fires when {reading.metric} is {reading.direction} {limit}."
    by = "" if overage is None else f", {'exceeded' if reading.direction == 'above' else 'undercut'} by {overage:.1f}%"
    return f"{_noun(reading)} is at {figure(value, unit)} (threshold: {limit}{by})."
