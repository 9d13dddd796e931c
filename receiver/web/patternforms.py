"""The forms of patterns, for the API's document."""

from typing import Annotated, Literal

from pydantic import Field

from receiver.domain.vocabulary import Category, Priority, Status
from receiver.web.table import Answer, Query

DAYS, HYGIENE_DAYS, MOST_DAYS = 7, 30, 366
MOST_VALUES = 50
"""Of one parameter."""


class Asked(Query):
    """What is counted."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DAYS
    """The last so many times 24 hours."""
    zone: Annotated[str, Field(json_schema_extra={"format": "zone"})] = "UTC"
    """The IANA name of the time zone that hours and days of the week are told in."""
    name: list[str] = Field(default=[])
    """Only alerts of one of these names."""
    source: list[str] = Field(default=[])
    """Only alerts of one of these sources."""
    category: list[Category] = Field(default=[])
    """Only alerts of one of these categories."""
    priority: list[Priority] = Field(default=[])
    """Only alerts of one of these priorities."""


class HygieneAsked(Asked):
    """What is looked at."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = HYGIENE_DAYS
    """The last so many times 24 hours."""


class Extent(Answer):
    """What an answer is about."""

    since: str
    until: str
    days: int
    zone: str
    known_since: str | None
    """Nothing that counts has been deleted since then; null when nothing is stored."""
    complete: bool
    """False when some of the days lie before `known_since`."""


class Lengths(Answer):
    """How long something took. null where there are none."""

    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None


class Totals(Answer):
    """How many times there were, and what became of them."""

    times: int
    alerts: int
    """Different alerts."""
    opened: int
    reopened: int
    resolved: int
    expired: int
    """Nobody told of an end."""
    began_anew: int
    """Reopened without an end having been told."""
    still_open: int
    suppressed: int
    """Suppressed when they began: nobody was told."""
    acted_on: int
    """A person did something."""
    over: int
    """Not open any more, not suppressed when they began."""
    over_without_an_act: int


class Before(Answer):
    """As many days before; null when they are not known."""

    times: int | None
    change_percent: int | None


class OfType(Answer):
    """Alerts of one name."""

    name: str
    times: int
    before: int | None
    """In as many days before; null when they are not known."""
    resolved: int
    expired: int
    acted_on: int
    mtta: Lengths
    mttr: Lengths
    usually: str | None
    """When more than half of them began, if that happened on several days: 12:00-14:00 on weekdays."""


class OfResource(Answer):
    """Alerts about one thing."""

    resource: str | None
    times: int


class OfCategory(Answer):
    """Alerts of one category."""

    category: str
    times: int


class OfSource(Answer):
    """Alerts of one source."""

    source: str
    times: int


class OfPriority(Answer):
    """Alerts of one priority."""

    priority: str
    times: int


class Noisy(Answer):
    """Alerts of one name about one thing."""

    name: str
    resource: str | None
    times: int


class Flapped(Answer):
    """An alert that began four times and more, each at most 30 minutes after the time before."""

    alert: int
    name: str
    resource: str | None
    times: int
    since: str
    until: str


class StillOpen(Answer):
    """An alert that is open now, whenever it began."""

    alert: int
    name: str
    resource: str | None
    priority: Priority
    status: Status
    since: str
    seconds: int


class Ignored(Answer):
    """A name that was over so many times without anybody ever doing anything."""

    name: str
    times: int


class Report(Extent):
    """What the alerts of the last days have in common. Most first; what is left out is added up as `_other`."""

    total_alerts: int
    """Times: openings and reopenings of alerts."""
    most_common_type: str | None
    peak_hour: int | None
    """0 to 23."""
    avg_resolution_time_minutes: float | None
    type_distribution: dict[str, int]
    hourly_distribution: Annotated[list[int], Field(min_length=24, max_length=24)]
    totals: Totals
    before: Before
    mtta: Lengths
    """From the beginning until a person acknowledged or resolved it."""
    mttr: Lengths
    """From the beginning until it was resolved; what expired is not among them."""
    week: list[list[int]]
    """Monday to Sunday, 24 hours each."""
    by_type: list[OfType]
    by_resource: list[OfResource]
    by_category: list[OfCategory]
    by_source: list[OfSource]
    by_priority: list[OfPriority]
    noisiest: list[Noisy]
    flapping: list[Flapped]
    longest_open: list[StillOpen]
    never_acted_on: list[Ignored]
    insights: list[str]
    """What it means in plain words."""


class Values(Answer):
    """One value of each alert: the last that it was described with."""

    count: int
    least: float
    p50: float
    p95: float
    most: float
    thresholds: list[float]
    """That the alerts were told with."""
    direction: str
    unit: str | None
    metric: str | None
    note: str


class Evidence(Answer):
    """What a proposal rests on."""

    times: int
    days: int
    """Different days that it alerted on."""
    over: int
    acted_on: int
    over_without_an_act: int
    suppressed: int
    expired: int
    flapping_alerts: int
    lengths: Lengths
    lengths_without_an_act: Lengths
    values: Values | None
    """null without values, or when they are of different quantities."""


class Rule(Answer):
    """What to do about alerts of one name."""

    name: str
    proposal: Literal["keep", "raise_threshold", "lower_threshold", "longer_for", "delete"]
    threshold: float | None
    for_seconds: int | None
    """How much longer it should wait before it alerts."""
    why: str
    evidence: Evidence


class Hygiene(Extent):
    """What to do about the rules that alert most."""

    rules: list[Rule]
    others: int
    """Names that are not among them."""
