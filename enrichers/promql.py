"""What an alerting rule's PromQL says: the metric, the comparison that fires, what it selects."""

import math
import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import promql_parser as promql

from receiver.domain.enrichment import Direction

LONGEST = 8192
"""Characters of an expression that are read."""
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
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "%": math.fmod,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule's expression, read."""

    expression: str
    metric: str | None = None
    sign: str | None = None
    """The comparison with the measured side on the left: > >= < <= == !=."""
    threshold: float | None = None
    functions: frozenset[str] = frozenset()
    """Functions and aggregations on the measured side."""
    scale: float = 1.0
    """What the measured side is multiplied with: 100 turns a ratio into percent."""
    divided: bool = False
    """True when the measured side is one metric divided by another."""
    selected: dict[str, str] = field(default_factory=dict)
    """Labels that the expression pins to one value."""

    @property
    def direction(self) -> Direction | None:
        """Where the trouble lies."""
        return _DIRECTIONS.get(self.sign or "")

    @property
    def level(self) -> bool:
        """True when the threshold is a real limit, as against a state (== 0) or a mere presence (> 0, >= 1)."""
        if self.threshold is None or self.direction in (None, "equal"):
            return False
        return (self.sign, self.threshold) not in ((">", 0), (">=", 1), ("<", 1), ("<=", 0))


def expression_of(generator_url: str) -> str | None:
    """The expression in Prometheus' `generatorURL` (`/graph?g0.expr=...`), None when there is none."""
    if "g0.expr=" not in generator_url:
        return None
    found = parse_qs(urlsplit(generator_url).query).get("g0.expr")
    return found[0].strip()[:LONGEST] if found else None


def server_of(generator_url: str) -> str | None:
    """Prometheus' own address, from the URL of its graph page; None when it is no plain web address."""
    parts = urlsplit(generator_url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not generator_url.isprintable():
        return None
    return f"{parts.scheme}://{parts.netloc}{parts.path.removesuffix('/graph').removesuffix('/')}"


LONGEST_URL = 16 * 2**10


def read(generator_url: str) -> Reading | None:
    """The reading of a generator URL; None when it holds no expression or one that is not (bounded) PromQL."""
    return _read(generator_url) if "g0.expr=" in generator_url and len(generator_url) <= LONGEST_URL else None


@lru_cache(1024)
def _read(generator_url: str) -> Reading | None:
    """See `read`. Remembered: all alerts of one rule share the URL."""
    try:
        expression = expression_of(generator_url)
        if expression is None or len(_OPERATOR.findall(_QUOTED.sub("", expression))) > MOST_OPERATORS:
            return None
        tree = promql.parse(expression)
    except (ValueError, RecursionError):
        return None
    return _reading(expression, tree)


def _reading(expression: str, tree: Any) -> Reading:
    comparisons = list(_comparisons(tree))
    # A guard (`and x > 0`) says when the rule makes sense, not when it fires.
    main = next((c for c in comparisons if c[2] is not None and (c[1], c[2]) not in ((">", 0), (">=", 1))), None)
    measured, sign, threshold = main or (comparisons[0] if comparisons else (tree, None, None))
    selectors = list(_selectors(measured)) or list(_selectors(tree))
    selected: dict[str, str] = {}
    for selector in selectors:
        for matcher in selector.matchers.matchers:
            if str(matcher.op) == "MatchOp.Equal" and matcher.value and matcher.name != "__name__":
                selected.setdefault(matcher.name, matcher.value)
    return Reading(
        expression,
        metric=next((name for selector in selectors if (name := _name(selector))), None),
        sign=sign,
        threshold=threshold,
        functions=frozenset(_functions(measured)),
        scale=_scale(measured),
        divided=_divides(measured),
        selected=selected,
    )


def _comparisons(node: Any) -> Iterator[tuple[Any, str, float | None]]:
    """(measured side, sign, threshold) of every comparison, outermost and leftmost first."""
    node = _bare(node)
    if isinstance(node, promql.BinaryExpr):
        sign = str(node.op)
        if sign in _FLIPPED:
            left, right = constant(node.lhs), constant(node.rhs)
            if right is None and left is not None:
                yield node.rhs, _FLIPPED[sign], left
            else:
                yield node.lhs, sign, right
        for side in (node.lhs, node.rhs) if sign in ("and", "or", "unless", *_FLIPPED) else ():
            yield from _comparisons(side)
    elif isinstance(node, promql.AggregateExpr):
        yield from _comparisons(node.expr)
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from _comparisons(argument)


def constant(node: Any) -> float | None:
    """The value of an expression of numbers only, None when there is a metric in it or it has no finite value."""
    node = _bare(node)
    if isinstance(node, promql.NumberLiteral):
        return float(node.val) if math.isfinite(node.val) else None
    if isinstance(node, promql.UnaryExpr):
        inner = constant(node.expr)
        return None if inner is None else -inner
    if isinstance(node, promql.BinaryExpr) and str(node.op) in _ARITHMETIC:
        left, right = constant(node.lhs), constant(node.rhs)
        if left is None or right is None:
            return None
        try:
            found = _ARITHMETIC[str(node.op)](left, right)
        except (ArithmeticError, ValueError):
            return None
        return found if isinstance(found, float) and math.isfinite(found) else None
    return None


def _bare(node: Any) -> Any:
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


def _children(node: Any) -> tuple[Any, ...]:
    if isinstance(node, promql.BinaryExpr):
        return (node.lhs, node.rhs)
    if isinstance(node, promql.Call):
        return tuple(node.args)
    if isinstance(node, promql.AggregateExpr | promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        return (node.expr,)
    if isinstance(node, promql.MatrixSelector):
        return (node.vector_selector,)
    return ()


def _walk(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _walk(child)


def _selectors(node: Any) -> Iterator[Any]:
    return (found for found in _walk(node) if isinstance(found, promql.VectorSelector))


def _name(selector: Any) -> str | None:
    if selector.name:
        return str(selector.name)
    return next((m.value for m in selector.matchers.matchers if m.name == "__name__"), None)


def _functions(node: Any) -> Iterator[str]:
    for found in _walk(node):
        if isinstance(found, promql.Call):
            yield str(found.func.name)
        elif isinstance(found, promql.AggregateExpr):
            yield str(found.op)


def _scale(node: Any) -> float:
    """What the measured side is multiplied with; `100 - x` counts in percent as well."""
    node = _bare(node)
    if isinstance(node, promql.AggregateExpr):
        return _scale(node.expr)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in ("*", "/", "+", "-"):
        return 1.0
    left, right = constant(node.lhs), constant(node.rhs)
    if str(node.op) == "*" and (left is None) != (right is None):
        number, other = (right, node.lhs) if left is None else (left, node.rhs)
        return (number or 1.0) * _scale(other)
    if str(node.op) == "-" and left == 100:
        return 100.0
    return max((_scale(side) for side, number in ((node.lhs, left), (node.rhs, right)) if number is None), default=1.0)


def _divides(node: Any) -> bool:
    return any(
        isinstance(found, promql.BinaryExpr)
        and str(found.op) == "/"
        and constant(found.lhs) is None
        and constant(found.rhs) is None
        for found in _walk(node)
    )
