"""`alertsage tokens` on the database itself."""

from pathlib import Path

import click

from receiver.domain.tokens import Scope

_CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration file, which names the database. Default: config.yaml here, if there is one.",
)


@click.group()
def tokens() -> None:
    """Look after API tokens, in the database of the configuration: create, list, revoke, forget.

    A server may be running on it: it knows within two seconds.
    """


@tokens.command("create")
@_CONFIG
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What it may do; act includes read, admin everything. Can be given several times.",
)
@click.option("--expires", metavar="DURATION", help="How long it lasts, e.g. 90d. Default: until it is revoked.")
def create(config: Path | None, name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Make the token NAME and print it, alone on a line of standard output. It is shown this once only."""
    from receiver.settings import load
    from receiver.tokens import create, lasting

    made = create(load(config), name, scopes, lasting(expires))
    click.echo(made.secret)
    click.echo(f"{name} ({', '.join(scopes)}) is made. Keep what stands above: it is stored nowhere.", err=True)
    if made.first:
        click.echo("From now on requests without a token are refused; webhooks and health are not concerned.", err=True)


@tokens.command("list")
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and token.")
def listing(config: Path | None, as_json: bool) -> None:
    """List the tokens: what each may do, who made it, when it was last used."""
    from receiver.settings import load
    from receiver.tokens import listed, table

    for line in table(listed(load(config)), as_json=as_json):
        click.echo(line)


@tokens.command("revoke")
@_CONFIG
@click.argument("name")
def revoke(config: Path | None, name: str) -> None:
    """Revoke the token NAME."""
    from receiver.settings import load
    from receiver.tokens import revoke

    click.echo(revoke(load(config), name))


@tokens.command("forget")
@_CONFIG
def forget(config: Path | None) -> None:
    """Delete the tokens that are revoked or expired.

    When none is left, requests from this machine are answered without one again, as before the first.
    """
    from receiver.settings import load
    from receiver.tokens import forget

    click.echo(forget(load(config)))
