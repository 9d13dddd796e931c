"""The shapes of answers that several routes share, for the document: alerts and what belongs to them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from enrichers.chain import Fared
from receiver.domain.vocabulary import Category, Kind, Priority, Status
from receiver.web.table import Answer

Id = Annotated[int, Field(ge=1, le=10**18 - 1)]


class Problem(Answer):
    """A problem document (RFC 9457): what is wrong, in one plain sentence."""

    type: Literal["about:blank"]
    title: str
    """The name of the status."""
    status: int
    detail: str
    """The sentence: what is wrong and what to do instead."""


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


class Alert(Answer):
    """An alert: one episode of one problem, explained. What is not known is null."""

    id: Id
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


class Altered(Answer):
    """One entry of an alert's audit trail."""

    seq: int
    """1, 2, 3 within the alert."""
    at: datetime
    kind: Kind
    who: str
    """`source:NAME`, `alertsage` or a person."""
    why: str
    via: str
    """The interface it came by: `webhook`, `api`, `alertsage` itself, ..."""
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


class WholeAlert(Alert):
    """An alert with all that is known of it."""

    changes: list[Altered]
    history: History
    raw: dict[str, Any]
    """What was sent when it last fired, as it was sent."""


class AlertPage(Answer):
    """A page of alerts."""

    alerts: list[Alert]
    next: str | None
    """The `cursor` of the page that follows; null on the last one."""


class Kept(Answer):
    """An alert that could not be read."""

    id: Id
    at: datetime
    source: str
    reason: str
    excerpt: str
    """The start of what was sent."""


class Quarantine(Answer):
    """What was kept aside."""

    quarantined: list[Kept]


class Unreadable(Answer):
    """An alert of the webhook that could not be read."""

    index: int
    """Its place in the body, from 0."""
    reason: str


class Taken(Answer):
    """What became of a webhook."""

    received: int
    """Alerts in it."""
    truncated: int
    """Alerts that its sender left out."""
    quarantined: list[Unreadable]
    outcomes: dict[str, int]
    """How many were `opened`, `repeated`, `resolved`, ..."""
    ignored: str
    """What it was when it concerns no alert."""
    spooled: bool
    """True (with 202) when it is safe on the disk but not in the database yet."""


class ToSentry(Answer):
    """What Sentry shows to somebody who saves an alert rule with alertsage as its action."""

    message: str


class Reloaded(Answer):
    """What a reload did."""

    reloaded: Literal[True]
    needs_restart: list[str]
    """Settings that changed, but only a restart puts in force."""
