"""Silences of a running server."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import click

from receiver.commands.ages import until
from receiver.commands.doing import myself
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, listed, stranger
from receiver.commands.surroundings import own_zone
from receiver.commands.table import Column, say
from receiver.commands.where import find
from receiver.terminal import json_line

PATH = "/api/v1/silences"
_SILENCES = (
    Column("ID", right=True),
    Column("STATE"),
    Column("ENDS IN", rank=2, right=True),
    Column("STARTS IN", rank=3, right=True),
    Column("WINDOW", rank=4),
    Column("BY", rank=5),
    Column("COMMENT", rank=1),
    Column("MATCHERS"),
)
_MEANT = (
    Column("ID", right=True),
    Column("PRIORITY"),
    Column("STATUS", rank=2),
    Column("SOURCE", rank=5),
    Column("NAME", rank=4),
    Column("TITLE"),
)


def add(place: Place, matchers: Sequence[str], fields: Mapping[str, str | None], *, as_json: bool) -> None:
    """Make a silence, and say what it holds now. Raises Failed."""
    remote = Remote(find(place))
    body: dict[str, Any] = {name: value for name, value in fields.items() if value}
    body |= {"matchers": list(matchers), "who": fields["who"] or myself()}
    if "schedule" in body:
        body.setdefault("zone", own_zone())
    made = remote.post(PATH, body)
    if as_json:
        click.echo(json_line(made))
        return
    click.echo(f"silence {_number(made, remote)} is {made.get('state')}{_when(made, remote.now)}")
    if made.get("state") == "active":
        click.echo(f"it holds {_count(remote.post(f'{PATH}/preview', {'matchers': made['matchers']}), remote)} now")


def listing(place: Place, state: str, most: int | None, *, as_json: bool) -> None:
    """Print the silences that are in one of these states. Raises Failed, with Code.NOTHING when there are none."""
    remote = Remote(find(place))
    rows = []
    for found in remote.each(PATH, "silences", {"state": state}, most):
        if as_json:
            click.echo(json_line(found))
        rows.append(_row(found, remote))
    if not rows:
        raise Failed(Code.NOTHING, f"there is no silence that is {' or '.join(state.split(','))}")
    if not as_json:
        say(_SILENCES, rows)
    if remote.more:
        click.echo(f"There are more than these {len(rows)}: --all shows them, --limit N so many.", err=True)


def expire(place: Place, ids: Sequence[int], who: str | None, *, as_json: bool) -> None:
    """End them one after the other. Raises Failed for the first that cannot be."""
    remote = Remote(find(place))
    by = quote(who or myself(), safe="")
    for number in dict.fromkeys(ids):
        ended = remote.ask("DELETE", f"{PATH}/{number}?who={by}")
        click.echo(json_line(ended) if as_json else f"silence {number} has ended")


def preview(place: Place, matchers: Sequence[str], *, as_json: bool) -> None:
    """Print which open alerts these matchers fit. Raises Failed, with Code.NOTHING when there are none."""
    remote = Remote(find(place))
    told = remote.post(f"{PATH}/preview", {"matchers": list(matchers)})
    alerts = listed(told, "alerts", remote.url)
    if as_json:
        click.echo(json_line(told))
    elif alerts:
        names = ("id", "priority", "status", "source", "name", "title")
        say(_MEANT, [[alert.get(name) for name in names] for alert in alerts])
        rest = told.get("count", 0) - len(alerts)
        if rest:
            click.echo(f"and {rest} more", err=True)
    if not alerts:
        raise Failed(Code.NOTHING, "no open alert fits all of these matchers")


def _row(silence: dict[str, Any], remote: Remote) -> tuple[object, ...]:
    return (
        _number(silence, remote),
        silence.get("state"),
        until(silence.get("active_until") or silence.get("ends_at"), remote.now)
        if silence.get("state") != "expired"
        else "",
        until(silence.get("next_start"), remote.now),
        _window(silence),
        silence.get("created_by"),
        silence.get("comment"),
        " ".join(silence.get("matchers") or ()),
    )


def _window(silence: dict[str, Any]) -> str:
    if not silence.get("schedule"):
        return ""
    return f"{silence['schedule']} for {silence.get('lasts')} ({silence.get('zone')})"


def _when(silence: dict[str, Any], now: float) -> str:
    """Until when, or from when on, in words."""
    if silence.get("active_until"):
        return f" until {silence['active_until']} (for {until(silence['active_until'], now)})"
    begins = silence.get("next_start") or silence.get("starts_at")
    return f" and begins {begins} (in {until(begins, now)})"


def _number(silence: dict[str, Any], remote: Remote) -> int:
    number = silence.get("id")
    if not isinstance(number, int):
        raise stranger(remote.url)
    return number


def _count(told: dict[str, Any], remote: Remote) -> str:
    count = told.get("count")
    if not isinstance(count, int):
        raise stranger(remote.url)
    return f"{count} open alert{'' if count == 1 else 's'}"
