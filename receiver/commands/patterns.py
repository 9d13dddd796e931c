"""`alertsage patterns`: what the alerts of the last days have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from receiver.commands.options import JSON, Place, asks

F = TypeVar("F", bound=Callable[..., Any])


def _narrowed(days: int) -> Callable[[F], F]:
    """The options that say what is counted."""

    def decorated(command: F) -> F:
        for option in (
            click.option("--priority", multiple=True, metavar="PRIORITY", help="Only alerts of that priority."),
            click.option("--category", multiple=True, metavar="CATEGORY", help="Only alerts of that category."),
            click.option("--source", multiple=True, metavar="NAME", help="Only alerts of that source."),
            click.option("--name", multiple=True, metavar="NAME", help="Only alerts of that name."),
            click.option("--zone", metavar="ZONE", help="Time zone of hours and weekdays. Default: this machine's."),
            click.option("--days", type=click.IntRange(1, 366), default=days, show_default=True, help="How far back."),
            JSON,
            asks,
        ):
            command = option(command)
        return command

    return decorated


@click.group(invoke_without_command=True)
@_narrowed(7)
@click.pass_context
def patterns(ctx: click.Context, /, place: Place, as_json: bool, **asked: Any) -> None:
    """Tell when and why there are alerts, how soon people act, and what it means; `hygiene`: which rules to mend."""
    if ctx.invoked_subcommand is None:
        from receiver.commands.report import report

        report(place, asked, as_json=as_json)


@patterns.command()
@_narrowed(30)
def hygiene(place: Place, as_json: bool, **asked: Any) -> None:
    """Propose what to do about each alert's rule: keep, another threshold, wait longer, delete; and the evidence."""
    from receiver.commands.report import hygiene

    hygiene(place, asked, as_json=as_json)
