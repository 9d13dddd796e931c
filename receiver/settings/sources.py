"""The settings of a source: who sends, and how it proves it."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, StringConstraints, ValidationInfo, field_validator

from receiver.domain.forms import OWN
from receiver.settings.address import HeaderName
from receiver.settings.mapping import MappingSection
from receiver.settings.section import OptionalSecret, Secret, Secrets, Section, section
from receiver.settings.units import Timeout
from receiver.sources import KINDS


class Basic(Section):
    """HTTP basic authentication."""

    username: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^:]*$")]
    password: Secret


class Header(Section):
    """A header of the sender's own that carries a secret."""

    name: HeaderName
    value: Secret


class Signature(Section):
    """An HMAC-SHA256 of the raw body, in hex: any of the secrets may have made it."""

    secrets: Secrets
    header: HeaderName | None = None
    timestamp_header: HeaderName | None = None
    max_age: Timeout = timedelta(minutes=5)

    @field_validator("secrets")
    @classmethod
    def _some(cls, value: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if not value:
            raise ValueError("is empty; give it a value or leave the signature out")
        return value


class Auth(Section):
    """How a sender proves who it is; any configured way suffices."""

    bearer: OptionalSecret = None
    basic: Annotated[Basic | None, BeforeValidator(section)] = None
    header: Annotated[Header | None, BeforeValidator(section)] = None
    signature: Annotated[Signature | None, BeforeValidator(section)] = None
    url_token: OptionalSecret = None

    @property
    def configured(self) -> bool:
        """True when the sender has to prove who it is."""
        return bool(self.bearer or self.basic or self.header or self.signature or self.url_token)


class Source(Section):
    """One sender (an HA pair shares one source)."""

    kind: Literal["alertmanager", "grafana", "sentry", "generic", "api"] = "alertmanager"
    expire_after: Timeout | None = None
    auth: Annotated[Auth, BeforeValidator(section)] = Auth()
    keep: tuple[Literal["vars", "headers", "cookies", "data", "env"], ...] = ()
    mapping: Annotated[MappingSection | None, Field(validate_default=True)] = None

    @property
    def expiry(self) -> timedelta:
        """How long silence is borne: as set, else as usual for the kind."""
        return self.expire_after or KINDS[self.kind].expire_after

    @field_validator("auth")
    @classmethod
    def _fits(cls, value: Auth, info: ValidationInfo) -> Auth:
        kind = info.data.get("kind")
        if value.configured and kind == OWN:
            raise ValueError("is for webhooks; what is posted to /api/v1/alerts proves itself by an API token")
        if value.signature and kind == "alertmanager":
            raise ValueError("has a signature, which Alertmanager cannot make; use bearer, basic or header")
        if value.signature and kind == "generic" and value.signature.header is None:
            raise ValueError("has a signature without header: name the header that this sender puts it in")
        return value

    @field_validator("mapping")
    @classmethod
    def _mapped(cls, value: MappingSection | None, info: ValidationInfo) -> MappingSection | None:
        kind = info.data.get("kind")
        if value is None and kind == "generic":
            raise ValueError("is missing: a generic source needs to know what is where (docs/senders/generic.md)")
        if value is not None and kind not in (None, "generic"):
            raise ValueError(f"is for kind generic; {kind} is read without one")
        return value

    @field_validator("keep")
    @classmethod
    def _kept(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("kind") not in (None, "sentry"):
            raise ValueError("is for kind sentry; of others nothing is left out")
        return value
