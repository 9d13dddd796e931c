"""The forms of answers, for the API's document: an alert, its history, a page of them."""

from typing import Any

from typing_extensions import TypedDict

from enrichers.chain import Outcome
from receiver.domain.enrichment import Impact, Link, Recommendation, Term
from receiver.domain.vocabulary import Category, Kind, Priority, Status


class AlertForm(TypedDict):
    """One alert. Moments are RFC 3339 in UTC."""

    id: int
    version: int
    """Counts its changes: send it with an act to be refused if somebody was quicker."""
    status: Status
    priority: Priority
    category: Category
    source: str
    kind: str
    fingerprint: str
    name: str
    title: str
    message: str
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    notification_count: int
    started_at: str
    last_seen_at: str
    ended_at: str | None
    created_at: str
    predecessor: int | None
    assignee: str | None
    resolved_by: str | None
    """The person who resolved it; null when nobody did, or the sender."""
    suppressed_until: str | None
    silence: int | None
    """The id of the silence that suppresses it."""
    metadata: dict[str, Any]
    subject: str | None
    metric: str | None
    value: float | None
    threshold: float | None
    direction: str | None
    unit: str | None
    overage_percent: float | None
    priority_terms: list[Term]
    impact: Impact
    facts: dict[str, Any]
    links: list[Link]
    recommendations: list[Recommendation]
    enrichers: list[Outcome]
    provenance: dict[str, Any]


class ChangeForm(TypedDict):
    """One entry of an alert's audit trail."""

    seq: int
    at: str
    kind: Kind
    who: str
    why: str
    via: str
    """`webhook`, `alertsage` (the clock), `file`, or `api`, with the token's name when somebody else's was given."""
    before: Status | None
    after: Status | None
    altered: dict[str, Any]
    """What else it altered: names to [before, after]."""


class AlertWithHistory(AlertForm):
    """One alert with all that happened to it, what was sent, and what happened before."""

    changes: list[ChangeForm]
    raw: dict[str, Any]
    history: dict[str, Any]


class AlertPage(TypedDict):
    """A page of a list. It can be shorter than asked for, even empty, and there is more as long as `next` is given."""

    alerts: list[AlertForm]
    next: str | None
    """The `cursor` of the page after it."""
