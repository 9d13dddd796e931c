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
from receiver.domain.enrichment import AlertView, Direction, Enrichment
from receiver.domain.forms import OWN
from receiver.domain.words import called


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is the same for all alerts of one rule: found once, because a storm is many alerts of few rules."""

    reading: Reading
    unit: str | None
    silent: str = ""
    """The sentence for an alert whose value nothing tells."""
    begins: str = ""
    limit: str = ""
    """Of the sentence with the value."""
    state: str = ""
    """The sentence for an alert about a state or a presence that nobody describes."""


def thresholds(alert: AlertView, _context: Context) -> Enrichment | None:
    """What is measured and how bad it is, from the PromQL in `generatorURL` and the annotations."""
    rule = _rule(alert.generator_url) or _told_by(alert)
    annotations, labels = alert.annotations, alert.labels
    if alert.subject:
        about: str | None = alert.subject
    elif rule is None:
        about = subject(labels, {})
    else:
        about = subject(labels, rule.reading.selected, rule.reading.metric, rule.reading.kept)
    summary = annotations.get("summary") or annotations.get("title")
    title = alert.title or summary or (f"{alert.name} on {about}" if alert.name and about else alert.name or about)
    message = alert.message or annotations.get("description") or annotations.get("message") or summary or ""
    if rule is None:
        return Enrichment(title=title or None, message=message or None, subject=about)
    reading = rule.reading
    value = value_in(alert, reading, rule.unit) if alert.value is None else alert.value
    overage = overage_percent(value, reading)
    said = _sentence(rule, value, overage, undescribed=not message)
    if alert.kind == OWN:  # whoever words an own alert has the figures at hand
        message, said = (message, "") if message else (said.removesuffix("."), "")
    return Enrichment(
        title=title or None,
        message=_joined(message, said) or None,
        subject=about,
        metric=reading.metric,
        value=value,
        threshold=reading.threshold,
        direction=reading.direction if reading.threshold is not None else None,
        unit=rule.unit,
        overage_percent=overage,
    )


def _joined(message: str, said: str) -> str:
    if not message or not said:
        return message or said
    return f"{message} {said}" if message.endswith((".", "!", "?", ":", "…", ">")) else f"{message}. {said}"


def _told_by(alert: AlertView) -> _Rule | None:
    """What a sender says by itself of the metric and its threshold; None when it says nothing."""
    if alert.threshold is None or alert.metric is None:
        return None
    return _told(alert.metric, alert.threshold, alert.direction or "above", alert.unit)


@lru_cache(1024)
def _told(metric: str, threshold: float, direction: Direction, unit: str | None) -> _Rule:
    sign = "<" if direction == "below" else ">"
    reading = Reading("", metric=metric, metrics=(metric,), sign=sign, threshold=threshold)
    unit = unit or unit_of(reading)
    noun, limit = called(metric), figure(threshold, unit)
    return _Rule(reading, unit, f"{noun} is {_COMPARED[sign]} {limit}.", f"{noun} is at", limit)


@lru_cache(1024)
def _rule(generator_url: str) -> _Rule | None:
    reading = promql.read(generator_url)
    if reading is None:
        return None
    unit = unit_of(reading)
    if reading.metric is None:
        return _Rule(reading, unit)
    if reading.threshold is None or not reading.level:
        return _Rule(reading, unit, state=_state(reading))
    noun, limit = _noun(reading), figure(reading.threshold, unit)
    silent = f"It fires when {_measured(reading)} is {_COMPARED[reading.sign or '']} {limit}."
    begins = "Now at" if noun is None else f"{noun.replace('the ', 'The ', 1)} is at"
    return _Rule(reading, unit, silent, begins, limit)


_COMPARED = {">": "above", ">=": "at least", "<": "below", "<=": "at most"}


def _state(reading: Reading) -> str:
    """What firing means where no limit is passed, e.g. "redis_up is 0: it is down"."""
    if reading.functions & _ABSENCE:
        return f"Nothing reports {reading.metric}."
    if reading.threshold is None or reading.sign is None:
        return f"It fires while {reading.metric} is there."
    found = f"{_measured(reading)} is {_STATES.get(reading.sign, reading.sign)}{figure(reading.threshold, None)}"
    down = reading.sign == "==" and reading.threshold == 0 and (reading.metric or "").endswith(("up", "_success"))
    return f"{found}: it is down." if down else f"It fires when {found}."


_STATES = {"==": "", "!=": "not ", ">": "above ", ">=": "at least ", "<": "below ", "<=": "at most "}
_ABSENCE = frozenset({"absent", "absent_over_time"})


def overage_percent(value: float | None, reading: Reading) -> float | None:
    """How far beyond the threshold, in percent of it.

    None without a value, for states, for a number of things and for a zero threshold.
    """
    limit = reading.threshold
    if value is None or limit is None or limit == 0 or not reading.level or "count" in reading.functions:
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
    if named is not None and not reading.functions & _COUNTED and "pressure" not in metric:
        return named[1] if reading.direction == "above" else named[2]
    return None if reading.divided else _measured(reading)


def _measured(reading: Reading) -> str:
    """The measured side in words that stay true to the expression."""
    if reading.clock is not None:
        return f"{_CLOCKS[reading.clock]} {reading.metric}"
    if reading.divided:
        return f"the ratio it makes of {reading.metric}"
    said = next((words for function, words in _WORDS if function in reading.functions), "")
    return f"{said}{reading.metric}"


FEW = 20
_CLOCKS = {"since": "the time since", "until": "the time left until"}
_COUNTED = frozenset({"count", "changes", "resets"})
_WORDS = (
    ("histogram_quantile", "the quantile of "),
    ("predict_linear", "the forecast of "),
    ("timestamp", "the age of "),
    ("count", "the count of "),
    ("changes", "the changes of "),
    ("increase", "the increase of "),
    ("rate", "the rate of "),
    ("irate", "the rate of "),
    ("deriv", "the slope of "),
    ("delta", "the change of "),
)


def _sentence(rule: _Rule, value: float | None, overage: float | None, *, undescribed: bool) -> str:
    """What the reading adds to the message, e.g. "CPU is at 92% (threshold: 80%, exceeded by 15.0%)"."""
    if not rule.begins:
        return rule.state if undescribed else ""
    if value is None:
        return rule.silent
    above = rule.reading.direction == "above"
    # A small whole number of things is not told in percent, nor what is within the limit (it fell back since).
    counted = overage is None or overage <= 0 or (rule.unit == "count" and abs(rule.reading.threshold or 0) < FEW)
    by = "" if counted else f", {'exceeded' if above else 'below it'} by {overage:.1f}%"
    return f"{rule.begins} {figure(value, rule.unit)} (threshold: {rule.limit}{by})."
