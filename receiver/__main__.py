"""The command line: `alertsage serve | check | explain | version`."""

import sys
from functools import partial
from pathlib import Path

import click

from receiver.errors import Mistakes

_FILE = click.Path(path_type=Path)
_CONFIG = click.option(
    "--config", type=_FILE, metavar="FILE", help="The configuration file. Default: config.yaml here, if there is one."
)


class _Commands(click.Group):
    """Tells mistakes of people in plain sentences, one a line, with exit code 2."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except Mistakes as found:
            for mistake in found.mistakes:
                click.echo(str(mistake), err=True)
            ctx.exit(2)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Alerts that say what to do.

    alertsage takes webhooks from Prometheus Alertmanager, Grafana, Sentry and others, explains every alert, stores it
    for good and counts it.
    Start with `alertsage serve`; it needs no configuration. Every setting can also be given by the environment:
    ALERTSAGE__SERVER__LISTEN sets server.listen.
    """


@main.command()
@_CONFIG
def serve(config: Path | None) -> None:
    """Take webhooks until stopped (Ctrl-C or SIGTERM).

    Listens on 127.0.0.1:9911 and keeps its database beside the configuration file unless told otherwise.
    SIGHUP reads configuration, plugins and rules again.
    """
    from receiver.app import serve
    from receiver.settings import load

    serve(partial(load, config))


@main.command()
@click.argument("config", type=_FILE, required=False)
def check(config: Path | None) -> None:
    """Check a configuration without running it.

    Reads CONFIG (default: config.yaml here, if there is one) and the environment, imports the enrichers and tries the
    rules on their own examples. Prints every mistake with its file and line and exits with 2, or one line and 0.
    """
    from receiver.check import check

    click.echo(check(config))


@main.command()
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and alert.")
@click.option("--source", metavar="NAME", help="Read the bodies as this source's. Default: by their form.")
@click.argument("files", nargs=-1, required=True, metavar="FILES...|-")
def explain(config: Path | None, files: tuple[str, ...], as_json: bool, source: str | None) -> None:
    """Say what alertsage makes of an alert, without server or database.

    FILES hold webhook bodies as senders post them: one, a JSON array of them, or one a line; - reads standard input.
    Bodies of a generic source need its --source.
    """
    from receiver.explain import explain
    from receiver.settings import load

    sys.exit(explain(files, load(config), as_json, source))


@main.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version

    click.echo(f"alertsage {version('alertsage')}")


if __name__ == "__main__":
    main(prog_name="alertsage")
