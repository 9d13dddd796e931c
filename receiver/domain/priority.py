"""How urgent an alert is, with the reasoning (design section 5)."""

from collections.abc import Mapping

from receiver.domain.enrichment import AlertView, Term, Unknown
from receiver.domain.forms import OWN
from receiver.domain.vocabulary import Category, Priority

SEVERITIES: Mapping[str, Priority] = {
    "critical": Priority.CRITICAL,
    "page": Priority.CRITICAL,
    "error": Priority.HIGH,
    "high": Priority.HIGH,
    "major": Priority.HIGH,
    "warning": Priority.MEDIUM,
    "medium": Priority.MEDIUM,
    "minor": Priority.LOW,
    "low": Priority.LOW,
    "info": Priority.INFO,
    "none": Priority.INFO,
}
"""What senders call it."""
CAPPED = frozenset({Category.PERFORMANCE, Category.BUSINESS})
"""Slow or few is at most high: nothing is down."""
FAR_OVER = 50.0
"""Percent over the threshold that are evidence of more than the severity says."""
OVER = 20.0
"""Percent over the threshold that are more than a little (the owner's document)."""
NEARLY_FULL, FILLING = 95.0, 90.0
"""Percent of a quantity that ends at 100: from here at most five points are left, from here at most ten."""


_JUDGED_HERE = frozenset({"generic", OWN})
"""Kinds of senders that report what they measured, and leave it to us what to make of it."""
LEVELS: Mapping[str, Priority] = {"warning": Priority.LOW, "info": Priority.INFO, "debug": Priority.INFO}
"""Levels of an application's events below error: a level is not a severity."""
MANY_USERS, MANY_ERRORS = 10, 5


def of_alert(alert: AlertView) -> tuple[Priority, tuple[Term, ...]]:
    """By what it is: a test is nobody's trouble, an application's error counts by its impact, the rest by severity.

    A priority that the sender itself has set stands.
    """
    if alert.priority is not None:
        return alert.priority, (Term("sender", str(alert.priority), "as the sender says"),)
    if alert.facts.get("test") is True:
        return Priority.INFO, (Term("test", "sent by a test button", "info"),)
    if "error_type" in alert.facts or (alert.kind == "sentry" and "severity" not in alert.labels):
        errors = alert.facts.get("error_count")
        return of_error(
            str(alert.facts.get("error_type", "")),
            alert.impact.users if alert.impact else "unknown",
            errors if isinstance(errors, int) else None,
            alert.labels.get("level", "error").lower(),
        )
    measured = alert.threshold is not None or alert.category is Category.AVAILABILITY
    if alert.kind in _JUDGED_HERE and not alert.labels.get("severity"):
        if measured:
            return of_measured(alert)
        if alert.kind == OWN and alert.category is Category.SECURITY:
            return Priority.HIGH, (Term("category", str(alert.category), "high: not measured, and seldom harmless"),)
    return of_received(alert)


def of_measured(alert: AlertView) -> tuple[Priority, tuple[Term, ...]]:
    """The priority of what was measured against a threshold and judged by nobody yet: by how far over it is.

    For what ends at 100 percent what is left counts, too; the higher of the two stands.
    """
    if alert.category is Category.AVAILABILITY:
        return Priority.CRITICAL, (Term("category", str(alert.category), "critical: something is down"),)
    over, share = alert.overage_percent, _share(alert)
    terms = [Term("overage", "unknown" if over is None else f"{over:g}% beyond the threshold", str(_by_overage(over)))]
    priority = _by_overage(over)
    if share is not None and (found := _by_share(share)) is not None:
        terms.append(Term("saturation", f"{share:g}% of what there is", str(found)))
        priority = max(priority, found, key=lambda one: one.rank)
    return _capped(alert, priority, terms)


def _by_overage(over: float | None) -> Priority:
    if over is None or over <= OVER:
        return Priority.MEDIUM
    return Priority.HIGH if over <= FAR_OVER else Priority.CRITICAL


def _by_share(share: float) -> Priority | None:
    if share < FILLING:
        return None
    return Priority.HIGH if share < NEARLY_FULL else Priority.CRITICAL


def _capped(alert: AlertView, priority: Priority, terms: list[Term]) -> tuple[Priority, tuple[Term, ...]]:
    if alert.category in CAPPED and priority is Priority.CRITICAL:
        priority = Priority.HIGH
        terms.append(Term("category", str(alert.category), "at most high: slow or fewer is not down"))
    return priority, tuple(terms)


def of_error(
    error_type: str, users: int | Unknown, errors: int | None, level: str = "error"
) -> tuple[Priority, tuple[Term, ...]]:
    """The priority of an application's error: by its type, the users it hits, how often it came, its level."""
    if level in LEVELS:
        return LEVELS[level], (Term("level", level, str(LEVELS[level])),)
    impact = Term("affected users", str(users), "unknown is not 0" if users == "unknown" else "counted")
    if "database" in error_type.lower():
        found, term = Priority.CRITICAL, Term("error type", error_type[:60], "critical: it is the database's")
    elif users != "unknown" and users > MANY_USERS:
        found, term = Priority.CRITICAL, Term("affected users", str(users), f"critical: more than {MANY_USERS}")
    elif errors is not None and errors > MANY_ERRORS:
        found, term = Priority.HIGH, Term("errors", str(errors), f"high: more than {MANY_ERRORS}")
    else:
        found, term = Priority.MEDIUM, Term("errors", "unknown" if errors is None else str(errors), "medium")
    terms = (term,) if term.rule == impact.rule else (impact, term)
    if level == "fatal" and found is Priority.MEDIUM:
        return Priority.HIGH, (*terms, Term("level", level, "raised to high"))
    return found, terms


def of_received(alert: AlertView) -> tuple[Priority, tuple[Term, ...]]:
    """The priority of an alert that a sender judged already: its severity, raised by one step at most by evidence."""
    severity = alert.labels.get("severity", "")
    base = SEVERITIES.get(severity.lower())
    if base is None:
        told = f'severity "{severity[:60]}" is unknown' if severity else "no severity label"
        terms = [Term("severity", told, "medium, for want of a better word")]
        base = Priority.MEDIUM
    else:
        terms = [Term("severity", severity[:60], str(base))]
    priority = base
    evidence = _evidence(alert)
    if evidence is not None and base not in (Priority.CRITICAL, Priority.INFO):
        priority = base.raised()
        terms.append(Term(*evidence, f"raised to {priority}"))
    return _capped(alert, priority, terms)


def _evidence(alert: AlertView) -> tuple[str, str] | None:
    """(rule, input) of the one piece of evidence that raises."""
    over, share = alert.overage_percent, _share(alert)
    if over is not None and over > FAR_OVER:
        return "overage", f"{over:g}% beyond the threshold"
    if share is not None and share >= NEARLY_FULL:
        return "saturation", f"{share:g}% of what there is"
    return None


def _share(alert: AlertView) -> float | None:
    """How many percent are used of what ends at 100; None when that is not what is measured."""
    value = alert.value
    share = {"percent": value, "ratio": None if value is None else value * 100}.get(alert.unit or "")
    return share if share is not None and alert.direction == "above" and 0 <= share <= 100 else None
