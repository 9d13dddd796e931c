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
    found = _comparison(tree) or Comparison(tree, None, None)
    selectors = list(_selectors(found.measured)) or list(_selectors(tree))
    selected: dict[str, str] = {}
    for selector in selectors:
        for matcher in selector.matchers.matchers:
            if str(matcher.op) == "MatchOp.Equal" and matcher.value and matcher.name != "__name__":
                selected.setdefault(matcher.name, matcher.value)
    return Reading(
        expression,
        metric=next((name for selector in selectors if (name := _name(selector))), None),
        sign=found.sign,
        threshold=found.threshold,
        functions=frozenset(_functions(found.measured)) | ({"time"} if found.since else frozenset()),
        scale=_scale(found.measured),
        divided=_divides(found.measured),
        selected=selected,
    )


def _comparison(tree: Any) -> Comparison | None:
    """The comparison that says when the rule fires: the first with a limit, else a state, else a presence."""
    comparisons = list(_comparisons(tree))
    against_number = [found for found in comparisons if found.threshold is not None]
    # `and x > 0` and `and leader == 1` say when the rule makes sense, not when it fires.
    for wanted in (Comparison.is_limit, Comparison.is_state):
        for found in against_number:
            if wanted(found):
                return found
    return next(iter(against_number or comparisons), None)


def _comparisons(node: Any) -> Iterator[Comparison]:
    """Every comparison that has to hold for the rule to fire, outermost and leftmost first."""
    node = _bare(node)
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
    """One comparison with the number on the right; `x < time() - 60` is an age above 60."""
    left, right = constant(node.lhs), constant(node.rhs)
    if right is None and left is not None:
        return Comparison(node.rhs, _FLIPPED[sign], left)
    if right is None:
        for measured, other, turned in ((node.lhs, node.rhs, _FLIPPED[sign]), (node.rhs, node.lhs, sign)):
            age = _before_now(other)
            if age is not None:
                return Comparison(measured, turned, age, since=True)
    return Comparison(node.lhs, sign, right)


def _before_now(node: Any) -> float | None:
    """60 for `time() - 60`, None for anything else."""
    node = _bare(node)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) != "-":
        return None
    now = _bare(node.lhs)
    return constant(node.rhs) if isinstance(now, promql.Call) and now.func.name == "time" else None


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
    if isinstance(node, promql.Call):
        return max((_scale(argument) for argument in node.args if constant(argument) is None), default=1.0)
    if not isinstance(node, promql.BinaryExpr) or str(node.op) not in ("*", "/", "+", "-"):
        return 1.0
    left, right = constant(node.lhs), constant(node.rhs)
    if str(node.op) == "-" and left == 100:
        return 100.0
    if str(node.op) == "*" and (left is None) != (right is None):
        number, other = (right, node.lhs) if left is None else (left, node.rhs)
        return (number or 1.0) * _scale(other)
    if str(node.op) == "/" and right:
        return _scale(node.lhs) / right
    return max((_scale(side) for side, number in ((node.lhs, left), (node.rhs, right)) if number is None), default=1.0)


def _divides(node: Any) -> bool:
    return any(
        isinstance(found, promql.BinaryExpr)
        and str(found.op) == "/"
        and constant(found.lhs) is None
        and constant(found.rhs) is None
        for found in _walk(node)
    )
