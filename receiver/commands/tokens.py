"""`alertsage tokens`: who may talk to the server."""

from pathlib import Path

import click

from receiver.commands.options import CONFIG, JSON, Place, asks

_LOCAL = click.option(
    "--local", is_flag=True, help="In the database of --config itself, without asking the server: for the first token."
)


@click.group()
def tokens() -> None:
    """Look after API tokens: list, create, revoke, forget.

    The server is asked with a token of the scope admin. With --local none is needed: the database that the
    configuration names is read and written itself, beside a running server or without one.
    """


@tokens.command("list")
@asks
@_LOCAL
@JSON
def list_(place: Place, local: bool, as_json: bool) -> None:
    """List the tokens: what each may do, when it was last used. None is ever shown again itself."""
    from receiver.commands.keyring import keyring, listing

    listing(keyring(place, local=local), as_json=as_json)


@tokens.command()
@asks
@_LOCAL
@JSON
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(["intake", "read", "act", "admin"]),
    help="What it may do; act includes read, admin everything. Can be given several times.",
)
@click.option("--expires", metavar="DURATION", help="How long it lasts, e.g. 90d. Default: until it is revoked.")
@click.argument("name")
def create(place: Place, name: str, scopes: tuple[str, ...], local: bool, as_json: bool, expires: str | None) -> None:  # noqa: PLR0913, PLR0917 - one an option
    """Make the token NAME and print it, alone on a line of standard output. It is shown this once only."""
    from receiver.commands.keyring import create, keyring

    create(keyring(place, local=local), name, scopes, expires, as_json=as_json)


@tokens.command()
@asks
@_LOCAL
@JSON
@click.argument("name")
def revoke(place: Place, name: str, local: bool, as_json: bool) -> None:
    """Revoke the token NAME: it is refused from now on."""
    from receiver.commands.keyring import keyring, revoke

    revoke(keyring(place, local=local), name, as_json=as_json)


@tokens.command()
@CONFIG
def forget(config: Path | None) -> None:
    """Delete the tokens that are revoked or expired from the configuration's database itself.

    When none is left, requests from this machine are answered without one again, as before the first.
    """
    from receiver.settings import load
    from receiver.tokens import forget

    click.echo(forget(load(config)))
