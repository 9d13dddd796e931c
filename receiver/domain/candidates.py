"""Which of many rules apply to an alert: what all alerts of one alerting rule share is found out but once."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from receiver.domain.enrichment import AlertView

KEPT = 2048
"""Combinations of fixed fields whose candidate rules are remembered."""

_READ_FROM_RULE = ("metric", "metrics", "functions", "words", "unit", "direction", "fact.expression")
FIXED = ("name", "source", "kind", "category", "fact.error_type", *_READ_FROM_RULE)
"""Fields that all alerts of one alerting rule share: what they rule out is found out once, not alert by alert."""


class Condition(Protocol):
    """Something about an alert that holds or does not."""

    def holds(self, view: AlertView) -> bool:
        """Whether it holds for this alert."""
        ...

    def reduced(self, view: AlertView) -> "Condition | bool":
        """What is left to find out when the FIXED fields are as in this alert: nothing (True, False), or less."""
        ...


class Conditional(Protocol):
    """A rule of any kind."""

    @property
    def when(self) -> Condition:
        """When it applies."""
        ...


R = TypeVar("R", bound=Conditional)
Candidates = tuple[tuple[R, Condition | bool], ...]
"""Rules that may apply, each with what is left to find out: True for nothing."""


class Selection(Generic[R]):
    """Rules of one kind, in the order in which they speak."""

    def __init__(self, rules: Sequence[R]) -> None:
        self._rules = tuple(rules)
        self._candidates: Callable[..., Candidates[R]] = lru_cache(KEPT)(self._not_ruled_out)

    def applying(self, view: AlertView) -> list[R]:
        """Those that apply to the alert, in their order."""
        facts = view.facts
        fixed = (view.name, view.source, view.kind, view.metric, view.category, view.unit, view.direction)
        read = (tuple(listed(view, "metrics")), tuple(listed(view, "functions")))
        told = (_hashable(facts.get("error_type")), _hashable(facts.get("expression")))
        candidates = self._candidates(*fixed, *read, *told)
        return [rule for rule, left in candidates if left is True or left.holds(view)]  # type: ignore[union-attr]

    def _not_ruled_out(self, *fixed: Any) -> Candidates[R]:
        """The rules that alerts with these FIXED fields may meet, each with what is left to find out."""
        name, source, kind, metric, category, unit, direction, metrics, functions, error_type, expression = fixed
        facts = {"error_type": error_type, "expression": expression, "metrics": metrics, "functions": functions}
        view = AlertView(source, kind, "", name, {}, {}, "", 0, metric=metric, category=category, facts=facts)
        view.unit, view.direction = unit, direction
        reduced = ((rule, rule.when.reduced(view)) for rule in self._rules)
        return tuple((rule, left) for rule, left in reduced if left is not False)


def listed(view: AlertView, fact: str) -> Sequence[str]:
    """What the reading of the rule's expression lists; nothing when a sender's own fact has that name."""
    found = view.facts.get(fact, ())
    return found if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found) else ()


def _hashable(fact: Any) -> Any:
    """The fact as `text_of` reads it, so that it can be remembered by."""
    return fact if fact is None or isinstance(fact, str) else str(fact)
