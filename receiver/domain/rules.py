"""Rules: when one applies to an alert, and what it then recommends. Compiled elsewhere; decided here."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from receiver.domain.adjust import Adjustments
from receiver.domain.candidates import FIXED, Condition, Selection, listed
from receiver.domain.enrichment import AlertView, Recommendation
from receiver.domain.examples import Example
from receiver.domain.phrases import Phrase, Values
from receiver.domain.words import words_of

LONGEST_TEXT = 4096
"""Characters of an alert's own text that a rule looks at."""
MOST = 6
"""Recommendations an alert gets from the book, best first."""


class Matcher(Protocol):
    """A compiled regular expression of linear time."""

    @property
    def pattern(self) -> str:
        """As it is written."""
        ...

    def fullmatch(self, text: str) -> object | None:
        """The match when all of the text fits, else None."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """A test of a text: `=`, `!=`, `=~`, `!~`. What is missing is empty, as in Alertmanager's matchers."""

    field: str
    negated: bool
    equals: str | None = None
    pattern: Matcher | None = None

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        value = text_of(view, self.field)
        found = value == self.equals if self.pattern is None else self.pattern.fullmatch(value) is not None
        return found is not self.negated

    def reduced(self, view: AlertView) -> Condition | bool:
        """See Condition."""
        return self.holds(view) if self.field in FIXED else self


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

    def reduced(self, view: AlertView) -> Condition | bool:
        """See Condition."""
        del view
        return self


@dataclass(frozen=True, slots=True)
class Every:
    """All of the parts hold (`all`)."""

    parts: tuple[Condition, ...]

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        return all(part.holds(view) for part in self.parts)

    def reduced(self, view: AlertView) -> Condition | bool:
        """See Condition."""
        left = [part.reduced(view) for part in self.parts]
        if False in left:
            return False
        open_parts = tuple(part for part in left if not isinstance(part, bool))
        return Every(open_parts) if open_parts else True


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts holds (`any`); with `negated`, none does (`none`)."""

    parts: tuple[Condition, ...]
    negated: bool = False

    def holds(self, view: AlertView) -> bool:
        """See Condition."""
        return any(part.holds(view) for part in self.parts) is not self.negated

    def reduced(self, view: AlertView) -> Condition | bool:
        """See Condition."""
        left = [part.reduced(view) for part in self.parts]
        if True in left:
            return not self.negated
        open_parts = tuple(part for part in left if not isinstance(part, bool))
        return Some(open_parts, self.negated) if open_parts else self.negated


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
        return Recommendation(text, command, link, rule, self.careful)


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


@dataclass(frozen=True)
class Book:
    """The rules in the order in which they speak."""

    rules: tuple[Rule, ...] = ()
    digest: str = ""
    """Changes whenever a rule does."""
    adjustments: Adjustments = field(default_factory=Adjustments)
    """What is set outright when an alert is judged."""
    _selection: Selection[Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_selection", Selection(self.rules))

    def applying(self, view: AlertView) -> list[Rule]:
        """The rules that apply to the alert, best first."""
        return self._selection.applying(view)

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
