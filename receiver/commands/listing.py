"""What is looked at: alerts, one alert, senders, counts."""

from collections.abc import Iterable
from typing import Any

import click

from receiver.commands.ages import age
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, listed, stranger
from receiver.commands.table import Column, say
from receiver.commands.where import find
from receiver.terminal import json_line

_ALERTS = (
    Column("ID", right=True),
    Column("PRIORITY"),
    Column("STATUS", rank=3),
    Column("AGE", rank=4, right=True),
    Column("SEEN", rank=5, right=True),
    Column("TOLD", rank=6, right=True),
    Column("ASSIGNEE", rank=7),
    Column("SOURCE", rank=8),
    Column("TITLE"),
)
_SOURCES = (
    Column("SOURCE"),
    Column("KIND", rank=1),
    Column("LAST SEEN", right=True),
    Column("OPEN", right=True),
    Column("ALERTS", rank=2, right=True),
    Column("STATE"),
)


def alerts(place: Place, query: str, sort: str, most: int | None, *, as_json: bool) -> None:
    """Print the alerts that the query finds. Raises Failed, with Code.NOTHING when there are none."""
    remote = Remote(find(place))
    found = remote.each("/api/v1/alerts", "alerts", {"query": query, "sort": sort}, most)
    if as_json:
        number = _printed(found)
    else:
        rows = [_row(alert, remote) for alert in found]
        number = len(rows)
        if rows:
            say(_ALERTS, rows)
    if not number:
        raise Failed(Code.NOTHING, f"no alert is found by {query}")
    if remote.more:
        click.echo(f"There are more than these {number}: --all shows them, --limit N so many.", err=True)


def one(place: Place, number: int, *, as_json: bool) -> None:
    """Print one alert with all that is known of it. Raises Failed."""
    from jinja2 import TemplateError

    from receiver.explained import printer

    remote = Remote(find(place))
    alert = remote.get(f"/api/v1/alerts/{number}")
    try:
        shown = printer(as_json)(alert)
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError):
        raise Failed(
            Code.AWAY, f"{remote.url}: answered with something that is no alert: is it alertsage, and of this version?"
        ) from None
    click.echo(shown)


def sources(place: Place, *, as_json: bool) -> None:
    """Print the senders. Raises Failed."""
    remote = Remote(find(place))
    told = listed(remote.get("/api/v1/sources"), "sources", remote.url)
    if as_json:
        _printed(told)
        return
    say(_SOURCES, [_sender(source, remote.now) for source in told])


def stats(place: Place, *, as_json: bool) -> None:
    """Print the counts. Raises Failed."""
    remote = Remote(find(place))
    told = remote.get("/api/v1/stats")
    if as_json:
        click.echo(json_line(told))
        return
    rows = [
        (title, name, count)
        for title, counts in told.items()
        if isinstance(counts, dict)
        for name, count in counts.items()
    ]
    say((Column("BY"), Column(""), Column("ALERTS", right=True)), rows)


def _row(alert: dict[str, Any], remote: Remote) -> tuple[object, ...]:
    try:
        return (
            alert["id"],
            alert["priority"],
            alert["status"],
            age(alert["started_at"], remote.now),
            age(alert["last_seen_at"], remote.now),
            alert["notification_count"],
            alert.get("assignee"),
            alert["source"],
            alert["title"],
        )
    except KeyError:
        raise stranger(remote.url) from None


def _sender(source: dict[str, Any], now: float) -> tuple[object, ...]:
    return (source.get("name"), source.get("kind"), age(source.get("last_seen_at"), now))


def _printed(told: Iterable[dict[str, Any]]) -> int:
    number = 0
    for number, one_ in enumerate(told, 1):  # noqa: B007 - counted
        click.echo(json_line(one_))
    return number
