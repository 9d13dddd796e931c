"""How long things took: means and percentiles of lengths in milliseconds."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TypeVar

from receiver.domain.times import MILLISECOND, SECOND, Span
from receiver.domain.value import value

N = TypeVar("N", int, float)


@value
class Spread:
    """Lengths, in milliseconds; None where there are none."""

    count: int
    mean: float | None
    p50: int | None
    """Half of them are no longer. (Nearest rank: it is one of them.)"""
    p95: int | None


def spread(*ranked: Sequence[int]) -> Spread:
    """How the lengths in these sequences are spread together; each of them is sorted."""
    parts = [part for part in ranked if part]
    count = sum(map(len, parts))
    if not count:
        return Spread(0, None, None, None)
    p50, p95 = (_value(parts, _rank(count, percent)) for percent in (50, 95))
    return Spread(count, sum(map(sum, parts)) / count, p50, p95)


def percentile(ranked: Sequence[N], percent: int) -> N:
    """Of sorted values that one below or at which lie so many percent of them (nearest rank)."""
    return ranked[_rank(len(ranked), percent) - 1]


def _rank(count: int, percent: int) -> int:
    return max(1, -(-count * percent // 100))


def _value(parts: Sequence[Sequence[int]], rank: int) -> int:
    """The value of that rank among all of them, found by halving: to merge 100,000 lengths takes ten times as long."""
    if len(parts) == 1:
        return parts[0][rank - 1]
    low, high = min(part[0] for part in parts), max(part[-1] for part in parts)
    while low < high:
        middle = (low + high) // 2
        if sum(bisect_right(part, middle) for part in parts) >= rank:
            high = middle
        else:
            low = middle + 1
    return low


def seconds(milliseconds: float | None) -> float | None:
    """As answers tell it, to a tenth."""
    return None if milliseconds is None else round(milliseconds * MILLISECOND / SECOND, 1)


def length(milliseconds: float) -> Span:
    """As a Span."""
    return round(milliseconds * MILLISECOND)
