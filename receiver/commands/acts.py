"""Commands that act on alerts: ack, resolve, suppress, unsuppress, reopen, note, assign."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click

from receiver.commands.options import ID, JSON, WHO, Place, asks

F = TypeVar("F", bound=Callable[..., Any])


def _acts(command: F) -> F:
    """Give a command that acts its alerts: numbers or a query; and who does it. It returns the act and its fields."""

    @asks
    @WHO
    @click.option("--query", metavar="QUERY", help="Act on all alerts that this finds, e.g. 'name:DiskFull'.")
    @click.option("--yes", is_flag=True, help="With --query: do not ask first.")
    @JSON
    @click.argument("ids", nargs=-1, type=ID, metavar="[ID...]")
    @wraps(command)
    def acting(place: Place, **told: Any) -> None:
        ids, query, sure, who, as_json = (told.pop(name) for name in ("ids", "query", "yes", "who", "as_json"))
        if bool(ids) == bool(query):
            raise click.UsageError("name the alerts: their numbers, or --query QUERY")
        action, fields = command(**told)
        from receiver.commands.doing import Doing, act

        fields = {name: value for name, value in fields.items() if value is not None}
        act(place, Doing(action, fields, who, tuple(dict.fromkeys(ids)), query), sure=sure, as_json=as_json)

    return acting  # type: ignore[return-value]  # the same command with more options


_NOTE = click.option("--note", "-m", metavar="TEXT", help="What to remember of it.")
_REASON = click.option("--reason", "-m", metavar="TEXT", help="Why.")


@click.command()
@_acts
@_NOTE
def ack(note: str | None) -> tuple[str, dict[str, Any]]:
    """Acknowledge alerts: somebody is working on it. Several at once: all of them or none."""
    return "acknowledge", {"note": note}


@click.command()
@_acts
@_NOTE
def resolve(note: str | None) -> tuple[str, dict[str, Any]]:
    """Resolve alerts: it is over. What --note says is shown first when it fires again."""
    return "resolve", {"note": note}


@click.command()
@_acts
@_REASON
@click.option("--for", "length", metavar="DURATION", help="For how long, e.g. 2h.")
@click.option("--until", metavar="MOMENT", help="Until when, in RFC 3339, e.g. 2026-11-28T06:00:00Z.")
def suppress(reason: str | None, length: str | None, until: str | None) -> tuple[str, dict[str, Any]]:
    """Suppress alerts for a time: nobody is told of them until it is over, whatever closes and refires."""
    if (length is None) == (until is None):
        raise click.UsageError("say how long: either --for DURATION or --until MOMENT")
    return "suppress", {"reason": reason, "duration": length, "until": until}


@click.command()
@_acts
@_REASON
def unsuppress(reason: str | None) -> tuple[str, dict[str, Any]]:
    """End the suppression of alerts now."""
    return "unsuppress", {"reason": reason}


@click.command()
@_acts
@_REASON
def reopen(reason: str | None) -> tuple[str, dict[str, Any]]:
    """Reopen alerts that were resolved too early."""
    return "reopen", {"reason": reason}


@click.command()
@_acts
@click.option("--note", "-m", metavar="TEXT", required=True, help="What to remember.")
def note(note: str) -> tuple[str, dict[str, Any]]:
    """Add a note to alerts. It changes nothing else."""
    return "note", {"note": note}


@click.command()
@_acts
@click.option("--to", metavar="NAME", help='To whom; "" for nobody. Default: to yourself.')
@_NOTE
def assign(to: str | None, note: str | None) -> tuple[str, dict[str, Any]]:
    """Assign alerts to somebody: to yourself unless --to says another."""
    return "assign", {"assignee": to, "note": note}
