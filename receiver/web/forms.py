"""The forms of answers, for the API's document: an alert, its history, a page of them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from enrichers.chain import Fared
from receiver.domain.vocabulary import Category, Kind, Priority, Status
from receiver.web.table import Answer

Id = Annotated[int, Field(ge=1, le=10**18 - 1)]


class Recommendation(Answer):
    """One thing to do."""

    text: str
    command: str | None
    """Shell or SQL, filled with the alert's own values."""
    link: str | None
    rule: str | None
    """The rule that said it; null when an enricher said it by itself."""
    careful: bool
    """True for a command that can hurt."""


class Link(Answer):
    """Somewhere to look."""

    title: str
    url: str


class Term(Answer):
    """One step of the reasoning behind a priority."""

    rule: str
    input: str
    effect: str


class Impact(Answer):
    """How many users are hit."""

    users: int | Literal["unknown"]
    source: str | None
    """Who says so."""


class Ran(Answer):
    """How one enricher fared."""

    enricher: str
    outcome: Fared
    ms: float
    """Milliseconds."""
    detail: str | None


class AlertForm(Answer):
    """An alert: one episode of one problem, explained. What is not known is null."""

    id: Id
    version: int
    """Counts its changes: send it with an act to be refused if somebody was quicker."""
    status: Status
    source: str
    kind: str
    """The kind of its source."""
    fingerprint: str
    """The same for each episode of the same problem of one source."""
    name: str
    title: str
    message: str
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    notification_count: int
    """How often its sender told of it."""
    started_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    created_at: datetime
    predecessor: int | None
    """The alert before it of the same fingerprint."""
    assignee: str | None
    resolved_by: str | None
    """The person who resolved it; null when nobody did, or the sender."""
    suppressed_until: datetime | None
    silence: int | None
    """The id of the silence that suppresses it."""
    metadata: dict[str, Any]
    """What its sender told, under what was added to it since."""
    related_logs: str | None
    notification_channels: list[str]
    category: Category
    priority: Priority
    priority_terms: list[Term]
    subject: str | None
    """The thing affected."""
    metric: str | None
    value: float | None
    threshold: float | None
    direction: Literal["above", "below", "equal"] | None
    unit: str | None
    overage_percent: float | None
    impact: Impact
    facts: dict[str, Any]
    """Named findings of the enrichers."""
    recommendations: list[Recommendation]
    links: list[Link]
    provenance: dict[str, Any]
    """Who said what: the name of a field to an enricher, or to one for each entry of it."""
    enrichers: list[Ran]


class ChangeForm(Answer):
    """One entry of an alert's audit trail."""

    seq: int
    """1, 2, 3 within the alert."""
    at: datetime
    kind: Kind
    who: str
    """`source:NAME`, `alertsage` or a person."""
    why: str
    via: str
    """`webhook`, `alertsage` (the clock), `file`, or `api`, with the token's name when somebody else's was given."""
    before: Status | None
    after: Status | None
    altered: dict[str, Any]
    """What else it altered: names to [before, after]."""


class Flapping(Answer):
    """It began so often within so many seconds."""

    times: int
    seconds: int


class Episode(Answer):
    """An earlier time."""

    alert: Id
    began_at: datetime
    ended_at: datetime | None
    seconds: int | None
    ended_by: str | None


class Fix(Answer):
    """What somebody wrote who resolved it, or a similar alert."""

    alert: Id
    match: Literal["exact", "similar"]
    subject: str | None
    at: datetime
    who: str
    note: str
    seconds: int | None
    """From its beginning."""


class History(Answer):
    """What happened before."""

    summary: str | None
    count: int
    """How often it fired within `days`, this time included."""
    days: int
    usual_hour: int | None
    """UTC."""
    median_seconds: int | None
    flapping: Flapping | None
    episodes: list[Episode]
    fixes: list[Fix]


class AlertWithHistory(AlertForm):
    """An alert with all that is known of it."""

    changes: list[ChangeForm]
    history: History
    raw: dict[str, Any]
    """What was sent when it last fired, as it was sent."""


class AlertPage(Answer):
    """A page of a list. It can be shorter than asked for, even empty, and there is more as long as `next` is given."""

    alerts: list[AlertForm]
    next: str | None
    """The `cursor` of the page that follows; null on the last one."""
