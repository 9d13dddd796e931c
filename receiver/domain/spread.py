"""How long things took: means and percentiles of lengths in milliseconds."""

from collections.abc import Iterable, Sequence
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


def spread(lengths: Iterable[int]) -> Spread:
    """How these lengths are spread."""
    ranked = sorted(lengths)
    if not ranked:
        return Spread(0, None, None, None)
    return Spread(len(ranked), sum(ranked) / len(ranked), percentile(ranked, 50), percentile(ranked, 95))


def percentile(ranked: Sequence[N], percent: int) -> N:
    """Of sorted values that one below or at which lie so many percent of them (nearest rank)."""
    return ranked[max(0, -(-len(ranked) * percent // 100) - 1)]


def seconds(milliseconds: float | None) -> float | None:
    """As answers tell it, to a tenth."""
    return None if milliseconds is None else round(milliseconds * MILLISECOND / SECOND, 1)


def length(milliseconds: float) -> Span:
    """As a Span."""
    return round(milliseconds * MILLISECOND)
