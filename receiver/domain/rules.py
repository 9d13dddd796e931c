"""Rules: when one applies to an alert, and what it then recommends. Compiled elsewhere; decided here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

from receiver.domain.conditions import FIXED, Condition, listed, text_of
from receiver.domain.enrichment import AlertView, Recommendation
from receiver.domain.phrases import Phrase, Values
from receiver.domain.sieve import Sieve, Together

MOST = 6
"""Recommendations an alert gets from the book, best first."""
KEPT = 2048
"""Combinations of fixed fields whose candidate rules are remembered."""


@dataclass(frozen=True, slots=True)
class Say:
    """One recommendation with its blanks. Without what `text` needs it is not said; a command or link is left out."""

    text: Phrase
    command: Phrase | None = None
    link: Phrase | None = None
    careful: bool = False

    def about(self, values: Values, rule: str) -> Recommendation | None:
        """The recommendation filled in with an alert's own values."""
        text = self.text.plain(values)
        if text is None:
            return None
        command = self.command.shell(values) if self.command else None
        link = self.link.url(values) if self.link else None
        if command is not None and text.endswith("."):
            text = f"{text[:-1]}:"  # it leads to the command
        return Recommendation(text, command, link, rule, self.careful)


@dataclass(frozen=True, slots=True)
class Example:
    """An alert that a rule names as one it is, or is not, for: the rule's own proof."""

    matches: bool
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expr: str
    """The PromQL of its alerting rule."""
    line: int
    kind: str = "alertmanager"
    """The kind of its sender."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its sender tells of it in facts."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the book."""

    id: str
    when: Condition
    say: tuple[Say, ...]
    rank: int
    """Higher speaks first: 100 for a technology's own rule, less for the general ones."""
    file: str = ""
    line: int = 0
    """Where it stands in that file, from 1."""
    examples: tuple[Example, ...] = ()


Candidates = tuple[tuple[Rule, Condition | bool], ...]
"""Rules that may apply, each with what is left to find out: True for nothing."""


@dataclass(frozen=True)
class Book:
    """The rules in the order in which they speak."""

    rules: tuple[Rule, ...] = ()
    digest: str = ""
    """Changes whenever a rule does."""
    together: Together | None = field(default=None, repr=False, compare=False)
    """How many patterns are tried at once; None to try each rule."""
    _candidates: Callable[..., Candidates] = field(init=False, repr=False, compare=False)
    _sieve: Sieve | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_candidates", lru_cache(KEPT)(self._not_ruled_out))
        conditions = [rule.when for rule in self.rules]
        made = None if self.together is None else Sieve.of(conditions, FIXED, self.together)
        object.__setattr__(self, "_sieve", made)

    def applying(self, view: AlertView) -> list[Rule]:
        """The rules that apply to the alert, best first."""
        facts = view.facts
        fixed = (view.name, view.source, view.kind, view.metric, view.category, view.unit, view.direction)
        read = (tuple(listed(view, "metrics")), tuple(listed(view, "functions")))
        told = (_hashable(facts.get("error_type")), _hashable(facts.get("expression")))
        candidates = self._candidates(*fixed, *read, *told)
        return [rule for rule, left in candidates if left is True or left.holds(view)]  # type: ignore[union-attr]

    def recommend(self, view: AlertView, most: int = MOST) -> tuple[Recommendation, ...]:
        """What the book says to do, best first, nothing twice."""
        values = Values(view)
        said: dict[tuple[str, str | None], Recommendation] = {}
        for rule in self.applying(view):
            for say in rule.say:
                recommendation = say.about(values, rule.id)
                if recommendation is not None:
                    said.setdefault((recommendation.text, recommendation.command), recommendation)
                if len(said) == most:
                    return tuple(said.values())
        return tuple(said.values())

    def _not_ruled_out(self, *fixed: Any) -> Candidates:
        """The rules that alerts with these FIXED fields may meet, each with what is left to find out."""
        name, source, kind, metric, category, unit, direction, metrics, functions, error_type, expression = fixed
        facts = {"error_type": error_type, "expression": expression, "metrics": metrics, "functions": functions}
        view = AlertView(source, kind, "", name, {}, {}, "", 0, metric=metric, category=category, facts=facts)
        view.unit, view.direction = unit, direction
        if self._sieve is None:
            tried: Iterable[Rule] = self.rules
        else:
            tried = (self.rules[place] for place in self._sieve.let_through(partial(text_of, view)))
        reduced = ((rule, rule.when.reduced(view)) for rule in tried)
        return tuple((rule, left) for rule, left in reduced if left is not False)


def _hashable(fact: Any) -> Any:
    """The fact as `text_of` reads it, so that it can be remembered by."""
    return fact if fact is None or isinstance(fact, str) else str(fact)
