"""What enrichers add to an alert, and the alert as they see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from receiver.domain.times import Instant
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority

Direction = Literal["above", "below", "equal"]
"""On which side of the threshold the trouble lies."""
Unknown = Literal["unknown"]


@value
class Term:
    """One step of the reasoning behind a priority: the rule, what it looked at, what it did."""

    rule: str
    input: str
    effect: str


@value
class Recommendation:
    """One thing to do. `command` is shell or SQL, filled with the alert's own values; `careful` marks what can hurt."""

    text: str
    command: str | None = None
    link: str | None = None
    rule: str | None = None
    """The id of the rule that said it; None when an enricher said it by itself."""
    careful: bool = False


@value
class Link:
    """Somewhere to look: an http, https or mailto address."""

    title: str
    url: str


@value
class Impact:
    """How many users are hit and who says so; "unknown" is never 0."""

    users: int | Unknown = "unknown"
    source: str | None = None


@value
class Enrichment:
    """What one enricher adds. None or empty means "nothing to say": it never takes away what others said.

    Facts, links, recommendations and terms are added to those of earlier enrichers; of the single values the last
    one said stands.
    """

    title: str | None = None
    message: str | None = None
    category: Category | None = None
    priority: Priority | None = None
    priority_terms: tuple[Term, ...] = ()
    subject: str | None = None
    """The thing affected: an instance, a pod, a volume."""
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    direction: Direction | None = None
    unit: str | None = None
    overage_percent: float | None = None
    impact: Impact | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Named findings: JSON values, shown as they are."""
    recommendations: tuple[Recommendation, ...] = ()
    links: tuple[Link, ...] = ()


READ_FACTS = frozenset({"expression", "promql", "metrics", "functions", "prometheus"})
"""Facts that the enricher `expression` reads from the alert's rule. Rules fill `{expr}`, `{query}` and links to graphs
with them, so what somebody else says never goes under these names.
"""


def own_fact(name: str) -> str:
    """The name of a fact that settings make. Raises ValueError for one that is read from the alert's rule."""
    if name in READ_FACTS:
        raise ValueError(f'"{name}" is a fact that alertsage reads from the rule behind an alert; take another name')
    return name


FIELDS = tuple(f.name for f in fields(Enrichment))


@value
class History:
    """What is remembered of this alert's key (source and fingerprint) when it is looked at."""

    episodes: tuple[Instant, ...] = ()
    """When it opened or reopened, oldest first, this time included; at most the last 50 within 30 days."""
    notification_count: int = 0
    """How often the sender told of the current row, this time included."""
    previous_id: int | None = None
    """The Alert before this one, when that closed too long ago to be reopened."""


@dataclass(slots=True)
class AlertView:
    """The alert as enrichers see it: what the sender told, and what the enrichers before have added. Read only.

    Instants are microseconds since 1970 (UTC).
    """

    source: str
    kind: str
    fingerprint: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str
    starts_at: Instant
    firing: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)
    """What else the sender wrote about it: bounded, without secrets."""
    id: int | None = None
    """The Alert's number; None before it is stored (inline enrichers, `alertsage explain`)."""
    title: str = ""
    message: str = ""
    category: Category | None = None
    priority: Priority | None = None
    priority_terms: tuple[Term, ...] = ()
    subject: str | None = None
    metric: str | None = None
    value: float | None = None
    threshold: float | None = None
    direction: Direction | None = None
    unit: str | None = None
    overage_percent: float | None = None
    impact: Impact | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    recommendations: tuple[Recommendation, ...] = ()
    links: tuple[Link, ...] = ()
