"""The forms of patterns, for the API's document."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from receiver.domain.vocabulary import Category, Priority, Status

DAYS, HYGIENE_DAYS, MOST_DAYS = 7, 30, 366
MOST_VALUES = 50
"""Of one parameter."""


class Form(BaseModel):
    """What stands below a field tells readers of the document what it means."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class Asked(Form):
    """What is counted."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = DAYS
    """The last so many times 24 hours."""
    zone: str = "UTC"
    """The IANA name of the time zone that hours and days of the week are told in."""
    name: list[str] = []
    """Only alerts of one of these names."""
    source: list[str] = []
    """Only alerts of one of these sources."""
    category: list[Category] = []
    """Only alerts of one of these categories."""
    priority: list[Priority] = []
    """Only alerts of one of these priorities."""


class HygieneAsked(Asked):
    """What is looked at."""

    days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = HYGIENE_DAYS
    """The last so many times 24 hours."""


class Extent(Form):
    """What an answer is about."""

    since: str
    until: str
    days: int
    zone: str
    known_since: str | None
    """Nothing that counts has been deleted since then; null when nothing is stored."""
    complete: bool
    """False when some of the days lie before `known_since`."""


class Lengths(Form):
    """How long something took. null where there are none."""

    count: int
    mean_seconds: float | None
    p50_seconds: float | None
    p95_seconds: float | None


class Totals(Form):
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


class Before(Form):
    """As many days before; null when they are not known."""

    times: int | None
    change_percent: int | None


class OfType(Form):
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


class OfResource(Form):
    """Alerts about one thing."""

    resource: str | None
    times: int


class OfCategory(Form):
    """Alerts of one category."""

    category: str
    times: int


class OfSource(Form):
    """Alerts of one source."""

    source: str
    times: int


class OfPriority(Form):
    """Alerts of one priority."""

    priority: str
    times: int


class Noisy(Form):
    """Alerts of one name about one thing."""

    name: str
    resource: str | None
    times: int


class Flapped(Form):
    """An alert that began four times and more, each at most 30 minutes after the time before."""

    alert: int
    name: str
    resource: str | None
    times: int
    since: str
    until: str


class StillOpen(Form):
    """An alert that is open now, whenever it began."""

    alert: int
    name: str
    resource: str | None
    priority: Priority
    status: Status
    since: str
    seconds: int


class Ignored(Form):
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


class Values(Form):
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


class Evidence(Form):
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


class Rule(Form):
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
