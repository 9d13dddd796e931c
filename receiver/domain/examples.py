"""The alerts that a rule names as its own proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """An alert that a rule names as one it is, or is not, for: the rule's own proof."""

    matches: bool
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    expr: str
    """The PromQL of its alerting rule."""
    line: int
    kind: str = "alertmanager"
    """The kind of its sender."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What its sender tells of it in facts."""
