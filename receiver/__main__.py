"""The command line: `alertsage serve | check | explain | rules | replay | tokens | db | version`."""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import click

from receiver.commands.on_database import tokens
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


main.add_command(tokens)


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
@click.option("--alert", type=click.IntRange(min=1), metavar="ID", help="Ask a running server for this alert instead.")
@click.option("--server", metavar="URL", help="The server to ask. Default: the configuration's server.listen.")
@click.option(
    "--token-file",
    type=_FILE,
    metavar="FILE",
    help="Holds its token. Default: ALERTSAGE_TOKEN; without --server also server.token.",
)
@click.argument("files", nargs=-1, metavar="FILES...|-")
def explain(  # noqa: PLR0913, PLR0917 - one an option
    config: Path | None,
    files: tuple[str, ...],
    as_json: bool,
    source: str | None,
    alert: int | None,
    server: str | None,
    token_file: Path | None,
) -> None:
    """Say what alertsage makes of an alert: without server or database, or with its history from a running server.

    FILES hold webhook bodies as senders post them: one, a JSON array of them, or one a line; - reads standard input.
    Bodies of a generic source need its --source. With --alert a server is asked for one of its alerts.
    """
    if alert is not None:
        from receiver.ask import ask

        if files or source:
            raise click.UsageError("--alert asks a server: it takes neither FILES nor --source")
        ask(alert, server, token_file, config, as_json=as_json)
        return
    from receiver.explain import explain
    from receiver.settings import load

    if server or token_file:
        raise click.UsageError("--server and --token-file go with --alert ID")
    if not files:
        raise click.UsageError("name FILES with webhook bodies, - for standard input, or --alert ID")
    sys.exit(explain(files, load(config), as_json, source))


@main.group()
def rules() -> None:
    """Look at the rule book: list, show, test."""


@rules.command("list")
@_CONFIG
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and rule.")
@click.argument("words", nargs=-1, metavar="[WORDS...]")
def rules_list(config: Path | None, words: tuple[str, ...], as_json: bool) -> None:
    """List the rules in which all WORDS stand; without WORDS all of them.

    A line for each, in the order in which they speak: rank, id, what it does, where it stands, what it lies over.
    """
    from receiver.rules import listing
    from receiver.settings import load

    for line in listing(load(config), words, as_json):
        click.echo(line)


@rules.command("show")
@_CONFIG
@click.argument("rule_id", metavar="ID")
def rules_show(config: Path | None, rule_id: str) -> None:
    """Show one rule as it is written, with its file, its examples and what it says of them."""
    from receiver.rules import show
    from receiver.settings import load

    for line in show(load(config), rule_id):
        click.echo(line)


@rules.command("test")
@_CONFIG
@click.option("--rule", "rule_id", metavar="ID", help="Say why this rule does or does not apply, test by test.")
@click.option("--source", metavar="NAME", help="Read the bodies as this source's. Default: by their form.")
@click.argument("files", nargs=-1, required=True, metavar="FILES...|-")
def rules_test(config: Path | None, files: tuple[str, ...], rule_id: str | None, source: str | None) -> None:
    """Tell which rules apply to the alerts in webhook bodies.

    FILES are as for `alertsage explain`. Deferred enrichers do not run.
    """
    from receiver.rules import test
    from receiver.settings import load

    for told in test(load(config), files, source, rule_id):
        sys.exit(told) if isinstance(told, int) else click.echo(told)


@main.command()
@click.option("--config", type=_FILE, metavar="FILE", help="The configuration to try. Default: the one in force.")
@click.option(
    "--present",
    type=_FILE,
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

    replay(load(present), load(config) if config else None, _length(since, "--since"), limit, as_json)


@main.group()
def db() -> None:
    """Look after the database: upgrade, check, backup, restore, prune.

    On SQLite those that write need the server stopped; check and backup do not. On PostgreSQL replicas may go on.
    """


@db.command("upgrade")
@_CONFIG
def db_upgrade(config: Path | None) -> None:
    """Bring the database to this version's schema. `serve` does so by itself."""
    from receiver.db import upgrade
    from receiver.settings import load

    click.echo(upgrade(load(config)))


@db.command("check")
@_CONFIG
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
@_CONFIG
@click.argument("file", type=_FILE)
def db_backup(config: Path | None, file: Path) -> None:
    """Write all that is stored, as it is at this moment, into FILE. The server may go on.

    The file can be restored into SQLite and into PostgreSQL, by this version and later ones.
    """
    from receiver.db import backup
    from receiver.settings import load

    click.echo(backup(load(config), file))


@db.command("restore")
@_CONFIG
@click.argument("file", type=_FILE)
def db_restore(config: Path | None, file: Path) -> None:
    """Fill an empty database from FILE, a backup of either engine: all of it or nothing."""
    from receiver.db import restore
    from receiver.settings import load

    click.echo(restore(load(config), file))


@db.command("prune")
@_CONFIG
@click.option("--older-than", metavar="DURATION", required=True, help="How long ago they ended, e.g. 30d.")
def db_prune(config: Path | None, older_than: str) -> None:
    """Delete closed alerts now, in slices. The server does so by itself after `retention.closed`."""
    from receiver.db import prune
    from receiver.settings import load

    click.echo(prune(load(config), _length(older_than, "--older-than")))


def _length(told: str, option: str) -> timedelta:
    from receiver.settings.units import parse_duration

    try:
        return parse_duration(told)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


@main.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version

    click.echo(f"alertsage {version('alertsage')}")


if __name__ == "__main__":
    main(prog_name="alertsage")
