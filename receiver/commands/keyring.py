"""API tokens of a running server."""

from typing import Any
from urllib.parse import quote

import click

from receiver.commands.ages import age, until
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, listed, stranger
from receiver.commands.table import Column, plain, say
from receiver.commands.where import find
from receiver.terminal import json_line

_COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("SCOPES"),
    Column("USED", rank=1, right=True),
    Column("EXPIRES", rank=2, right=True),
    Column("AGE", rank=4, right=True),
    Column("CREATED BY", rank=3),
)


def listing(place: Place, *, as_json: bool) -> None:
    """Print the tokens. Raises Failed, with Code.NOTHING when there are none."""
    remote = Remote(find(place))
    told = listed(remote.get("/api/v1/tokens"), "tokens", remote.url)
    if not told:
        raise Failed(Code.NOTHING, "there are no tokens")
    if as_json:
        for token in told:
            click.echo(json_line(token))
        return
    say(_COLUMNS, [_row(token, remote.now) for token in told])


def create(place: Place, name: str, scopes: list[str], expires: str | None, *, as_json: bool) -> None:
    """Print a new token: alone on standard output, so that it can be put into a file. Raises Failed."""
    remote = Remote(find(place))
    told = remote.post("/api/v1/tokens", {"name": name, "scopes": scopes, "expires": expires})
    if not isinstance(told.get("token"), str):
        raise stranger(remote.url)
    if as_json:
        click.echo(json_line(told))
        return
    click.echo(plain(told["token"]))
    click.echo(f"This is the token {plain(name)} ({', '.join(scopes)}). Keep it: it is not shown again.", err=True)


def revoke(place: Place, name: str, *, as_json: bool) -> None:
    """Revoke that token. Raises Failed."""
    remote = Remote(find(place))
    told = remote.ask("DELETE", f"/api/v1/tokens/{quote(name, safe='')}")
    click.echo(json_line(told) if as_json else f"revoked {plain(name)}")


def _row(token: dict[str, Any], now: float) -> tuple[object, ...]:
    return (
        token.get("name"),
        token.get("state"),
        ",".join(token.get("scopes") or ()),
        age(token.get("last_used_at"), now) or "never",
        until(token.get("expires_at"), now) or "never",
        age(token.get("created_at"), now),
        token.get("created_by"),
    )
