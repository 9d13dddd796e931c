"""Rules: when one applies to an alert, and what it then recommends. Compiled elsewhere; decided here."""

from dataclasses import dataclass, field

from receiver.domain.adjust import Adjustments
from receiver.domain.candidates import Selection
from receiver.domain.conditions import Condition
from receiver.domain.enrichment import AlertView, Recommendation
from receiver.domain.examples import Example
from receiver.domain.phrases import Phrase, Values
from receiver.domain.sieve import Together

MOST = 6
"""Recommendations an alert gets from the book, best first."""


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
    together: Together | None = field(default=None, repr=False, compare=False)
    """How many patterns are tried at once; None to try each rule."""
    adjustments: Adjustments = field(default_factory=Adjustments)
    """What is set outright when an alert is judged."""
    _selection: Selection[Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_selection", Selection(self.rules, self.together))

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
