"""Reads the rule behind an alert: metric, threshold, current value, how far over; words title and message with it."""

import math
from dataclasses import dataclass
from functools import lru_cache

from enrichers import promql
from enrichers.api import Context
from enrichers.promql import Reading
from enrichers.subject import subject
from enrichers.units import figure, unit_of
from enrichers.values import value_in
from receiver.domain.enrichment import AlertView, Enrichment


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is the same for all alerts of one rule: found once, because a storm is many alerts of few rules."""

    reading: Reading
    unit: str | None
    silent: str
    """The sentence for an alert whose value nothing tells."""
    begins: str
    limit: str
    """Of the sentence with the value."""


def thresholds(alert: AlertView, _context: Context) -> Enrichment | None:
    """What is measured and how bad it is, from the PromQL in `generatorURL` and the annotations."""
    rule = _rule(alert.generator_url)
    annotations, labels = alert.annotations, alert.labels
    if alert.subject:
        about: str | None = alert.subject
    elif rule is None:
        about = subject(labels, {})
    else:
        about = subject(labels, rule.reading.selected, rule.reading.metric)
    summary = annotations.get("summary") or annotations.get("title")
    title = alert.title or summary or (f"{alert.name} on {about}" if alert.name and about else alert.name or about)
    message = alert.message or annotations.get("description") or annotations.get("message") or summary or ""
    if rule is None:
        return Enrichment(title=title or None, message=message or None, subject=about)
    reading = rule.reading
    value = value_in(alert, reading, rule.unit)
    overage = overage_percent(value, reading)
    said = _sentence(rule, value, overage)
    return Enrichment(
        title=title or None,
        message=f"{message} {said}" if message and said else message or said or None,
        subject=about,
        metric=reading.metric,
        value=value,
        threshold=reading.threshold,
        direction=reading.direction if reading.threshold is not None else None,
        unit=rule.unit,
        overage_percent=overage,
    )


@lru_cache(1024)
def _rule(generator_url: str) -> _Rule | None:
    reading = promql.read(generator_url)
    if reading is None:
        return None
    unit, noun = unit_of(reading), _noun(reading)
    silent = begins = limit = ""
    if reading.metric is not None and reading.threshold is not None and reading.level:
        limit = figure(reading.threshold, unit)
        silent = f"It fires when {_measured(reading)} is {reading.direction} {limit}."
        begins = "Now at" if noun is None else f"{noun.replace('the ', 'The ', 1)} is at"
    return _Rule(reading, unit, silent, begins, limit)


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


def _sentence(rule: _Rule, value: float | None, overage: float | None) -> str:
    """What the reading adds to the message, e.g. "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"."""
    if value is None or not rule.begins:
        return rule.silent
    above = rule.reading.direction == "above"
    by = "" if overage is None else f", {'exceeded' if above else 'below it'} by {overage:.1f}%"
    return f"{rule.begins} {figure(value, rule.unit)} (threshold: {rule.limit}{by})."
