"""API tokens: of a running server, or in the database itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import click

from receiver.commands.ages import age, until
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, listed, stranger
from receiver.commands.table import Column, plain, say
from receiver.commands.where import find
from receiver.domain.tokens import LOCAL
from receiver.terminal import json_line

_COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("USED", rank=1, right=True),
    Column("EXPIRES", rank=2, right=True),
    Column("AGE", rank=4, right=True),
    Column("CREATED BY", rank=3),
    Column("SCOPES"),
)
_FIRST = "From now on requests without a token are refused; webhooks and health are not concerned."
_NO_ADMIN = "This one may make no other: --local does."


class Keyring(Protocol):
    """Where tokens are kept."""

    @property
    def now(self) -> float:
        """Its clock, in seconds since the epoch."""

    def every(self) -> list[dict[str, Any]]:
        """All tokens in API form. Raises Failed or Mistakes, as the others do."""

    def make(self, name: str, scopes: Sequence[str], expires: str | None) -> dict[str, Any]:
        """A new one in API form, with itself as `token`; `first` is true when none was asked for until now."""

    def revoke(self, name: str) -> str:
        """Revoke that one; what was done, in a sentence without its full stop."""


def keyring(place: Place, *, local: bool) -> Keyring:
    """The database of the configuration itself, or that of the server."""
    if not local:
        return _Served(Remote(find(place)))
    if place.named:
        raise click.UsageError("--local asks no server: it goes without --server and --token-file")
    from receiver.commands.keyfile import Local

    return Local(place.config)


@dataclass(frozen=True, slots=True)
class _Served:
    remote: Remote

    @property
    def now(self) -> float:
        return self.remote.now

    def every(self) -> list[dict[str, Any]]:
        return listed(self.remote.get("/api/v1/tokens"), "tokens", self.remote.url)

    def make(self, name: str, scopes: Sequence[str], expires: str | None) -> dict[str, Any]:
        body = {"name": name, "scopes": list(scopes)} | ({} if expires is None else {"expires": expires})
        told = self.remote.post("/api/v1/tokens", body)
        if not isinstance(told.get("token"), str):
            raise stranger(self.remote.url)
        # Who was let in without a token made the first: there is no other time at which that is possible.
        return told | {"first": told.get("created_by") == LOCAL}

    def revoke(self, name: str) -> str:
        self.remote.ask("DELETE", f"/api/v1/tokens/{quote(name, safe='')}")
        return f"{name} is revoked"


def listing(ring: Keyring, *, as_json: bool) -> None:
    """Print the tokens. Raises Failed, with Code.NOTHING when there are none."""
    told = ring.every()
    if not told:
        raise Failed(Code.NOTHING, "there are no tokens")
    if as_json:
        for token in told:
            click.echo(json_line(token))
        return
    say(_COLUMNS, [_row(token, ring.now) for token in told])


def create(ring: Keyring, name: str, scopes: Sequence[str], expires: str | None, *, as_json: bool) -> None:
    """Print a new token: alone on standard output, so that it can be put into a file. Raises Failed or Mistakes."""
    told = ring.make(name, scopes, expires)
    first = told.pop("first", False)
    click.echo(json_line(told) if as_json else plain(told["token"]))
    click.echo(f"{plain(name)} ({', '.join(scopes)}) is made. Keep what stands above: it is stored nowhere.", err=True)
    if first:
        click.echo(_FIRST if "admin" in scopes else f"{_FIRST} {_NO_ADMIN}", err=True)


def revoke(ring: Keyring, name: str, *, as_json: bool) -> None:
    """Revoke that token. Raises Failed or Mistakes."""
    told = ring.revoke(name)
    click.echo(json_line({"revoked": name}) if as_json else plain(told))


def _row(token: dict[str, Any], now: float) -> tuple[object, ...]:
    return (
        token.get("name"),
        token.get("state"),
        age(token.get("last_used_at"), now) or "never",
        until(token.get("expires_at"), now) or "never",
        age(token.get("created_at"), now),
        token.get("created_by"),
        ",".join(token.get("scopes") or ()),
    )
