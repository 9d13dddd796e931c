"""What a parsed PromQL expression is made of, node by node."""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal

import promql_parser as promql

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
    "%": math.fmod,
}


SELECTING = ("topk", "bottomk")
"""Aggregations that let series through as they are."""


def constant(node: Any) -> float | None:
    """The value of an expression of numbers only, None when there is a metric in it or it has no finite value."""
    node = bare(node)
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


def bare(node: Any) -> Any:
    """The node without brackets around it."""
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return node


_CHILDREN: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    promql.BinaryExpr: lambda node: (node.lhs, node.rhs),
    promql.Call: lambda node: tuple(node.args),
    promql.AggregateExpr: lambda node: (node.expr,),
    promql.ParenExpr: lambda node: (node.expr,),
    promql.UnaryExpr: lambda node: (node.expr,),
    promql.SubqueryExpr: lambda node: (node.expr,),
    promql.MatrixSelector: lambda node: (node.vector_selector,),
}


def nodes_in(node: Any) -> list[Any]:
    """The node and all below it, from the left. The parser makes a node anew each time it is asked for."""
    found = [node]
    children = _CHILDREN.get(type(node))
    if children is not None:
        for child in children(node):
            found += nodes_in(child)
    return found


def selectors_in(nodes: Iterable[Any]) -> list[Any]:
    """The vector selectors among them."""
    return [found for found in nodes if isinstance(found, promql.VectorSelector)]


def name_of(selector: Any) -> str | None:
    """The metric that a selector names, before its braces or in them."""
    if selector.name:
        return str(selector.name)
    return next((m.value for m in selector.matchers.matchers if m.name == "__name__"), None)


def functions_in(nodes: Iterable[Any]) -> Iterator[str]:
    """The names of all functions and aggregations among them."""
    for found in nodes:
        if isinstance(found, promql.Call):
            yield str(found.func.name)
        elif isinstance(found, promql.AggregateExpr):
            yield str(found.op)


def scale_of(node: Any) -> float:
    """What the measured side is multiplied with; `100 - x` counts in percent as well."""
    node = bare(node)
    if isinstance(node, promql.AggregateExpr):
        return scale_of(node.expr)
    if isinstance(node, promql.Call):
        return _largest_scale(node.args)
    if isinstance(node, promql.BinaryExpr) and str(node.op) in ("*", "/", "+", "-"):
        return _scale_of_two(str(node.op), node.lhs, node.rhs)
    return 1.0


def _scale_of_two(sign: str, left: Any, right: Any) -> float:
    number, divisor = constant(left), constant(right)
    if sign == "/" and number is None:
        return scale_of(left) / (divisor or scale_of(right) or 1.0)
    if sign == "*" and (number is None) != (divisor is None):
        return (number or 1.0) * scale_of(right) if number is not None else (divisor or 1.0) * scale_of(left)
    if sign == "-" and number == 100:
        return 100.0
    return _largest_scale((left, right))


def _largest_scale(nodes: Iterable[Any]) -> float:
    return max((scale_of(node) for node in nodes if constant(node) is None), default=1.0)


def divides(nodes: Iterable[Any]) -> bool:
    """True when one of them divides something measured by something measured."""
    return any(
        isinstance(found, promql.BinaryExpr)
        and str(found.op) == "/"
        and constant(found.lhs) is None
        and constant(found.rhs) is None
        for found in nodes
    )


def clock_of(nodes: Iterable[Any]) -> Literal["since", "until"] | None:
    """Whether time that has passed is measured (`time() - x`), or time that is left (`x - time()`)."""
    for found in nodes:
        if isinstance(found, promql.BinaryExpr) and str(found.op) == "-":
            left, right = (_is_now(side) for side in (found.lhs, found.rhs))
            if left != right:
                return "since" if left else "until"
    return None


def _is_now(node: Any) -> bool:
    node = bare(node)
    return isinstance(node, promql.Call) and str(node.func.name) == "time"


def kept_in(node: Any) -> tuple[str, ...] | None:
    """The labels that the outermost aggregations let through, in the order written; None for all or unknown ones."""
    node = bare(node)
    if isinstance(node, promql.AggregateExpr):
        modifier = node.modifier
        if modifier is None:
            return () if str(node.op) not in SELECTING else None
        return tuple(modifier.labels) if str(modifier.type) == "AggModifierType.By" else None
    if isinstance(node, promql.BinaryExpr):
        return next((found for side in (node.lhs, node.rhs) if (found := kept_in(side)) is not None), None)
    if isinstance(node, promql.Call):
        return next((found for argument in node.args if (found := kept_in(argument)) is not None), None)
    return None
