"""What an alerting rule's PromQL says: the metric, the comparison that fires, what it selects."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote_plus, urlsplit

import promql_parser as promql

from enrichers.promtree import (
    bare,
    clock_of,
    constant,
    divides,
    functions_in,
    kept_in,
    name_of,
    nodes_in,
    scale_of,
    selectors_in,
)
from receiver.domain.enrichment import Direction

LONGEST = 8192
"""Characters of an expression that are read."""
LONGEST_URL = 16 * 2**10
"""Characters of a generator URL that is looked at."""
MOST_OPERATORS = 200
"""Operators and brackets of one: the parser's time grows with their square (milliseconds here, seconds at 2,000)."""
_OPERATOR = re.compile(r"[-+*/%^<>=!(]|\b(?:and|or|unless)\b")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_DIRECTIONS: dict[str, Direction] = {
    ">": "above",
    ">=": "above",
    "<": "below",
    "<=": "below",
    "==": "equal",
}


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A rule's expression, read. Told from others by its identity."""

    expression: str
    server: str | None = None
    """Prometheus' own address, when that is a plain web address."""
    metric: str | None = None
    metrics: tuple[str, ...] = ()
    """All that the expression names, the measured ones first."""
    measured: Any = None
    """The side of the comparison that is measured, parsed; all of the expression without a comparison."""
    sign: str | None = None
    """The comparison with the measured side on the left: > >= < <= == !=."""
    threshold: float | None = None
    functions: frozenset[str] = frozenset()
    """Functions and aggregations on the measured side."""
    scale: float = 1.0
    """What the measured side is multiplied with: 100 turns a ratio into percent."""
    clock: Literal["since", "until"] | None = None
    """Whether time that has passed is measured, or time that is left."""
    divided: bool = False
    """True when the measured side is one metric divided by another."""
    kept: tuple[str, ...] | None = None
    """The labels that the aggregations let through; None for all."""
    selected: dict[str, str] = field(default_factory=dict)
    """Labels that the expression pins to one value."""

    @property
    def direction(self) -> Direction | None:
        """Where the trouble lies."""
        return _DIRECTIONS.get(self.sign or "")

    @property
    def level(self) -> bool:
        """True when the threshold is a real limit, as against a state (== 0) or a mere presence (> 0, >= 1)."""
        return _is_limit(self.sign, self.threshold)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of a rule."""

    measured: Any
    """The side without the number."""
    sign: str | None
    threshold: float | None
    since: bool = False
    """True when what is compared is the time that has passed since `measured`."""

    def is_limit(self) -> bool:
        """True for a real limit, as against a state (== 0) or a mere presence (> 0, >= 1)."""
        return _is_limit(self.sign, self.threshold)

    def is_state(self) -> bool:
        """True when one value means trouble."""
        return self.sign in ("==", "!=")


def _is_limit(sign: str | None, threshold: float | None) -> bool:
    if threshold is None or _DIRECTIONS.get(sign or "") in (None, "equal"):
        return False
    return (sign, threshold) not in ((">", 0), (">=", 1), ("<", 1), ("<=", 0))


def _told_in(generator_url: str) -> tuple[str | None, str | None]:
    """What Prometheus' `generatorURL` tells: the expression (`g0.expr=...`), unless there is none or it is too long;
    and Prometheus' own address, from the URL of its graph page, unless it is no plain web address.

    Raises ValueError when it is no URL.
    """
    parts = urlsplit(generator_url)
    told = next((part for part in parts.query.split("&") if part.startswith("g0.expr=")), "")
    expression = unquote_plus(told.removeprefix("g0.expr=")).strip()
    server = None
    if parts.scheme in ("http", "https") and parts.netloc and generator_url.isprintable():
        server = f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/graph').removesuffix('/')}"
    return expression if expression and len(expression) <= LONGEST else None, server


@lru_cache(1024)
def read(generator_url: str) -> Reading | None:
    """The reading of a generator URL; None when it holds no expression or one that is not (bounded) PromQL.

    Remembered: all alerts of one rule share the URL.
    """
    if "g0.expr=" not in generator_url or len(generator_url) > LONGEST_URL:
        return None
    try:
        expression, server = _told_in(generator_url)
    except ValueError:
        return None
    tree = parsed(expression) if expression is not None else None
    return None if expression is None or tree is None else _reading(expression, tree, server)


def parsed(expression: str) -> Any:
    """The expression as a tree; None when it is not PromQL, or more of it than is read."""
    if len(expression) > LONGEST or len(_OPERATOR.findall(_QUOTED.sub("", expression))) > MOST_OPERATORS:
        return None
    try:
        return promql.parse(expression)
    except (ValueError, RecursionError):
        return None


def _reading(expression: str, tree: Any, server: str | None) -> Reading:
    found = _comparison(tree) or Comparison(tree, None, None)
    everything = nodes_in(tree)
    measured = everything if found.measured is tree else nodes_in(found.measured)
    named = selectors_in(everything)
    selectors = selectors_in(measured) or named
    selected: dict[str, str] = {}
    for selector in selectors:
        for matcher in selector.matchers.matchers:
            if str(matcher.op) == "MatchOp.Equal" and matcher.value and matcher.name != "__name__":
                selected.setdefault(matcher.name, matcher.value)
    return Reading(
        expression,
        server,
        metric=next((name for selector in selectors if (name := name_of(selector))), None),
        metrics=tuple(dict.fromkeys(n for s in (*selectors, *named) if (n := name_of(s)))),
        measured=found.measured,
        sign=found.sign,
        threshold=found.threshold,
        functions=frozenset(functions_in(measured)),
        clock="since" if found.since else clock_of(measured),
        scale=scale_of(found.measured),
        divided=divides(measured),
        kept=None if (kept := kept_in(found.measured)) is None else tuple(name for name in kept if name != "le"),
        selected=selected,
    )


def _comparison(tree: Any) -> Comparison | None:
    """The comparison that says when the rule fires: the first with a limit, else with a state, else the first."""
    comparisons = list(_comparisons(tree))
    # `and x > 0` and `and leader == 1` say when the rule makes sense, not when it fires.
    for wanted in (Comparison.is_limit, Comparison.is_state):
        for found in comparisons:
            if found.threshold is not None and wanted(found):
                return found
    return next(iter(comparisons), None)


def _comparisons(node: Any) -> Iterator[Comparison]:
    """Every comparison that has to hold for the rule to fire, outermost and leftmost first."""
    node = bare(node)
    if isinstance(node, promql.BinaryExpr):
        sign = str(node.op)
        if sign in _FLIPPED:
            yield _compared(node, sign)
        # What stands behind `unless` keeps the rule from firing.
        for side in (node.lhs,) if sign == "unless" else (node.lhs, node.rhs):
            yield from _comparisons(side)
    elif isinstance(node, promql.AggregateExpr):
        yield from _comparisons(node.expr)
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from _comparisons(argument)


def _compared(node: Any, sign: str) -> Comparison:
    """One comparison with the number on the right; `x < time() - 60` is an age above 60, `1 < x < 3` is x below 3."""
    left, right = constant(node.lhs), constant(node.rhs)
    if right is None and left is not None:
        return Comparison(node.rhs, _FLIPPED[sign], left)
    if right is None:
        for measured, other, turned in ((node.lhs, node.rhs, _FLIPPED[sign]), (node.rhs, node.lhs, sign)):
            age = _before_now(other)
            if age is not None:
                return Comparison(measured, turned, age, since=True)
    return Comparison(_filtered(node.lhs), sign, right)


def _filtered(node: Any) -> Any:
    """What is measured where a comparison only filters it for the next one."""
    inner = bare(node)
    if not isinstance(inner, promql.BinaryExpr) or str(inner.op) not in _FLIPPED or "bool" in str(inner.modifier):
        return node
    if constant(inner.lhs) is not None:
        return _filtered(inner.rhs)
    return _filtered(inner.lhs) if constant(inner.rhs) is not None else node


def _before_now(node: Any) -> float | None:
    """60 for `time() - 60`, None for anything else."""
    node = bare(node)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) != "-":
        return None
    now = bare(node.lhs)
    return constant(node.rhs) if isinstance(now, promql.Call) and now.func.name == "time" else None
