"""`alertsage tokens`: who may talk to the server."""

import click

from receiver.commands.options import JSON, Place, asks


@click.group()
def tokens() -> None:
    """Look after API tokens: list, create, revoke."""


@tokens.command("list")
@asks
@JSON
def list_(place: Place, as_json: bool) -> None:
    """List the tokens: what each may do, when it was last used. None is ever shown again itself."""
    from receiver.commands.keyring import listing

    listing(place, as_json=as_json)


@tokens.command()
@asks
@JSON
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help="What it is good for: intake, read, act, admin; several with commas.",
)
@click.option("--expires", metavar="DURATION", help="How long it is good, e.g. 90d. Default: until it is revoked.")
@click.argument("name")
def create(place: Place, name: str, scopes: tuple[str, ...], expires: str | None, as_json: bool) -> None:
    """Create the token NAME, and print it. It is shown this once only."""
    from receiver.commands.keyring import create

    create(place, name, [one for told in scopes for one in told.split(",") if one], expires, as_json=as_json)


@tokens.command()
@asks
@JSON
@click.argument("name")
def revoke(place: Place, name: str, as_json: bool) -> None:
    """Revoke the token NAME: it is refused from now on."""
    from receiver.commands.keyring import revoke

    revoke(place, name, as_json=as_json)
