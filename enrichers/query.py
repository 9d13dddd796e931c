"""The query to look at: what a rule measures, narrowed down to the thing of one alert."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import promql_parser as promql

from enrichers.promtree import SELECTING, bare
from enrichers.subject import naming
from receiver.domain import querytext
from receiver.domain.words import unrendered

LONGEST = 1500
"""Characters of a query; a longer one is none to type."""
LONGEST_VALUE = 300
"""Characters of a label's value that is put into a query."""
_ABSENCE = ("absent", "absent_over_time")
_OPERATORS = {"MatchOp.Equal": "=", "MatchOp.NotEqual": "!=", "MatchOp.Re": "=~", "MatchOp.NotRe": "!~"}


def query(measured: Any, labels: Mapping[str, str]) -> str | None:
    """PromQL of the measured side with matchers for this alert's own series; None when that cannot be written.

    The matchers are those labels of the alert that the aggregations keep or, where all are kept, those that name the
    thing: a label that the alerting rule put on by itself would find nothing.
    """
    node = bare(measured)
    if isinstance(node, promql.Call) and node.func.name in _ABSENCE and node.args:
        node = node.args[0]  # what is missed, rather than that it is missing
    try:
        found = _Written(labels).of(node)
    except _Unwritten:
        return None
    return found if len(found) <= LONGEST else None


def written(node: Any) -> str | None:
    """A parsed expression as PromQL again, None when that cannot be written: the parser's own text quotes nothing."""
    try:
        return _Written({}, frozenset()).of(node)
    except _Unwritten:
        return None


class _Unwritten(Exception):  # noqa: N818 - only says that there is no query
    """The expression holds what is not written here."""


@dataclass(frozen=True, slots=True)
class _Written:
    """Writes an expression out again. `kept` are the labels that reach the result, None for all."""

    labels: Mapping[str, str]
    kept: frozenset[str] | None = None

    def of(self, node: Any) -> str:
        for kind, write in _WRITERS.items():
            if isinstance(node, kind):
                return str(write(self, node))
        raise _Unwritten

    def brackets(self, node: Any) -> str:
        return f"({self.of(node.expr)})"

    def call(self, node: Any) -> str:
        return f"{node.func.name}({', '.join(self.of(argument) for argument in node.args)})"

    def two(self, node: Any) -> str:
        modifier = f" {node.modifier}" if node.modifier else ""
        return f"{self.of(node.lhs)} {node.op}{modifier} {self.of(node.rhs)}"

    def aggregate(self, node: Any) -> str:
        modifier = node.modifier
        inside = self if str(node.op) in SELECTING else replace(self, kept=self._inside(modifier))
        parameter = f"{self.of(node.param)}, " if node.param is not None else ""
        return f"{node.op}{f' {modifier} ' if modifier else ''}({parameter}{inside.of(node.expr)})"

    def subquery(self, node: Any) -> str:
        step = promql.display_duration(node.step) if node.step else ""
        span = f"[{promql.display_duration(node.range)}:{step}]"
        return f"{self.of(node.expr)}{span}{_offset(node)}"

    def matrix(self, node: Any) -> str:
        vector = node.vector_selector
        return f"{self._series(vector)}[{promql.display_duration(node.range)}]{_offset(vector)}"

    def vector(self, node: Any) -> str:
        return f"{self._series(node)}{_offset(node)}"

    def _series(self, node: Any) -> str:
        if node.matchers.or_matchers:
            raise _Unwritten
        matchers = [(m.name, _OPERATORS[str(m.op)], str(m.value)) for m in node.matchers.matchers]
        if any(unrendered(value) for *_, value in matchers):
            raise _Unwritten  # it would find nothing
        pinned = {name for name, sign, _ in matchers if sign == "="}
        wanted = naming(self.labels) if self.kept is None else sorted(self.kept)
        matchers += [(name, "=", self.labels[name]) for name in wanted if name not in pinned and self._usable(name)]
        inside = ",".join(f"{name}{sign}{_quoted(value)}" for name, sign, value in matchers)
        return f"{node.name or ''}{{{inside}}}" if inside or not node.name else str(node.name)

    def _inside(self, modifier: Any) -> frozenset[str]:
        """The labels that still reach the result from inside an aggregation."""
        if modifier is None:
            return frozenset()
        named = frozenset(modifier.labels)
        if str(modifier.type) == "AggModifierType.By":
            return named if self.kept is None else named & self.kept
        return (frozenset(naming(self.labels)) if self.kept is None else self.kept) - named

    def _usable(self, name: str) -> bool:
        value = self.labels.get(name, "")
        return 0 < len(value) <= LONGEST_VALUE and not unrendered(value)


def _offset(node: Any) -> str:
    if node.at is not None:
        raise _Unwritten
    if not node.offset:
        return ""
    sign = "-" if node.offset < timedelta(0) else ""
    return f" offset {sign}{promql.display_duration(abs(node.offset))}"


def _quoted(value: str) -> str:
    return f'"{querytext.written(value, "quoted")}"'


_WRITERS: Mapping[Any, Any] = {
    promql.VectorSelector: _Written.vector,
    promql.MatrixSelector: _Written.matrix,
    promql.SubqueryExpr: _Written.subquery,
    promql.ParenExpr: _Written.brackets,
    promql.UnaryExpr: lambda written, node: f"-{written.of(node.expr)}",
    promql.Call: _Written.call,
    promql.AggregateExpr: _Written.aggregate,
    promql.BinaryExpr: _Written.two,
    promql.NumberLiteral: lambda _, node: f"{node.val:.15g}",
    promql.StringLiteral: lambda _, node: _quoted(node.val),
}
