"""What a parser knows of its source besides the request."""

from dataclasses import dataclass
from typing import Any

from receiver.sources.layout import Layout
from receiver.sources.redact import USUAL, Redaction


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one webhook may hold; sizes in characters. The defaults are those of the settings (`limits`)."""

    alerts: int = 10_000
    values: int = 1_000_000
    labels: int = 250
    label_size: int = 16 * 2**10
    annotation_size: int = 64 * 2**10

    @classmethod
    def of(cls, limits: Any) -> "Bounds":
        """The bounds among the settings' limits, which have the same names."""
        return cls(limits.alerts, limits.values, limits.labels, limits.label_size, limits.annotation_size)


@dataclass(frozen=True, slots=True)
class SourceContext:
    """A configured source. It travels to another process with very large bodies: plain values only."""

    name: str
    kind: str
    bounds: Bounds = Bounds()
    redaction: Redaction = USUAL
    keep: frozenset[str] = frozenset()
    """Parts of Sentry's events that are kept although secrets travel in them."""
    layout: Layout | None = None
    """How a generic sender's bodies are read."""
