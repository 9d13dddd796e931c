"""The book proves itself: every rule is tried on its own examples, read as a real alert would be."""

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlencode

import promql_parser

from enrichers import Context
from enrichers.chain import describe, looked_at
from enrichers.shipped import SHIPPED, SHOWN
from receiver.domain.adjust import Adjustment
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.examples import Example
from receiver.domain.phrases import Values
from receiver.domain.rules import Book, Rule, Say
from receiver.domain.sighting import NOTHING, Sighting
from receiver.errors import Mistake
from receiver.terminal import one_line

_POWERSHELL = re.compile(r"(?:^|[|;(&]\s*)[A-Z][A-Za-z]+-[A-Z][A-Za-z]+\b|^(?:powershell|pwsh)\b")
"""Commands of Windows, where quotes follow other rules than a shell's."""


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
    matching: list[tuple[Example, Values]] = []
    for example in rule.examples:
        view = seen(book, rule, example)
        if bool(rule.when.holds(view)) is not example.matches:
            yield Mistake(rule.file, example.line, rule.id, _sentence(example, view))
        elif isinstance(rule, Rule) and example.matches:
            matching.append((example, values := Values(view)))
            if not any(say.about(values, rule.id) for say in rule.say):
                yield Mistake(
                    rule.file, example.line, rule.id, "says nothing about this example: its blanks are not filled"
                )
    if isinstance(rule, Rule) and matching:
        for number, say in enumerate(rule.say):
            yield from _of_no_use(rule, f"{rule.id}.say.{number}", say, matching)


def _of_no_use(rule: Rule, path: str, say: Say, matching: Sequence[tuple[Example, Values]]) -> Iterator[Mistake]:
    """What a recommendation would hand to people that does not work, tried on the examples that the rule matches."""
    if say.link and not any(say.link.url(values) for _, values in matching):
        sentence = "is an address in none of the rule's matching examples: a blank is not filled, or it is no address"
        yield Mistake(rule.file, rule.line, f"{path}.link", sentence)
    for key, phrase, problem in (("query", say.query, _no_promql), ("command", say.command, _no_command)):
        for example, values in matching if phrase else ():
            filled = phrase and (phrase.promql(values) if key == "query" else phrase.shell(values))
            if filled and (why := problem(filled)):
                yield Mistake(rule.file, example.line, f"{path}.{key}", f"{why}: {one_line(filled)[:200]}")
                break  # told once, with the first example that shows it


def _no_promql(query: str) -> str | None:
    try:
        promql_parser.parse(query)
    except ValueError as error:
        return f"is not PromQL as it is filled in on this example ({one_line(str(error))[:200]})"
    return None


def _no_command(command: str) -> str | None:
    if _POWERSHELL.search(command):
        return None
    try:
        shlex.split(command)
    except ValueError as error:
        return f"is no whole command as it is filled in on this example ({str(error).lower()})"
    return None


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
