"""Reads the rule behind an alert: metric, threshold, current value, how far over; words title and message with it."""

import math

from enrichers import promql
from enrichers.api import Context
from enrichers.promql import Reading
from enrichers.subject import subject
from enrichers.units import figure, unit_of
from enrichers.values import value_in
from receiver.domain.enrichment import AlertView, Enrichment, Link


def thresholds(alert: AlertView, _context: Context) -> Enrichment | None:
    """What is measured and how bad it is, from the PromQL in `generatorURL` and the annotations."""
    reading = promql.read(alert.generator_url)
    annotations = alert.annotations
    about = alert.subject or subject(
        alert.labels, reading.selected if reading else {}, reading.metric if reading else None
    )
    summary = annotations.get("summary") or annotations.get("title")
    title = alert.title or summary or (f"{alert.name} on {about}" if alert.name and about else alert.name or about)
    message = alert.message or annotations.get("description") or annotations.get("message") or summary or ""
    if reading is None:
        return Enrichment(title=title or None, message=message or None, subject=about)
    unit = unit_of(reading)
    value = value_in(alert, reading, unit)
    overage = overage_percent(value, reading)
    said = _sentence(reading, unit, value, overage)
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
        facts={"expression": reading.expression} | ({"prometheus": reading.server} if reading.server else {}),
        links=(Link("Expression in Prometheus", alert.generator_url),) if reading.server else (),
    )


def overage_percent(value: float | None, reading: Reading) -> float | None:
    """How far beyond the threshold, in percent of it; None without a value, for states and for a zero threshold."""
    limit = reading.threshold
    if value is None or limit is None or limit == 0 or not reading.level:
        return None
    beyond = value - limit if reading.direction == "above" else limit - value
    overage = beyond / abs(limit) * 100
    return round(overage, 1) if math.isfinite(overage) else None


_NOUNS = (
    ("cpu", "CPU", "CPU"),
    ("memavailable", "Memory", "Available memory"),
    ("memory", "Memory", "Memory"),
    ("inode", "Inodes", "Inodes"),
    ("filesystem_files", "Used inodes", "Free inodes"),
    ("filesystem", "Used space", "Free space"),
    ("latency", "Latency", "Latency"),
)
"""(part of the metric, what people call it when too much of it is the trouble, and when too little is)."""


def _noun(reading: Reading) -> str | None:
    """What people call what is measured; None for a ratio without a name: one of its metrics would mislead."""
    metric = (reading.metric or "").lower()
    named = next((row for row in _NOUNS if row[0] in metric), None)
    if named is not None and not reading.functions & _COUNTED:
        return named[1] if reading.direction == "above" else named[2]
    return None if reading.divided else _measured(reading)


def _measured(reading: Reading) -> str:
    """The measured side in words that stay true to the expression."""
    if reading.divided:
        return f"the ratio it makes of {reading.metric}"
    said = next((words for function, words in _WORDS if function in reading.functions), "")
    return f"{said}{reading.metric}"


_COUNTED = frozenset({"count", "changes", "resets"})
_WORDS = (
    ("histogram_quantile", "the quantile of "),
    ("predict_linear", "the forecast of "),
    ("time", "the age of "),
    ("timestamp", "the age of "),
    ("count", "the count of "),
    ("changes", "the changes of "),
    ("increase", "the increase of "),
    ("rate", "the rate of "),
    ("irate", "the rate of "),
    ("deriv", "the slope of "),
    ("delta", "the change of "),
)


def _sentence(reading: Reading, unit: str | None, value: float | None, overage: float | None) -> str:
    """What the reading adds to the message, e.g. "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"."""
    if reading.metric is None or reading.threshold is None or not reading.level:
        return ""
    limit = figure(reading.threshold, unit)
    if value is None:
        return f"It fires when {_measured(reading)} is {reading.direction} {limit}."
    by = "" if overage is None else f", {'exceeded' if reading.direction == 'above' else 'below it'} by {overage:.1f}%"
    noun = _noun(reading)
    now = "Now at" if noun is None else f"{noun.replace('the ', 'The ', 1)} is at"
    return f"{now} {figure(value, unit)} (threshold: {limit}{by})."
