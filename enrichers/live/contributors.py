"""Which series make up a figure: the query for the largest of them."""

from dataclasses import dataclass
from typing import Any

import promql_parser as promql

from enrichers.promtree import bare, constant
from enrichers.query import written

_ADDING = frozenset({"sum", "max", "min", "avg", "count", "group"})
_KEEPING = frozenset({"abs", "ceil", "floor", "round", "clamp", "clamp_max", "clamp_min", "sqrt", "sort", "sort_desc"})
"""Functions that keep what is large large."""


@dataclass(frozen=True, slots=True)
class Contributors:
    """PromQL of the series inside."""

    query: str
    lowest: bool
    """True when the smallest of them make the trouble."""
    same_unit: bool
    """True when their values are of the unit of the whole."""
    summed: bool
    """True when the whole is their sum."""


def contributors(node: Any, lowest: bool) -> Contributors | None:
    """What the outermost aggregation of an expression runs over; None where there is none that can be told.

    `lowest`: whether the expression as a whole is in trouble when it is small. Of a ratio it is the numerator's.
    """
    node = bare(node)
    if isinstance(node, promql.AggregateExpr):
        return _inside(node, lowest)
    if isinstance(node, promql.BinaryExpr):
        return _of_two(node, lowest)
    if isinstance(node, promql.Call) and str(node.func.name) in _KEEPING and node.args:
        return _rough(contributors(node.args[0], lowest))
    return None


def _inside(node: Any, lowest: bool) -> Contributors | None:
    operation = str(node.op)
    inner = written(node.expr)
    if operation not in _ADDING or inner is None:
        return None
    counted = operation in ("count", "group")
    return Contributors(inner, lowest and not counted, same_unit=not counted, summed=operation == "sum")


def _of_two(node: Any, lowest: bool) -> Contributors | None:
    sign = str(node.op)
    if sign not in ("+", "-", "*", "/"):
        return None
    if constant(node.lhs) is None:
        return _rough(contributors(node.lhs, lowest))
    # What is taken from a number, or divides one, is large when the whole is small.
    return _rough(contributors(node.rhs, lowest if sign in ("+", "*") else not lowest))


def _rough(found: Contributors | None) -> Contributors | None:
    return None if found is None else Contributors(found.query, found.lowest, same_unit=False, summed=False)
