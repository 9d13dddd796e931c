"""The conditions of rules: tests of an alert's texts and numbers, and what joins them."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from receiver.domain.enrichment import AlertView
from receiver.domain.sieve import Atom
from receiver.domain.words import words_of

LONGEST_TEXT = 4096
"""Characters of an alert's own text that a rule looks at."""

_READ_FROM_RULE = ("metric", "metrics", "functions", "words", "unit", "direction", "fact.expression")
FIXED = ("name", "source", "kind", "category", "fact.error_type", *_READ_FROM_RULE)
"""Fields that all alerts of one alerting rule share: what they rule out is found out once, not alert by alert."""


class Matcher(Protocol):
    """A compiled regular expression of linear time."""

    def fullmatch(self, text: str) -> object | None:
        """The match when all of the text fits, else None."""
        ...


class Condition(Protocol):
    """Something about an alert that holds or does not."""

    def holds(self, view: AlertView) -> bool:
        """Whether it holds for this alert."""
        ...

    def reduced(self, texts: Mapping[str, str]) -> "Condition | bool":
        """What is left to find out when these fields are as told: nothing (True, False), or less."""
        ...

    def gates(self) -> frozenset[Atom] | None:
        """See Gated."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A test of a text: `=`, `!=`, `=~`, `!~`. What is missing is empty, as in Alertmanager's matchers."""

    field: str
    negated: bool
    equals: str | None = None
    pattern: Matcher | None = None
    written: str = ""
    """The pattern's text."""

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        return self._fits(text_of(view, self.field))

    def _fits(self, value: str) -> bool:
        found = value == self.equals if self.pattern is None else self.pattern.fullmatch(value) is not None
        return found is not self.negated

    def reduced(self, texts: Mapping[str, str]) -> Condition | bool:
        """See Condition."""
        return self._fits(texts[self.field]) if self.field in texts else self

    def gates(self) -> frozenset[Atom] | None:
        """See Condition."""
        if self.negated or self.equals == "":
            return None
        return frozenset({(self.field, self.equals is None, self.written if self.equals is None else self.equals)})


NUMBERS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class Number:
    """A comparison with a number; False when the alert has none there."""

    field: str
    sign: str
    than: float

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        value = number_of(view, self.field)
        return value is not None and NUMBERS[self.sign](value, self.than)

    def reduced(self, texts: Mapping[str, str]) -> Condition | bool:
        """See Condition."""
        del texts
        return self

    def gates(self) -> None:
        """See Condition."""


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts hold (`all`)."""

    parts: tuple[Condition, ...]

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        return all(part.holds(view) for part in self.parts)

    def reduced(self, texts: Mapping[str, str]) -> Condition | bool:
        """See Condition."""
        left = []
        for part in self.parts:
            found = part.reduced(texts)
            if found is False:
                return False
            if found is not True:
                left.append(found)
        return Every(tuple(left)) if left else True

    def gates(self) -> frozenset[Atom] | None:
        """See Condition."""
        known = [found for part in self.parts if (found := part.gates()) is not None]
        usable = [gates for gates in known if all(field in FIXED for field, _, _ in gates)]
        return min(usable or known, key=len, default=None)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts holds (`any`); with `negated`, none does (`none`)."""

    parts: tuple[Condition, ...]
    negated: bool = False

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        return any(part.holds(view) for part in self.parts) is not self.negated

    def reduced(self, texts: Mapping[str, str]) -> Condition | bool:
        """See Condition."""
        left = []
        for part in self.parts:
            found = part.reduced(texts)
            if found is True:
                return not self.negated
            if found is not False:
                left.append(found)
        return Some(tuple(left), self.negated) if left else self.negated

    def gates(self) -> frozenset[Atom] | None:
        """See Condition."""
        if self.negated:
            return None
        found = [part.gates() for part in self.parts]
        return None if None in found else frozenset().union(*(gates for gates in found if gates is not None))


def text_of(view: AlertView, name: str) -> str:
    """The field as text, "" when it is missing, capped."""
    if name.startswith("label."):
        return view.labels.get(name[6:], "")[:LONGEST_TEXT]
    if name.startswith("annotation."):
        return view.annotations.get(name[11:], "")[:LONGEST_TEXT]
    if name.startswith("fact."):
        found = view.facts.get(name[5:])
        return "" if found is None else str(found)[:LONGEST_TEXT]
    if name == "text":
        return "\n".join((view.title, view.message, *view.annotations.values()))[:LONGEST_TEXT]
    if name in _READ:
        return _READ[name](view)[:LONGEST_TEXT]
    found = getattr(view, name)
    return "" if found is None else str(found)[:LONGEST_TEXT]


def listed(view: AlertView, fact: str) -> Sequence[str]:
    """What the reading of the rule's expression lists; nothing when a sender's own fact has that name."""
    found = view.facts.get(fact, ())
    return found if isinstance(found, list | tuple) and all(isinstance(one, str) for one in found) else ()


def _metrics(view: AlertView) -> str:
    return " ".join(listed(view, "metrics") or ([view.metric] if view.metric else ()))


_READ: Mapping[str, Callable[[AlertView], str]] = {
    "metrics": _metrics,
    "functions": lambda view: " ".join(listed(view, "functions")),
    "words": lambda view: words_of(f"{view.name} {_metrics(view)}"),
}


def number_of(view: AlertView, name: str) -> float | None:
    """The field as a number, None when it is none."""
    found = view.facts.get(name[5:]) if name.startswith("fact.") else getattr(view, name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


TEXTS: Sequence[str] = (
    "name",
    "source",
    "kind",
    "category",
    "priority",
    "metric",
    "metrics",
    "functions",
    "words",
    "subject",
    "unit",
    "direction",
    "title",
    "message",
    "text",
)
"""Fields that can be tested as text, besides label.NAME, annotation.NAME and fact.NAME."""
FIGURES: Sequence[str] = ("value", "threshold", "overage_percent")
"""Fields that can be compared with a number, besides fact.NAME."""
