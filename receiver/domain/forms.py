"""The forms in which programs tell of alerts of their own: what is made of each one's parameters stands in one table.

Priority and recommendations are not made here: they come from the chain and the rule book, as for any other alert.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any

from receiver.domain.enrichment import READ_FACTS, Direction, Enrichment, Impact
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority
from receiver.domain.words import bare, headed, words_of

Given = Mapping[str, Any]
"""The parameters of a form by name: JSON values, those that were not given being absent."""
OWN = "api"
"""The kind of sender, and the name of the source, of what programs tell of by themselves."""
_RESERVED = READ_FACTS | {"test"}
"""Names of facts that mean something to alertsage, and so never come from metadata."""


@dataclass(frozen=True, slots=True)
class Form:
    """How an alert is made of parameters. Texts are templates: a blank names a parameter, or a word of `_words`."""

    says: str
    """What it is for, one phrase."""
    name: str
    """Template of the alert's type."""
    resource: str
    """The parameter that names the thing."""
    title: str
    category: Category | None = None
    messages: tuple[str, ...] = ()
    """Templates; the first whose blanks are all filled is the message. Without any, the reading words it."""
    metric: str = "metric_name"
    """The parameters that tell what was measured, the value that was found, and the limit."""
    found: str = "current_value"
    limit: str = "threshold_value"
    unit: str | None = None
    direction: Direction | None = None
    """On which side of the limit the trouble always lies; None where the value tells."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Label to parameter."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Fact to parameter."""


PLAIN = "alert"
"""The form whose parameters say all by themselves: the seed's `create_alert`."""
_ERROR = {"error_type": "error_type", "error_value": "error_message", "error_count": "error_count"}
_PLACE = {"endpoint": "affected_endpoint", "stack": "stack_trace"}
FORMS: Mapping[str, Form] = {
    PLAIN: Form(
        "an alert in your own words",
        name="{type}",
        resource="resource",
        title="{title}",
        metric="metric",
        found="value",
        limit="threshold",
    ),
    "system": Form(
        "a figure of a machine passed its limit (CPU, memory, disk)",
        name="{metric_name}_{side}",
        resource="resource",
        title="{Side} {What} - {resource}",
        category=Category.SYSTEM,
        labels={"instance": "resource"},
    ),
    "application-error": Form(
        "a program caught an error",
        name="{error_type}",
        resource="source",
        title="{error_type} in {source}",
        category=Category.APPLICATION,
        messages=("{error_message}",),
        labels={"service": "source"},
        facts=_ERROR | _PLACE,
    ),
    "performance": Form(
        "something is slower, or does less, than it should",
        name="{metric_name}_{side}",
        resource="resource",
        title="{Side} {What}{Percentile} - {resource}",
        category=Category.PERFORMANCE,
        labels={"percentile": "percentile"},
    ),
    "security": Form(
        "somebody tries what they should not",
        name="{event_type}",
        resource="resource",
        title="{Event} - {resource}",
        category=Category.SECURITY,
        messages=(
            "{description}",
            "{attempts} attempts from {source_ip} (threshold: {threshold_value})",
            "{attempts} attempts (threshold: {threshold_value})",
            "{attempts} attempts from {source_ip}",
            "{attempts} attempts",
            "from {source_ip}",
        ),
        metric="event_type",
        found="attempts",
        unit="count",
        direction="above",
        facts={"source_ip": "source_ip", "account": "account", "attempts": "attempts"},
    ),
    "business": Form(
        "a figure of the business is not what it should be",
        name="{metric_name}_{side}",
        resource="resource",
        title="{Side} {What} - {resource}",
        category=Category.BUSINESS,
        facts={"period": "period"},
    ),
    "availability": Form(
        "something does not answer",
        name="service_down",
        resource="resource",
        title="{resource} is down",
        category=Category.AVAILABILITY,
        messages=("{error_message}", "{resource} does not answer at {endpoint}", "{resource} does not answer"),
        facts={"endpoint": "endpoint", "failed_checks": "failed_checks"},
    ),
}
"""By the word in the URL. A word more here and its parameters in `receiver/web/forms_create.py` make another form."""


@value
class Made:
    """What a form made of its parameters."""

    name: str
    """The alert's type: with the resource it tells which alert it is."""
    resource: str
    labels: Mapping[str, str]
    said: Enrichment


