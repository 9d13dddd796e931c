"""The enrichers that come with alertsage: pure, in memory, in microseconds."""

from collections.abc import Callable, Mapping
from typing import Any

from enrichers.category import category
from enrichers.expression import expression
from enrichers.priority import priority
from enrichers.recommendations import recommendations
from enrichers.recurrence import recurrence
from enrichers.runbook import Runbook
from enrichers.stacktrace import stacktrace
from enrichers.thresholds import thresholds

SHIPPED: Mapping[str, Callable[..., Any]] = {
    "thresholds": thresholds,
    "category": category,
    "stacktrace": stacktrace,
    "priority": priority,
    "recurrence": recurrence,
    "expression": expression,
    "runbook": Runbook,
    "recommendations": recommendations,
}
"""By name, in the order they run: later ones look at what earlier ones found."""

SHOWN = frozenset({"expression", "runbook", "recommendations"})
"""Those that run whenever an alert is looked at, over all that is known by then; the others run before it is stored."""
