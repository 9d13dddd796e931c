"""The commands that need no running server, and the one that is it: serve, check, replay, version."""

from functools import partial
from pathlib import Path

import click

from receiver.commands.options import CONFIG, FILE, length


@click.command()
@CONFIG
def serve(config: Path | None) -> None:
    """Take webhooks until stopped (Ctrl-C or SIGTERM).

    Listens on 127.0.0.1:9911 and keeps its database beside the configuration file unless told otherwise.
    SIGHUP reads configuration, plugins and rules again.
    """
    from receiver.app import serve
    from receiver.settings import load

    serve(partial(load, config))


@click.command()
@click.argument("config", type=FILE, required=False)
def check(config: Path | None) -> None:
    """Check a configuration without running it.

    Reads CONFIG (default: config.yaml here, if there is one) and the environment, imports the enrichers and tries the
    rules on their own examples. Prints every mistake with its file and line and exits with 2, or one line and 0.
    """
    from receiver.check import check

    click.echo(check(config))


@click.command()
@click.option("--config", type=FILE, metavar="FILE", help="The configuration to try. Default: the one in force.")
@click.option(
    "--present",
    type=FILE,
    metavar="FILE",
    help="The configuration in force; its database is read. Default: config.yaml here, if there is one.",
)
@click.option("--since", metavar="DURATION", default="7d", show_default=True, help="How far back, e.g. 7d.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most the newest N alerts.")
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line and alert that would change, then counts."
)
def replay(config: Path | None, present: Path | None, since: str, limit: int | None, as_json: bool) -> None:
    """Say what another configuration would make of the alerts that are stored.

    Describes each by the configuration in force and by the one to try, and prints how category, priority, expiry and
    recommendations would change. Without --config it compares what was stored with what the present rules would say.
    Only reads, beside a running server: nothing is stored or sent, no deferred enricher runs.
    """
    from receiver.replay import replay
    from receiver.settings import load

    replay(load(present), load(config) if config else None, length(since, "--since"), limit, as_json)


@click.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version

    click.echo(f"alertsage {version('alertsage')}")
