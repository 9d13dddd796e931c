"""Answers of Prometheus' HTTP API, and series as people read them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from enrichers.api import Problem
from enrichers.live.service import document, excerpt
from enrichers.units import figure

LONGEST_LABEL = 100
"""Characters of a label's value."""

Row = tuple[Mapping[str, str], float]
"""The labels of a series, and its figure."""


def vector(body: bytes, server: str) -> list[Row]:
    """The series of an instant query; a scalar is one without labels. Raises Problem."""
    return [(labels, _number(_pairs([pair], server)[0][1])) for labels, pair in _series(body, server, "value")]


def line(body: bytes, server: str) -> list[tuple[float, float]]:
    """The samples of the first series of a range query, each with its seconds since 1970. Raises Problem."""
    series = _series(body, server, "values")
    return [(at, _number(told)) for _, values in series[:1] for at, told in _pairs(values, server)]


def listed(rows: Sequence[Row], unit: str | None, total: float | None = None) -> list[str]:
    """Each series by the labels that tell it from the others, with its figure, and its share of the total."""
    names = {name for labels, _ in rows for name in labels if name != "__name__"}
    telling = {name for name in names if len({labels.get(name) for labels, _ in rows}) > 1} if len(rows) > 1 else names
    shared = total is not None and total > 0 and all(value >= 0 for _, value in rows)
    return [
        f"{_named(labels, telling)}: {figure(value, unit)}{f' ({value / total:.0%})' if shared and total else ''}"
        for labels, value in rows
    ]


def _named(labels: Mapping[str, str], telling: set[str]) -> str:
    told = [f"{name}={str(value)[:LONGEST_LABEL]}" for name, value in sorted(labels.items()) if name in telling]
    return ", ".join(told) or "all of it"


def _series(body: bytes, server: str, key: str) -> list[tuple[Mapping[str, str], Any]]:
    """(labels, what stands under the key) of each series of an answer."""
    found = document(body, server)
    data = found.get("data") if isinstance(found, dict) else None
    result = data.get("result") if isinstance(data, dict) else None
    if isinstance(data, dict) and data.get("resultType") == "scalar":
        return [({}, result)]
    if not isinstance(result, list) or not all(isinstance(row, dict) and key in row for row in result):
        raise Problem(f"{server} answered what is not Prometheus' form: {excerpt(body)}")
    return [(row["metric"] if isinstance(row.get("metric"), dict) else {}, row[key]) for row in result]


def _pairs(values: Any, server: str) -> list[tuple[float, Any]]:
    """The samples, each a moment and a figure as text."""
    if not isinstance(values, list) or not all(isinstance(v, list) and len(v) == 2 for v in values):
        raise Problem(f"{server} answered samples that are not of Prometheus' form")
    return [(_number(moment), told) for moment, told in values]


def _number(told: Any) -> float:
    try:
        return float(told)
    except (TypeError, ValueError):
        return math.nan
