"""The book proves itself: every rule is tried on its own examples, read as a real alert would be."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

from enrichers import Context
from enrichers.chain import describe, looked_at
from enrichers.shipped import SHIPPED, SHOWN
from receiver.domain.adjust import Adjustment
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.examples import Example
from receiver.domain.phrases import Values
from receiver.domain.rules import Book, Rule
from receiver.domain.sighting import NOTHING, Sighting
from receiver.errors import Mistake


class _Shipped:
    """A shipped enricher with its default settings."""

    def __init__(self, name: str, made: Any) -> None:
        self.name = name
        self.call: Callable[..., Any] = made() if isinstance(made, type) else made


_INLINE = tuple(_Shipped(name, made) for name, made in SHIPPED.items() if name not in SHOWN)
_CHAIN = tuple(_Shipped(name, made) for name, made in SHIPPED.items() if name != "recommendations")


def prove(book: Book) -> list[Mistake]:
    """Every example that comes out otherwise, and every rule without one of each kind."""
    rules: Sequence[Rule | Adjustment] = (*book.rules, *book.adjustments.rules)
    return [mistake for rule in rules for mistake in _wrong(book, rule)]


def _wrong(book: Book, rule: Rule | Adjustment) -> Iterator[Mistake]:
    kinds = {example.matches for example in rule.examples}
    for kind, word in ((True, "matches"), (False, "ignores")):
        if kind not in kinds:
            yield Mistake(rule.file, rule.line, rule.id, f"has no example that it {word}; add examples: {word}: [...]")
    for example in rule.examples:
        view = seen(book, rule, example)
        if bool(rule.when.holds(view)) is not example.matches:
            yield Mistake(rule.file, example.line, rule.id, _sentence(example, view))
        elif (
            isinstance(rule, Rule) and example.matches and not any(say.about(Values(view), rule.id) for say in rule.say)
        ):
            yield Mistake(
                rule.file, example.line, rule.id, "says nothing about this example: its blanks are not filled"
            )


def seen(book: Book, rule: Rule | Adjustment, example: Example) -> AlertView:
    """The example as that rule of the book looks at it."""
    context = Context(now=0, rules=book)
    if isinstance(rule, Adjustment):
        return looked_at(_INLINE, sighting_of(example), context, early=rule.category is not None)
    return describe(_CHAIN, sighting_of(example), context).view


def _sentence(example: Example, view: AlertView) -> str:
    does = "does not match" if example.matches else "matches"
    read_as = f"read as metric {view.metric}, category {view.category}"
    return f"{does} its example {example.name or 'without a name'} ({read_as})"


def sighting_of(example: Example) -> Sighting:
    """The alert that an example is, as Alertmanager (or its kind of sender) would tell it."""
    url = f"http://prometheus.example.org/graph?{urlencode({'g0.expr': example.expr})}" if example.expr else ""
    labels = {"alertname": example.name, **example.labels} if example.name else example.labels
    told = Enrichment(facts=example.facts) if example.facts else NOTHING
    return Sighting("example", example.kind, "", True, labels, example.annotations, 0, generator_url=url, told=told)
