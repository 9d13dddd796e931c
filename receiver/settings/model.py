"""The settings: every section with its defaults. `config.yaml` and docs/configuration.md say what each one means."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from receiver.domain.forms import OWN
from receiver.errors import Mistake
from receiver.settings.address import Address, HostName, Listen
from receiver.settings.origin import Origin
from receiver.settings.places import DatabaseUrl, LocalPath, without_password
from receiver.settings.section import OptionalSecret, Section, section
from receiver.settings.sources import Source
from receiver.settings.units import Count, CountOrZero, Duration, Size, Timeout, format_duration
from receiver.sources.redact import mistake_in

SHIPPED = ("thresholds", "category", "stacktrace", "priority", "recurrence", "expression", "runbook", "recommendations")
"""The enrichers that come with alertsage, in the order they run; all of them run inline."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""The name of a source or an enricher."""


def _pattern(value: str) -> str:
    if problem := mistake_in(value):
        raise ValueError(f'"{value[:60]}" is not a pattern to take secrets out by: {problem}')
    return value


Pattern = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_pattern)]
"""An RE2 pattern."""


class Server(Section):
    """Where alertsage listens and who may ask."""

    listen: Listen = Address("127.0.0.1", 9911)
    token: OptionalSecret = None
    hosts: tuple[HostName, ...] = ()
    allow_anonymous: bool = False


class Database(Section):
    """Where alerts are stored."""

    url: DatabaseUrl = Field(default="sqlite:///alertsage.db", validate_default=True)
    """After validation, for SQLite always absolute: `sqlite:////folder/file.db`."""
    password: OptionalSecret = None
    busy_timeout: Timeout = timedelta(seconds=1)
    timeout: Timeout = timedelta(seconds=4)
    read_connections: Annotated[Count, Field(le=64)] = 4

    @property
    def path(self) -> Path | None:
        """The SQLite file, absolute; None for PostgreSQL."""
        return Path(self.url.removeprefix("sqlite:///")) if self.url.startswith("sqlite:") else None

    @property
    def place(self) -> str:
        """Where it is, for people: without a password."""
        return without_password(self.url) if self.path is None else str(self.path)


class Limits(Section):
    """What one webhook may hold and how long it may take; sizes in bytes."""

    wire_size: Size = 16 * 2**20
    inflated_size: Size = 64 * 2**20
    alerts: Count = 10_000
    labels: Count = 250
    label_size: Size = 16 * 2**10
    annotation_size: Size = 64 * 2**10
    values: Count = 1_000_000
    body_timeout: Timeout = timedelta(seconds=10)
    answer_timeout: Timeout = timedelta(seconds=5)
    queue: Count = 1000
    in_flight: Size = Field(default=128 * 2**20, validate_default=True)

    @field_validator("in_flight")
    @classmethod
    def _one_fits(cls, value: int, info: ValidationInfo) -> int:
        needed = info.data.get("wire_size", 0) + info.data.get("inflated_size", 0)
        if value < needed:
            raise ValueError(f"must be at least limits.wire_size and limits.inflated_size together ({needed})")
        return value


class Lifecycle(Section):
    """When news is a repeat, late, a flap or over."""

    repeat_within: Duration = timedelta(minutes=2)
    late_within: Duration = timedelta(minutes=10)
    reopen_within: Duration = Field(default=timedelta(hours=1), validate_default=True)
    resolve_grace: Duration = timedelta(minutes=15)
    expiry_grace: Duration = timedelta(minutes=15)

    @field_validator("reopen_within")
    @classmethod
    def _longer_than_late(cls, value: timedelta, info: ValidationInfo) -> timedelta:
        late = info.data.get("late_within")
        if late is not None and value <= late:
            raise ValueError(f"must be longer than lifecycle.late_within ({format_duration(late)})")
        return value


class Retention(Section):
    """How long closed alerts are kept."""

    closed: Timeout = timedelta(days=90)
    max_closed: Count = 1_000_000
    quarantined: CountOrZero = 1000
    deliveries: Count = 500_000


