"""What is looked at: alerts, one alert, senders, counts."""

from collections.abc import Iterable
from typing import Any

import click

from receiver.commands.ages import age
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, listed, stranger
from receiver.commands.table import Column, plain, say
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
    Column("SEEN", right=True),
    Column("OPEN", right=True),
    Column("CLOSED", rank=2, right=True),
    Column("UNREAD", rank=1, right=True),
    Column("REFUSED", rank=3, right=True),
    Column("KIND", rank=5),
    Column("ADDRESS"),
)
_COUNTS = (Column("OPEN", right=True), Column("BY", rank=1), Column(""))


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
    try:
        say(_SOURCES, [_sender(source, remote.now) for source in told])
    except (KeyError, TypeError, AttributeError):
        raise stranger(remote.url) from None


def stats(place: Place, *, as_json: bool) -> None:
    """Print the counts. Raises Failed."""
    remote = Remote(find(place))
    told = remote.get("/api/v1/stats")
    try:
        if as_json:
            click.echo(json_line(told))
            return
        kinds = ("priority", "category", "source")
        rows = [(count, kind, name) for kind in kinds for name, count in told[f"by_{kind}"].items() if count]
        statuses = ", ".join(f"{count} {plain(status)}" for status, count in told["by_status"].items() if count)
        click.echo(f"{told['open']} open, {told['closed']} closed" + (f": {statuses}" if statuses else ""))
        if rows:
            click.echo("")
            say(_COUNTS, [*rows, *((one["open"], "name", one["name"]) for one in told["names"][:10])])
    except (KeyError, TypeError, AttributeError):
        raise stranger(remote.url) from None


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
    refused = sum(source["refused"].values())
    seen = age(source["last_seen_at"], now) or "never"
    counts = (source["open"], source["closed"], source["quarantined"] or "", refused or "")
    return (source["name"], seen, *counts, source["kind"], source["address"])


def _printed(told: Iterable[dict[str, Any]]) -> int:
    number = 0
    for number, one_ in enumerate(told, 1):  # noqa: B007 - counted
        click.echo(json_line(one_))
    return number
