"""`alertsage rules`."""

import sys
from pathlib import Path

import click

from receiver.commands.options import CONFIG


@click.group()
def rules() -> None:
    """Look at the rule book: list, show, test."""


@rules.command("list")
@CONFIG
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
@CONFIG
@click.argument("rule_id", metavar="ID")
def rules_show(config: Path | None, rule_id: str) -> None:
    """Show one rule as it is written, with its file, its examples and what it says of them."""
    from receiver.rules import show
    from receiver.settings import load

    for line in show(load(config), rule_id):
        click.echo(line)


@rules.command("test")
@CONFIG
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
