"""Adjustments: rules by which people set category, priority or expiry of an alert outright."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from receiver.domain.candidates import Selection
from receiver.domain.conditions import Condition
from receiver.domain.enrichment import AlertView, Enrichment, Term
from receiver.domain.examples import Example
from receiver.domain.sieve import Together
from receiver.domain.times import Span
from receiver.domain.vocabulary import Category, Priority

LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One rule that sets something of the alerts it applies to; what is None it leaves alone."""

    id: str
    when: Condition
    place: int
    """Its place among all adjustments, from 0: of two that set the same the first one does."""
    priority: Priority | None = None
    category: Category | None = None
    expire_after: Span | None = None
    """An open alert that nobody told of for so long is expired."""
    expire_after_as: str = ""
    """The same as people wrote it, e.g. `12h`."""
    because: str = ""
    file: str = ""
    line: int = 0
    """Where it stands in that file, from 1."""
    examples: tuple[Example, ...] = ()

    @property
    def who(self) -> str:
        """How an alert names it as the one who said something."""
        return f"rule:{self.id}"

    @property
    def sets(self) -> str:
        """What it sets, for people: `priority low, expire_after 12h`."""
        told = {"category": self.category, "priority": self.priority, "expire_after": self.expire_after_as}
        return ", ".join(f"{name} {value}" for name, value in told.items() if value)


@dataclass(frozen=True)
class Adjustments:
    """All adjustments. Those that set the category speak before the priority is judged, the others after it."""

    rules: tuple[Adjustment, ...] = ()
    digest: str = ""
    """Changes whenever one of them does."""
    reads_expression: bool = False
    """True when any looks at what only the alerting rule's expression tells."""
    together: Together | None = field(default=None, repr=False, compare=False)
    """As in Book."""
    _early: Selection[Adjustment] = field(init=False, repr=False, compare=False)
    _late: Selection[Adjustment] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        early = [rule for rule in self.rules if rule.category is not None]
        late = [rule for rule in self.rules if rule.category is None]
        object.__setattr__(self, "_early", Selection(early, self.together))
        object.__setattr__(self, "_late", Selection(late, self.together))

    def early(self, view: AlertView) -> list[Adjustment]:
        """Those that set the category of this alert, whose priority is not judged yet; the first one does."""
        return self._early.applying(view)

    def late(self, view: AlertView, early: Sequence[Adjustment] = ()) -> list[Adjustment]:
        """All that apply to this alert, those found `early` included, in their order."""
        return sorted((*early, *self._late.applying(view)), key=lambda rule: rule.place)


def category(rules: Sequence[Adjustment]) -> tuple[str, Enrichment] | None:
    """Who sets the category, and what that adds; None when nobody does."""
    rule = next((rule for rule in rules if rule.category is not None), None)
    return None if rule is None else (rule.who, Enrichment(category=rule.category))


def priority(rules: Sequence[Adjustment]) -> tuple[str, Enrichment] | None:
    """Who sets the priority, and what that adds: with a term that gives the rule's reason, else its place."""
    rule = next((rule for rule in rules if rule.priority is not None), None)
    if rule is None:
        return None
    reason = " ".join(rule.because.split())[:LONGEST_REASON] or f"{rule.file}:{rule.line}"
    return rule.who, Enrichment(
        priority=rule.priority, priority_terms=(Term(rule.who, reason, f"set to {rule.priority}"),)
    )


def expiry(rules: Sequence[Adjustment]) -> tuple[str, Enrichment, Span] | None:
    """Who sets the expiry, what that adds (the fact `expire_after`), and how long it is."""
    rule = next((rule for rule in rules if rule.expire_after is not None), None)
    if rule is None or rule.expire_after is None:
        return None
    return rule.who, Enrichment(facts={"expire_after": rule.expire_after_as}), rule.expire_after