class Plugin(BaseModel):
    """One enricher: the keys every enricher has, and in `own` the settings of the enricher itself."""

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    use: Annotated[str, StringConstraints(min_length=1)] | None = None
    enabled: bool = True
    timeout: Timeout = timedelta(seconds=10)

    @property
    def own(self) -> Mapping[str, Any]:
        """The enricher's own settings as written; `receiver.plugins` decodes them."""
        return self.model_extra or {}

    def __repr_args__(self) -> Any:
        """Leave out the enricher's own settings: there may be secrets among them."""
        return [(key, value) for key, value in super().__repr_args__() if key in type(self).model_fields]


class Redact(Section):
    """What is taken out of webhooks before anything else sees them."""

    defaults: bool = True
    keys: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = ()
    patterns: tuple[Pattern, ...] = ()


class Spool(Section):
    """Where webhooks of senders that never retry wait for a database that is away."""

    folder: LocalPath | None = None
    """None for a folder beside the database."""
    max_size: Size = 256 * 2**20
    max_files: Count = 50_000
    patience: Timeout = timedelta(milliseconds=700)


class Enrich(Section):
    """How deferred enrichers run."""

    budget: Timeout = timedelta(seconds=60)
    lease: Timeout = timedelta(seconds=15)
    workers: Annotated[Count, Field(le=64)] = 4


class Rules(Section):
    """The rule book."""

    folder: LocalPath | None = None
    """A folder that overlays the shipped rules by id; absolute after validation."""


class Metrics(Section):
    """Bounds of what is counted by name."""

    names: CountOrZero = 100
    heartbeats: CountOrZero = 50


class Log(Section):
    """What is logged and how."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


USUAL: tuple[Literal["alertmanager", "grafana", "sentry"], ...] = ("alertmanager", "grafana", "sentry")
"""The sources there are unless any is named."""


def usual_sources() -> dict[str, Source]:
    """One of each kind that can be read without being told how."""
    return {str(kind): Source(kind=kind) for kind in USUAL}


class Settings(Section):
    """Everything that can be set. Made by `receiver.settings.load`; `Settings()` has the defaults."""

    server: Server = Server()
    database: Database = Field(default_factory=Database)
    limits: Limits = Limits()
    lifecycle: Lifecycle = Lifecycle()
    retention: Retention = Retention()
    sources: Mapping[Name, Annotated[Source, BeforeValidator(section)]] = Field(default_factory=usual_sources)
    enrichers: Mapping[Name, Annotated[Plugin, BeforeValidator(section)]] = Field(
        default_factory=lambda: {name: Plugin() for name in SHIPPED}
    )
    enrich: Enrich = Enrich()
    rules: Rules = Rules()
    redact: Redact = Redact()
    spool: Spool = Spool()
    metrics: Metrics = Metrics()
    log: Log = Log()

    @field_validator("sources")
    @classmethod
    def _some(cls, value: Mapping[str, Source]) -> Mapping[str, Source]:
        if not value:
            raise ValueError("is empty; name a source, or leave the section out for the usual ones")
        for name, source in value.items():
            if (name == OWN) != (source.kind == OWN):
                raise ValueError(f"has {name} of kind {source.kind}, but the source {OWN} is what is posted to the API")
        return usual_sources() | dict(value) if set(value) == {OWN} else value

    @property
    def all_sources(self) -> Mapping[str, Source]:
        """Those that are named, and what is posted to the API, which is always there."""
        return {OWN: Source(kind="api"), **self.sources}

    _origin: Origin = PrivateAttr(default_factory=Origin)

    @property
    def folder(self) -> Path:
        """The folder that relative paths start from: that of the configuration file, else the current one."""
        return self._origin.folder

    @property
    def default_spool(self) -> Path:
        """Where webhooks are spooled unless `spool.folder` says otherwise: beside the database or the configuration."""
        file = self.database.path
        return self.folder / "alertsage.spool" if file is None else file.with_name(f"{file.name}.spool")

    @property
    def origin(self) -> Origin:
        """Where each setting was written."""
        return self._origin

    def mistake(self, path: tuple[str | int, ...], sentence: str) -> Mistake:
        """A Mistake at that setting: the file and line, or the variable, that set it."""
        return self._origin.mistake(path, sentence)
