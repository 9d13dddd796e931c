"""Why a rule does or does not apply: each test of its condition, what it saw, and whether it held."""

from collections.abc import Iterator

from receiver.domain.conditions import Condition, Every, Number, Some, Text, number_of, text_of
from receiver.domain.enrichment import AlertView
from receiver.domain.value import value

LONGEST_SEEN = 200
"""Characters of a value that are shown."""


@value
class Trial:
    """One test, or one group of them (`all`, `any`, `none`)."""

    depth: int
    """0 for the outermost."""
    said: str
    """As it is written in a rule."""
    held: bool
    saw: str | None = None
    """The alert's own value; None for a group."""


def trials(condition: Condition, view: AlertView, depth: int = 0) -> Iterator[Trial]:
    """The condition and all within it, in the order of the rule; tests that need not be made are made all the same."""
    held = bool(condition.holds(view))
    match condition:
        case Text():
            yield Trial(depth, written(condition), held, _quoted(text_of(view, condition.field)))
        case Number():
            number = number_of(view, condition.field)
            yield Trial(depth, written(condition), held, "no number" if number is None else f"{number:g}")
        case Every() | Some():
            group = "all" if isinstance(condition, Every) else "none" if condition.negated else "any"
            yield Trial(depth, f"{group} of", held)
            for part in condition.parts:
                yield from trials(part, view, depth + 1)


def tests(condition: Condition) -> Iterator[Text | Number]:
    """Every single test within the condition."""
    match condition:
        case Text() | Number():
            yield condition
        case Every() | Some():
            for part in condition.parts:
                yield from tests(part)


def written(test: Text | Number) -> str:
    """The test as a rule writes it."""
    if isinstance(test, Number):
        return f"{test.field} {test.sign} {test.than:g}"
    if test.pattern is not None:
        return f"{test.field} {'!~' if test.negated else '=~'} {_quoted(test.written)}"
    return f"{test.field} {'!=' if test.negated else '='} {_quoted(test.equals or '')}"


def _quoted(text: str) -> str:
    return f'"{text}"' if len(text) <= LONGEST_SEEN else f'"{text[:LONGEST_SEEN]}…"'
