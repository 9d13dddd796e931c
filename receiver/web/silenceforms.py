"""The forms of silences: what is posted, asked for, answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from receiver.domain.windows import State
from receiver.settings.units import parse_duration
from receiver.silencing import LONGEST_COMMENT, LONGEST_SCHEDULE
from receiver.web.actforms import Person
from receiver.web.table import WHOLE, Answer, Body

MOST, USUAL = 500, 50


def _moment(told: str) -> str:
    try:
        moment = datetime.fromisoformat(told)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 1970 <= moment.year < 9999:
        raise ValueError("is not a moment with its offset, e.g. 2026-12-24T20:00:00+01:00")
    return told


def _length(told: str) -> str:
    if not parse_duration(told):
        raise ValueError("must be longer than 0s")
    return told


Moment = Annotated[str, Field(max_length=60, json_schema_extra={"format": "date-time"}), AfterValidator(_moment)]
Length = Annotated[str, Field(max_length=40, json_schema_extra={"format": "length"}), AfterValidator(_length)]
MatcherText = Annotated[str, Field(json_schema_extra={"format": "matcher"})]
Matchers = Annotated[list[MatcherText], Field(json_schema_extra={"minItems": 1})] | MatcherText
"""The document says that one is needed; what is said of none is said where matchers are read, the same for a list and a
text."""
Cron = Annotated[str, Field(max_length=LONGEST_SCHEDULE, json_schema_extra={"format": "cron"})]
Zone = Annotated[str, Field(max_length=80, json_schema_extra={"format": "zone"})]
Version = Annotated[int, Field(ge=1, le=2**31 - 1), WHOLE]


class Matching(Body):
    """Which alerts are meant."""

    matchers: Matchers = Field(description='As in Alertmanager: alertname="Down", job=~"web.*"; all have to fit')


class NewSilence(Matching):
    """A silence to make: with `ends_at` or `lasts`, or with `schedule` (cron) and `lasts` for a window that recurs."""

    comment: str = Field(max_length=LONGEST_COMMENT, description="Why nobody is to be told")
    starts_at: Moment | None = Field(None, description="Now, unless it says otherwise")
    ends_at: Moment | None = None
    lasts: Length | None = None
    schedule: Cron | None = Field(None, description="Five fields of cron: when each window begins")
    zone: Zone | None = Field(None, description="Time zone of the schedule")
    who: Person | None = Field(None, description="Who makes it, unless it is the caller")


class EditedSilence(Body):
    """What to change of a silence; what is not named stays, null takes it away."""

    matchers: Matchers | None = None
    comment: Annotated[str, Field(max_length=LONGEST_COMMENT)] | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    lasts: Length | None = None
    schedule: Cron | None = None
    zone: Zone | None = None
    who: Person | None = None
    version: Version | None = Field(None, description="The one that you have seen: 409 if it is old")


def _states(told: Any) -> Any:
    return told.split(",") if isinstance(told, str) else told


class Listed(BaseModel):
    """Which silences to list."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    state: Annotated[list[State], BeforeValidator(_states)] = Field(
        [State.ACTIVE, State.PENDING], description="active, pending, expired: with commas between"
    )
    limit: int = Field(USUAL, ge=1, le=MOST)
    cursor: str = Field("", max_length=40, json_schema_extra={"format": "cursor"})


class Ending(BaseModel):
    """How to end a silence."""

    model_config = ConfigDict(extra="forbid", defer_build=True)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    who: Person | None = None


class Silence(Answer):
    """A silence."""

    id: int
    state: State
    matchers: list[str]
    comment: str
    starts_at: str
    ends_at: str | None
    schedule: str | None
    lasts: str | None
    zone: str | None
    active_until: str | None
    next_start: str | None
    created_by: str
    created_via: str | None
    """As `via` of changes: `api`, with the token's name when somebody else's was given; `file`."""
    created_at: str
    changed_by: str | None
    changed_via: str | None
    changed_at: str | None
    version: int
    rule: str | None


class Silences(Answer):
    """A page of silences."""

    silences: list[Silence]
    next: str | None


class Meant(Answer):
    """An open alert that a silence would hold."""

    id: int
    status: str
    priority: str
    source: str
    name: str
    title: str
    labels: dict[str, str]


class Preview(Answer):
    """What a silence would hold now."""

    matchers: list[str]
    count: int
    alerts: list[Meant]