def make(form: Form, given: Given) -> Made:
    """The alert that these parameters tell of. Sizes are not bounded here."""
    direction = _direction(form, given)
    words = _words(form, given, direction)
    name, resource = form.name.format_map(words), str(given.get(form.resource, ""))
    found, limit = _number(given.get(form.found)), _number(given.get(form.limit))
    message = given.get("message") or _first(form.messages, words)
    category, priority = given.get("category"), given.get("priority")
    users = given.get("affected_users")
    labels = {label: str(given[told]) for label, told in form.labels.items() if given.get(told)}
    metric = given.get(form.metric) or (name if found is not None else None)
    return Made(
        name,
        resource,
        {"alertname": name, "resource": resource} | labels | given.get("labels", {}) | {"alertname": name},
        Enrichment(
            title=given.get("title") or form.title.format_map(words) or None,
            message=message or None,
            category=form.category if category is None else Category(category),
            priority=None if priority is None else Priority(priority),
            subject=resource or None,
            metric=metric if found is not None or limit is not None else None,
            value=found,
            threshold=limit,
            unit=given.get("unit") or form.unit,
            direction=direction if limit is not None else None,
            impact=None if users is None else Impact(users, f"source:{OWN}"),
            facts=_facts(form, given),
        ),
    )


def _number(told: Any) -> float | None:
    return float(told) if isinstance(told, int | float) and math.isfinite(told) else None


def _direction(form: Form, given: Given) -> Direction:
    """As told, else the side on which the value lies: whoever tells of it takes that for trouble."""
    found, limit = _number(given.get(form.found)), _number(given.get(form.limit))
    side = given.get("direction") or form.direction
    if side is None:
        side = "below" if found is not None and limit is not None and found < limit else "above"
    return "below" if side == "below" else "above"


def _words(form: Form, given: Given, direction: Direction) -> "_Blanks":
    side = "low" if direction == "below" else "high"
    percentile = given.get("percentile")
    told = {name: _text(value) for name, value in given.items() if isinstance(value, str | int | float)}
    made = {
        "side": side,
        "Side": side.capitalize(),
        "What": _what(str(given.get(form.metric, ""))),
        "Event": headed(str(given.get("event_type", ""))) or str(given.get("event_type", "")),
        "Percentile": f" ({percentile})" if percentile else "",
    }
    return _Blanks(told | made)


def _text(told: str | float) -> str:
    return f"{told:g}" if isinstance(told, float) else str(told)


def _what(metric: str) -> str:
    """What is measured, as titles say it: `cpu_percent` is "CPU Usage", `disk_free_percent` is "Disk Free"."""
    words = headed(bare(metric)) or metric
    share = metric != bare(metric) and metric.endswith(_SHARES)
    last = words_of(bare(metric)).rpartition(" ")[2]
    return f"{words} Usage" if share and last not in _SAID else words


_SHARES = ("percent", "percentage", "pct", "utilization", "utilisation")
_SAID = frozenset(
    {
        "usage",
        "used",
        "use",
        "free",
        "available",
        "idle",
        "left",
        "remaining",
        "load",
        "rate",
        "errors",
        "steal",
        "wait",
    }
)
"""Words behind which "Usage" would be one too many."""


class _Blanks(dict[str, str]):
    """What fills the blanks; one that was not given is empty."""

    def __missing__(self, name: str) -> str:
        return ""


def _first(templates: tuple[str, ...], words: _Blanks) -> str:
    for template in templates:
        if all(words[blank] for _, blank, _, _ in Formatter().parse(template) if blank):
            return template.format_map(words)
    return ""


def _facts(form: Form, given: Given) -> dict[str, Any]:
    """What rules look at and fill their commands with: metadata by its names, then what the form knows for certain."""
    metadata: Mapping[str, Any] = given.get("metadata", {})
    facts = {name: told for name, told in metadata.items() if name not in _RESERVED and told not in (None, "", [], {})}
    facts |= _top_process(metadata.get("top_processes"))
    facts |= {fact: given[told] for fact, told in form.facts.items() if given.get(told) not in (None, "")}
    if given.get("related_logs"):
        facts["related_logs"] = given["related_logs"]
    if frame := _frame(given.get("stack_trace", "")):
        facts["frame"] = frame
    return facts


def _top_process(told: Any) -> dict[str, Any]:
    """The first of the seed's `top_processes`, under the names that rules know it by."""
    first = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
    named = {"top_process": first.get("name"), "top_pid": first.get("pid"), "top_cpu": first.get("cpu")}
    if isinstance(cpu := named["top_cpu"], int | float):
        named["top_cpu"] = f"{cpu:g}%"
    return {name: told for name, told in named.items() if isinstance(told, str | int) and told != ""}


_FRAME = re.compile(r'File "([^"\n]{1,300})", line (\d{1,9}), in ([^\n]{1,200})')


def _frame(stack: str) -> str:
    """The line that raised it, of a Python traceback; "" for another sort of text."""
    found = None
    for found in _FRAME.finditer(stack[-_TAIL:]):  # noqa: B007 - the last one is wanted
        pass
    return f"{found[1]}:{found[2]} in {found[3]}" if found else ""


_TAIL = 16_000
"""Characters of a traceback that are looked at: the crash is at its end."""
