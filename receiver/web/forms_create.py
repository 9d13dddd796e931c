"""The forms in which a program tells of an alert, as they are posted: `receiver.domain.forms` makes alerts of them.

Long texts are taken and cut: an alert that is cut is worth more than none.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    Field,
    FiniteFloat,
    JsonValue,
    StringConstraints,
    field_validator,
)

from receiver.domain.forms import PLAIN
from receiver.domain.vocabulary import Category, Priority
from receiver.web.table import WHOLE, Body

Word = Annotated[
    str,
    StringConstraints(min_length=1, strip_whitespace=True),
    Field(json_schema_extra={"pattern": r"\S"}),
    AfterValidator(lambda word: word[:300]),
]
"""A name, and what of it is kept."""
Count = Annotated[int, Field(ge=0, le=10**15), WHOLE]
Direction = Literal["above", "below"]


class Telling(Body):
    """What every form takes besides its own parameters."""

    tolerant: ClassVar[bool] = True

    title: str | None = None
    """Instead of the one that the form makes."""
    message: str | None = None
    priority: Priority | None = None
    """Instead of the one that is found; the priority of an open alert only rises."""
    category: Category | None = None
    metadata: dict[str, JsonValue] = Field(default={})
    """Whatever helps: shown with the alert, and rules look at it."""
    recommendations: list[str] = Field(default=[])
    """What you know to do: shown before what the rule book says."""
    affected_users: Count | None = None
    related_logs: str | None = None
    """Where to look: a path, an address, a query."""
    notification_channels: list[str] = Field(default=[])
    labels: dict[str, str] = Field(
        default={},
        json_schema_extra={"propertyNames": {"minLength": 1, "not": {"enum": ["alertname", "resource"]}}},
    )
    """To search, silence and route by."""
    links: dict[str, str] = Field(default={})
    """Titles to http or https addresses."""
    started_at: AwareDatetime | None = None
    """When it began, if not now."""

    @field_validator("labels")
    @classmethod
    def _named(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name in ("", "alertname", "resource"):
                raise ValueError(f"cannot name {name!r}: the alert's type and resource are its own parameters")
        return value


class Plain(Telling):
    """An alert in your own words (the seed's `create_alert`)."""

    type: Word = Field(validation_alias=AliasChoices("type", "alert_type"))
    """What kind of trouble it is; with the resource it tells this alert from others."""
    title: str = Field(min_length=1)
    message: str = ""
    resource: str = ""
    """The thing that is in trouble."""
    metric: Word | None = None
    """What `value` and `threshold` measure, if that is not the type."""
    value: FiniteFloat | None = None
    threshold: FiniteFloat | None = None
    direction: Direction | None = None
    unit: Word | None = None


class Measured(Telling):
    """A figure and its limit."""

    metric_name: Word
    """A name that ends in its unit: `cpu_percent`, `response_time_ms`, `queue_bytes`."""
    current_value: FiniteFloat
    threshold_value: FiniteFloat
    resource: Annotated[str, StringConstraints(min_length=1)]
    direction: Direction | None = None
    """On which side of the threshold the trouble lies; unless said, on that of the value."""
    unit: Word | None = None
    """Unless the name of the metric ends in it."""


class Performance(Measured):
    """The same for how fast something is."""

    percentile: Word | None = None
    """`P95`, if that is what was measured."""


class Business(Measured):
    """The same for a figure of the business."""

    period: Word | None = None
    """What the figure counts over, for people: `an hour`."""


class ApplicationError(Telling):
    """An error that a program caught."""

    error_type: Word
    """The name of its class."""
    error_message: str = ""
    source: Annotated[str, StringConstraints(min_length=1)]
    """The program or the part of it."""
    stack_trace: str | None = None
    affected_endpoint: str | None = None
    error_count: Count | None = None


class Security(Telling):
    """Something that looks like an attack."""

    event_type: Word
    """`brute_force`, `failed_logins`."""
    resource: Annotated[str, StringConstraints(min_length=1)]
    description: str | None = None
    source_ip: Word | None = None
    account: Word | None = None
    attempts: Count | None = None
    threshold_value: FiniteFloat | None = None


class Availability(Telling):
    """Something does not answer."""

    resource: Annotated[str, StringConstraints(min_length=1)]
    error_message: str | None = None
    endpoint: str | None = None
    failed_checks: Count | None = None


POSTED: Mapping[str, type[Telling]] = {
    PLAIN: Plain,
    "system": Measured,
    "application-error": ApplicationError,
    "performance": Performance,
    "security": Security,
    "business": Business,
    "availability": Availability,
}
"""By form, as in `receiver.domain.forms.FORMS`."""
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    PLAIN: {
        "type": "database_slow_query",
        "title": "Slow Database Query on Bookings Table",
        "message": "Query took 5.23 seconds (threshold: 1.0s, exceeded by 423%)",
        "priority": "high",
        "category": "database",
        "resource": "bookings table",
        "metadata": {"query": "SELECT * FROM bookings WHERE customer_id = ?", "rows_scanned": 50000},
        "recommendations": ["Add index: CREATE INDEX idx_bookings_customer_id ON bookings(customer_id)"],
        "related_logs": "/var/log/postgresql/slow_queries.log",
        "affected_users": 15,
    },
    "system": {
        "metric_name": "cpu_percent",
        "current_value": 92,
        "threshold_value": 80,
        "resource": "web-server-01",
    },
    "application-error": {
        "error_type": "StripeAPIError",
        "error_message": "Card declined: insufficient_funds",
        "source": "booking_service",
        "affected_endpoint": "POST /api/v1/bookings",
        "affected_users": 3,
        "error_count": 5,
    },
    "performance": {
        "metric_name": "api_response_time_ms",
        "current_value": 1870,
        "threshold_value": 1000,
        "resource": "/api/bookings",
        "percentile": "P95",
    },
    "security": {
        "event_type": "failed_logins",
        "resource": "admin login",
        "attempts": 45,
        "threshold_value": 10,
        "source_ip": "203.0.113.7",
    },
    "business": {
        "metric_name": "bookings_per_hour",
        "current_value": 13,
        "threshold_value": 20,
        "resource": "booking site",
    },
    "availability": {
        "resource": "PostgreSQL on db-01",
        "error_message": "connection refused on port 5432, three checks in a row",
        "failed_checks": 3,
    },
}
"""A body of each form that works as it stands."""
