"""How a figure went, in words: pure, from samples."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from enrichers.units import figure
from receiver.domain.enrichment import Direction
from receiver.domain.times import SECOND, as_datetime

Samples = Sequence[tuple[float, float]]
"""(seconds since 1970, value), oldest first."""
STEADY = 0.05
"""A swing below this share of the largest figure is none."""
LEVEL = 0.25
"""Beginning and end nearer to each other than this share of the swing: neither rising nor falling."""
JUMP = 0.7
"""One step that makes up this share of the swing is a jump."""
_BARS = "▁▂▃▄▅▆▇█"
_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Limit:
    """What the samples are held against."""

    threshold: float
    direction: Direction

    @property
    def words(self) -> str:
        """Before the threshold in a sentence."""
        return "at" if self.direction == "equal" else self.direction

    def beyond(self, value: float) -> bool:
        """True where the trouble lies."""
        if self.direction == "equal":
            return value == self.threshold
        return value > self.threshold if self.direction == "above" else value < self.threshold


def trend(samples: Samples, unit: str | None, limit: Limit | None) -> str | None:
    """How it went, e.g. "rising ▁▁▂▄▆█, 61% at 11:05, 92% at 14:05 UTC, above 80% since 13:20"; None below two samples.

    With the lowest and highest where they are neither the first nor the last.
    """
    samples = [(at, value) for at, value in samples if math.isfinite(value)]
    if len(samples) < 2:
        return None
    (began, first), (ended, last) = samples[0], samples[-1]
    said = [
        f"{_course(samples)} {_bars([value for _, value in samples])}",
        f"{figure(first, unit)} at {_clock(began)}",
        f"{figure(last, unit)} at {_clock(ended)} UTC",
    ]
    low, high = min(samples, key=_value), max(samples, key=_value)
    if low[1] < min(first, last) and figure(low[1], unit) != figure(min(first, last), unit):
        said.append(f"lowest {figure(low[1], unit)} at {_clock(low[0])}")
    if high[1] > max(first, last) and figure(high[1], unit) != figure(max(first, last), unit):
        said.append(f"highest {figure(high[1], unit)} at {_clock(high[0])}")
    if limit is not None and limit.beyond(last):
        said.append(_since(samples, unit, limit))
    return ", ".join(said)


def _course(samples: Samples) -> str:
    values = [value for _, value in samples]
    swing = max(values) - min(values)
    if swing <= STEADY * max(abs(value) for value in values):
        return "steady"
    third = max(1, len(values) // 3)
    moved = _middle(values[-third:]) - _middle(values[:third])
    if abs(moved) < LEVEL * swing:
        return "up and down"
    steps = [after - before for before, after in pairwise(values)]
    largest = max(range(len(steps)), key=lambda at: abs(steps[at]))
    if len(values) > 3 and abs(steps[largest]) >= JUMP * swing and steps[largest] * moved > 0:
        return f"{'jumped' if moved > 0 else 'dropped'} at {_clock(samples[largest + 1][0])}"
    return "rising" if moved > 0 else "falling"


def _since(samples: Samples, unit: str | None, limit: Limit) -> str:
    told = f"{limit.words} {figure(limit.threshold, unit)}"
    begin = samples[-1][0]
    for at, value in reversed(samples):
        if not limit.beyond(value):
            return f"{told} since {_clock(begin)}"
        begin = at
    return f"{told} all the time"


def _middle(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _bars(values: Sequence[float]) -> str:
    """The course in at most 16 characters: the highest of each part."""
    width = min(_WIDTH, len(values))
    edges = [round(part * len(values) / width) for part in range(width + 1)]
    heights = [max(values[begin:end]) for begin, end in pairwise(edges)]
    low, high = min(heights), max(heights)
    return "".join(_BARS[round((height - low) / (high - low) * 7) if high > low else 0] for height in heights)


def _clock(seconds: float) -> str:
    return as_datetime(int(seconds * SECOND)).strftime("%H:%M")


def _value(sample: tuple[float, float]) -> float:
    return sample[1]
