"""What `alertsage tokens` does on the database itself: for the first token, and when no token is left that may.

A server may be running on it meanwhile: it knows within two seconds.
"""

import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain import times
from receiver.domain.times import Span, span
from receiver.domain.tokens import Token, Unfit, masked
from receiver.errors import Mistake, Mistakes
from receiver.flow.tokens import new_token, shape
from receiver.offline import beside, once
from receiver.settings import Settings
from receiver.settings.units import parse_duration
from receiver.store import Connection, migrate
from receiver.store import tokens as rows


def lasting(told: str | None) -> Span | None:
    """The length of time of `--expires`; None for a token that does not expire. Raises Mistakes."""
    if told is None:
        return None
    try:
        length = parse_duration(told)
    except ValueError as error:
        raise Mistakes([Mistake("--expires", 0, "", str(error))]) from None
    if not length:
        raise Mistakes([Mistake("--expires", 0, "", "must be longer than 0s")])
    return span(length)


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was made."""

    secret: str
    first: bool
    """True when requests without a token were answered until now."""


def create(settings: Settings, name: str, scopes: Sequence[str], lasts: Span | None) -> Made:
    """Make a token in the database that the settings name. Raises Mistakes, and Unfit when it cannot be had now."""
    try:
        token, secret = new_token(name, scopes, lasts, _somebody(), times.now())
    except Unfit as unfit:
        raise Mistakes([Mistake("NAME", 0, "", str(unfit))]) from None
    first = beside(settings, lambda c: (not rows.every(c), rows.add(c, token))[0])
    return Made(secret, first and settings.server.token is None)


def listed(settings: Settings) -> list[dict[str, Any]]:
    """All tokens in API form, by name. Raises Mistakes."""

    def read(connection: Connection) -> list[Token]:
        if migrate.current(connection) is None:
            return []
        migrate.require(connection)
        return rows.every(connection)

    now = times.now()
    return [shape(token, now) for token in once(settings, read, writing=False)]


def revoke(settings: Settings, name: str) -> str:
    """Revoke the token of that name; what was done. Raises Mistakes, and LookupError when there is none."""
    listed(settings)  # a database that is not there must not be made for this
    try:
        beside(settings, lambda connection: rows.revoke(connection, name, times.now()))
    except LookupError as error:
        raise LookupError(masked(str(error))) from None
    return f"{name} is revoked; servers refuse it within two seconds"


def forget(settings: Settings) -> str:
    """Delete the tokens that are revoked or expired; what was done. Raises Mistakes."""
    listed(settings)  # as above

    def work(connection: Connection) -> tuple[int, bool]:
        return rows.forget(connection, times.now()), not rows.every(connection)

    gone, none_left = beside(settings, work)
    opened = "; requests from this machine are answered without a token again" * (
        none_left and settings.server.token is None
    )
    return f"{gone} tokens are forgotten{opened}"


def _somebody() -> str:
    """Who runs the command, as far as the system says."""
    try:
        return f"{pwd.getpwuid(os.getuid()).pw_name} (command)"
    except KeyError:
        return f"user {os.getuid()} (command)"
