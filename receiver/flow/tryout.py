"""Which rules apply to an alert, and how each looks at it; nothing is stored, no deferred enricher runs."""

from collections.abc import Sequence

from enrichers import AlertView, Context
from enrichers.chain import describe, extend, looked_at
from receiver.domain import times
from receiver.domain.adjust import Adjustment
from receiver.domain.enrichment import History
from receiver.domain.rules import Rule
from receiver.domain.sighting import Sighting
from receiver.flow.setup import Setup


class Tryout:
    """One alert under one configuration, as if it opened now for the first time."""

    def __init__(self, setup: Setup, sighting: Sighting) -> None:
        self._setup = setup
        self._sighting = sighting
        now = times.now()
        self._context = Context(now=now, rules=setup.book, history=History((now,), 1))
        described = describe(setup.inline, sighting, self._context)
        extend(described, [link for link in setup.shown if link.name != "recommendations"], self._context)
        self.view: AlertView = described.view
        """The alert as rules that recommend look at it."""

    def applying(self) -> Sequence[Rule | Adjustment]:
        """The rules that apply, in the order in which they speak; adjustments first."""
        adjusting = [rule for rule in self._setup.book.adjustments.rules if rule.when.holds(self.seen_by(rule))]
        return [*adjusting, *self._setup.book.applying(self.view)]

    def seen_by(self, rule: Rule | Adjustment) -> AlertView:
        """The alert as that rule looks at it: adjustments look while it is being judged."""
        if isinstance(rule, Rule):
            return self.view
        return looked_at(self._setup.inline, self._sighting, self._context, early=rule.category is not None)
