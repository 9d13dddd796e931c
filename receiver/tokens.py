"""What `alertsage tokens` does on the database itself: for the first token, and when no token is left that may.

A server may be running on it meanwhile: it knows within two seconds.
"""

import json
import os
import pwd
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain import times
from receiver.domain.times import Span
from receiver.domain.tokens import Unfit
from receiver.errors import Mistake, Mistakes
from receiver.flow.tokens import new_token, shape
from receiver.offline import beside
from receiver.settings import Settings
from receiver.store import tokens as rows

_HEAD = ("name", "scopes", "state", "created by", "created", "expires", "last used")


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was made."""

    secret: str
    first: bool
    """True when requests without a token were answered until now."""


def create(settings: Settings, name: str, scopes: Sequence[str], lasts: Span | None) -> Made:
    """Make a token in the database that the settings name. Raises Mistakes."""
    try:
        token, secret = new_token(name, scopes, lasts, _somebody(), times.now())
        first = beside(settings, lambda c: (not rows.every(c), rows.add(c, token))[0])
    except Unfit as unfit:
        raise Mistakes([Mistake(name[:80], 0, "", str(unfit))]) from None
    return Made(secret, first and settings.server.token is None)


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All tokens in API form, by name. Raises Mistakes."""
    now = times.now()
    return [shape(token, now) for token in beside(settings, rows.every)]


def revoke(settings: Settings, name: str) -> str:
    """Revoke the token of that name; what was done. Raises Mistakes."""
    try:
        beside(settings, lambda connection: rows.revoke(connection, name, times.now()))
    except LookupError as error:
        raise Mistakes([Mistake(settings.database.place, 0, "", str(error))]) from None
    return f"{name} is revoked; servers refuse it within two seconds"


def table(tokens: Sequence[dict[str, Any]], *, as_json: bool) -> Iterator[str]:
    """Tokens in API form as lines for people, or as a JSON object each."""
    if as_json:
        yield from (json.dumps(token) for token in tokens)
        return
    lines = [_HEAD, *(_line(token) for token in tokens)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _line(token: dict[str, Any]) -> tuple[str, ...]:
    at = (_day(token[f"{name}_at"]) for name in ("created", "expires", "last_used"))
    return (token["name"], ",".join(token["scopes"]), token["state"], token["created_by"], *at)


def _day(moment: str | None) -> str:
    return "-" if moment is None else moment[:16].replace("T", " ")


def _somebody() -> str:
    """Who runs the command, as far as the system says."""
    try:
        return f"{pwd.getpwuid(os.getuid()).pw_name} (command)"
    except KeyError:
        return f"user {os.getuid()} (command)"
