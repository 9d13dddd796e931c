"""Which of many rules apply to an alert: what all alerts of one alerting rule share is found out but once."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, Generic, Protocol, TypeVar

from receiver.domain.conditions import FIXED, Condition, listed, text_of
from receiver.domain.enrichment import AlertView
from receiver.domain.sieve import Sieve, Together

KEPT = 2048
"""Combinations of fixed fields whose candidate rules are remembered."""


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
    """Rules of one kind, in the order in which they speak.

    `together` says how many patterns are tried at once; with None each rule is tried.
    """

    def __init__(self, rules: Sequence[R], together: Together | None = None) -> None:
        self._rules = tuple(rules)
        self._sieve = None if together is None else Sieve.of([rule.when for rule in rules], FIXED, together)
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
        texts = {field: text_of(view, field) for field in FIXED}
        if self._sieve is None:
            tried: Iterable[R] = self._rules
        else:
            tried = (self._rules[place] for place in self._sieve.let_through(texts.__getitem__))
        reduced = ((rule, rule.when.reduced(texts)) for rule in tried)
        return tuple((rule, left) for rule, left in reduced if left is not False)


def _hashable(fact: Any) -> Any:
    """The fact as `text_of` reads it, so that it can be remembered by."""
    return fact if fact is None or isinstance(fact, str) else str(fact)
