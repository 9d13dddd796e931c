"""`alertsage db`."""

import sys
from pathlib import Path

import click

from receiver.commands.options import CONFIG, FILE, length


@click.group()
def db() -> None:
    """Look after the database: upgrade, check, backup, restore, prune.

    On SQLite those that write need the server stopped; check and backup do not. On PostgreSQL replicas may go on.
    """


@db.command("upgrade")
@CONFIG
def db_upgrade(config: Path | None) -> None:
    """Bring the database to this version's schema. `serve` does so by itself."""
    from receiver.db import upgrade
    from receiver.settings import load

    click.echo(upgrade(load(config)))


@db.command("check")
@CONFIG
def db_check(config: Path | None) -> None:
    """Say how much is stored, and whether it is whole. Exits with 1 when it is not."""
    from receiver.db import check
    from receiver.settings import load

    told, wrong = check(load(config))
    click.echo(told)
    for sentence in wrong:
        click.echo(sentence, err=True)
    sys.exit(1 if wrong else 0)


@db.command("backup")
@CONFIG
@click.argument("file", type=FILE)
def db_backup(config: Path | None, file: Path) -> None:
    """Write all that is stored, as it is at this moment, into FILE. The server may go on.

    The file can be restored into SQLite and into PostgreSQL, by this version and later ones.
    """
    from receiver.db import backup
    from receiver.settings import load

    click.echo(backup(load(config), file))


@db.command("restore")
@CONFIG
@click.argument("file", type=FILE)
def db_restore(config: Path | None, file: Path) -> None:
    """Fill an empty database from FILE, a backup of either engine: all of it or nothing."""
    from receiver.db import restore
    from receiver.settings import load

    click.echo(restore(load(config), file))


@db.command("prune")
@CONFIG
@click.option("--older-than", metavar="DURATION", required=True, help="How long ago they ended, e.g. 30d.")
def db_prune(config: Path | None, older_than: str) -> None:
    """Delete closed alerts now, in slices. The server does so by itself after `retention.closed`."""
    from receiver.db import prune
    from receiver.settings import load

    click.echo(prune(load(config), length(older_than, "--older-than")))
