"""Rules: when one applies to an alert, and what it then recommends. Compiled elsewhere; decided here."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from receiver.domain.adjust import Adjustments
from receiver.domain.candidates import Selection
from receiver.domain.conditions import Condition
from receiver.domain.enrichment import AlertView, Recommendation
from receiver.domain.examples import Example
from receiver.domain.phrases import Phrase, Values
from receiver.domain.sieve import Together
from receiver.domain.silences import SilenceRule

MOST = 4
"""Recommendations an alert gets from the book, best first."""
ENOUGH = 2
"""With so many said, fallbacks and general rules add no more than the first command about the very thing: the next two
or three steps are what is wanted."""
SPECIAL = 70
"""The rank from which a rule is for a symptom; below are the fallbacks of technologies and the general rules."""
SHORTEST = 3
"""Characters of a name that can be recognised in a command."""
_PARTS = re.compile(r"/| on ")
USUAL_RANK = 100
"""Of a symptom that a technology's own rule knows."""


_GRAPH = Phrase.of("{fact.prometheus}")


@dataclass(frozen=True, slots=True)
class Say:
    """One recommendation with its blanks. Without what `text` needs it is not said; a command or link is left out."""

    text: Phrase
    command: Phrase | None = None
    link: Phrase | None = None
    careful: bool = False
    query: Phrase | None = None
    """PromQL to look at, where the alert's own Prometheus is known; it becomes the link."""
    over: str | None = None
    """The time that a graph of the query shows, e.g. 6h; None for its values now."""

    def about(self, values: Values, rule: str) -> Recommendation | None:
        """The recommendation filled in with an alert's own values."""
        text = self.text.plain(values)
        if text is None:
            return None
        command = self.command.shell(values) if self.command else None
        link = self.link.url(values) if self.link else self._graph(values)
        if command is not None and text.endswith("."):
            text = f"{text[:-1]}:"  # it leads to the command
        return Recommendation(text, command, link, rule, self.careful)

    def _graph(self, values: Values) -> str | None:
        asked = self.query.promql(values) if self.query else None
        if asked is None:
            return None
        view = "g0.tab=1" if self.over is None else f"g0.tab=0&g0.range_input={self.over}"
        return _GRAPH.url(values, f"/graph?g0.expr={quote(asked, safe='')}&{view}")


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
    silences: tuple[SilenceRule, ...] = ()
    _selection: Selection[Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_selection", Selection(self.rules, self.together))

    def applying(self, view: AlertView) -> list[Rule]:
        """The rules that apply to the alert, best first."""
        return self._selection.applying(view)

    def recommend(self, view: AlertView, most: int = MOST) -> tuple[Recommendation, ...]:
        """What the book says to do, best first, nothing twice.

        The last place is kept for a command about the very thing, if none is said before and there is one.
        """
        values, things = Values(view), _things(view)
        said: dict[tuple[str, str | None], Recommendation] = {}
        next_best: Recommendation | None = None
        own = False
        for rule in self.applying(view):
            special = rule.rank >= SPECIAL
            for say in rule.say:
                one = say.about(values, rule.id)
                if one is None or (one.text, one.command) in said:
                    continue
                about = _about(one, things)
                if len(said) < (most if special else ENOUGH) - (not own) or (about and not own):
                    said[one.text, one.command] = one
                    own = own or about
                elif special or len(said) < ENOUGH:
                    next_best = next_best or one
                if len(said) == most:
                    return tuple(said.values())
        return (*said.values(), next_best) if next_best is not None and not own else tuple(said.values())


def _things(view: AlertView) -> tuple[str, ...]:
    """What the thing is called, with and without its port and what it lies in."""
    parts = _PARTS.split(view.subject or "")
    return tuple(name for part in parts for name in {part, part.partition(":")[0]} if len(name) >= SHORTEST)


def _about(one: Recommendation, things: tuple[str, ...]) -> bool:
    return one.command is not None and any(thing in one.command for thing in things)
