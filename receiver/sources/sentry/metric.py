"""What Sentry says of a metric alert."""

import re
from collections.abc import Mapping
from typing import Any

from receiver.domain.enrichment import Direction, Enrichment, Link
from receiver.sources.sentry.fields import fields, items, number, organization_in, text
from receiver.sources.text import safe_url

_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?")
_SEVERITIES = {"critical": "critical", "warning": "warning"}
_DIRECTIONS: Mapping[str, Direction] = {"0": "above", "1": "below"}
_BY_STATUS = {20: "critical", 10: "warning"}


def rule_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The alert rule: the subject of a metric alert is the rule, not one incident of it."""
    return fields(raw, "metric_alert", "alert_rule")


def labels(raw: Mapping[str, Any], action: str) -> dict[str, str]:
    """The alert's labels."""
    alert, rule = fields(raw, "metric_alert"), rule_of(raw)
    projects = [name for name in map(text, items(alert.get("projects"))) if name]
    status = alert.get("status")
    severity = _SEVERITIES.get(action) or _BY_STATUS.get(status if isinstance(status, int) else 0, "")
    told = {
        "alertname": text(rule.get("name"), alert.get("title"), longest=200) or "Metric alert",
        "severity": severity,
        "project": ",".join(projects[:10]),
        "environment": text(rule.get("environment"), longest=100),
        "organization": organization_in(raw.get("web_url")),
    }
    return {name: value for name, value in told.items() if value}


def told(raw: Mapping[str, Any], action: str) -> Enrichment:
    """Title, figures, link."""
    alert, rule = fields(raw, "metric_alert"), rule_of(raw)
    said = text(raw.get("description_text"), longest=2000).replace("\\n", "\n")
    threshold = _threshold(rule, action)
    direction = _DIRECTIONS.get(text(rule.get("threshold_type"), longest=1))
    value = _value(said, threshold, direction)
    url = safe_url(raw.get("web_url"))
    facts = {
        "query": text(rule.get("query")),
        "dataset": text(rule.get("dataset"), longest=100),
        "window_minutes": rule.get("time_window") if isinstance(rule.get("time_window"), int | float) else None,
        "incident": text(alert.get("identifier"), alert.get("id"), longest=40),
        "comparison_delta_minutes": rule.get("comparison_delta")
        if isinstance(rule.get("comparison_delta"), int | float)
        else None,
    }
    return Enrichment(
        title=text(rule.get("name"), alert.get("title"), raw.get("description_title"), longest=300) or None,
        message=said or None,
        subject=text(rule.get("name"), longest=200) or None,
        metric=text(rule.get("aggregate"), longest=200) or None,
        value=value,
        threshold=threshold,
        direction=direction if threshold is not None else None,
        overage_percent=_overage(value, threshold, direction),
        facts={name: fact for name, fact in facts.items() if fact not in ("", None)},
        links=(Link("Alert in Sentry", url),) if url else (),
    )


def _threshold(rule: Mapping[str, Any], action: str) -> float | None:
    """That of the trigger that fired; of a resolved one, of the most severe."""
    triggers = [trigger for trigger in items(rule.get("triggers")) if isinstance(trigger, dict)]
    named = [trigger for trigger in triggers if trigger.get("label") == action] or triggers
    return number(named[0].get("alert_threshold")) if named else None


def _value(said: str, threshold: float | None, direction: Direction | None) -> float | None:
    """There is no field for the value: it is the first number of the description, where the rule does fire."""
    found = _NUMBER.match(said)
    if found is None or threshold is None or direction is None:
        return None
    value = float(found[0])
    return value if (value >= threshold if direction == "above" else value <= threshold) else None


def _overage(value: float | None, threshold: float | None, direction: Direction | None) -> float | None:
    if value is None or not threshold:
        return None
    beyond = value - threshold if direction == "above" else threshold - value
    return number(round(beyond / abs(threshold) * 100, 1))  # beyond a threshold of next to nothing it is infinite
