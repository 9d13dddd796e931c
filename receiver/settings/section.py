"""What all sections of the settings share, and secrets."""

import json
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr


def _not_empty(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise ValueError("is empty; give it a value or leave it out")
    if not secret.get_secret_value().isprintable():
        raise ValueError("holds a line break or another control character, which no sender can send")
    return secret


def _given(secret: object) -> object:
    """A secret's key with nothing behind it would quietly mean "no secret": never what was meant."""
    if secret is None:
        raise ValueError("is empty; give it a value or leave it out")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_not_empty)]
"""Text that is never shown; the same setting with `_file` after its name reads it from a file."""
OptionalSecret = Annotated[Secret | None, BeforeValidator(_given)]
"""A Secret that may be left out."""


def section(value: object) -> object:
    """A key with nothing (or only comments) under it is an empty section, as people mean it."""
    return {} if value is None else value


class Section(BaseModel):
    """What all sections share: frozen, no unknown keys, values never in error messages."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _listed(value: object) -> object:
    """Several secrets: a list, or a text (also of a file or a variable) with one a line or a JSON list in it."""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except ValueError:
            pass
    return [line.strip() for line in value.splitlines() if line.strip()]


Secrets = Annotated[tuple[Secret, ...], BeforeValidator(_listed)]
"""Any number of secrets; `..._file` holds one a line."""
