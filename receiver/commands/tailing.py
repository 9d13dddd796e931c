"""`alertsage tail`: what happens to alerts, as it happens."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from wcwidth import width

from receiver.commands.ages import instant
from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.remote import Remote, stranger
from receiver.commands.table import COLOURS, cut, plain, window
from receiver.commands.where import find
from receiver.terminal import json_line

OVERLAP = timedelta(seconds=15)
"""So far back each look goes again: what replicas and slow transactions commit late is not missed."""
AT_ONCE = 50
"""Alerts that a query may name."""
LONGEST_PAUSE = 10.0


def tail(place: Place, query: str, since: timedelta | None, pause: timedelta, *, as_json: bool) -> None:
    """Print Changes until Ctrl-C. Raises Failed for what no waiting mends."""
    remote = Remote(find(place))
    feed = _Feed(remote, query, since)
    try:
        while True:
            for change in feed.news():
                click.echo(json_line(change) if as_json else told(change))
            time.sleep(max(0.2, pause.total_seconds()))
    except KeyboardInterrupt:
        return


class _Feed:
    """Every Change once, in the order in which the server tells of them."""

    def __init__(self, remote: Remote, query: str, since: timedelta | None) -> None:
        self._remote, self._query = remote, query
        self._since: datetime | None = None
        self._begins = since
        self._known: dict[tuple[int, int], datetime] = {}

    def news(self) -> list[dict[str, Any]]:
        """What happened since the last call. Waits while the server is away, and says so once."""
        away = False
        while True:
            try:
                found = self._look()
            except Failed as failed:
                if failed.exit_code != Code.AWAY or self._since is None:
                    raise
                if not away:
                    click.echo(f"{failed.message}; waiting for it", err=True)
                away = True
                time.sleep(1)
                continue
            if away:
                click.echo(f"{self._remote.url}: is back", err=True)
            return found

    def _look(self) -> list[dict[str, Any]]:
        if self._since is None:
            if self._query:  # a mistake in it is told at once
                self._remote.get("/api/v1/alerts", {"query": self._query, "limit": 1})
            began = self._now(self._remote.get("/api/v1/changes", {"limit": 1}))
            self._since = began - (self._begins or timedelta())
            if self._begins is None:
                self._note(self._read(began - OVERLAP)[0], began)
        found, now = self._read(self._since)
        news = self._wanted([change for change in found if _key(change) not in self._known])
        self._note(found, now)
        return news

    def _read(self, since: datetime) -> tuple[list[dict[str, Any]], datetime]:
        """The Changes since then, and the server's clock before they were read."""
        found: list[dict[str, Any]] = []
        cursor, first = None, None
        while True:
            told = self._remote.get("/api/v1/changes", {"since": _written(since), "cursor": cursor, "limit": 500})
            first = first or self._now(told)
            changes = told.get("changes")
            if not isinstance(changes, list):
                raise stranger(self._remote.url)
            found += changes
            cursor = told.get("next")
            if not cursor:
                return found, first

    def _note(self, found: list[dict[str, Any]], now: datetime) -> None:
        self._since = max(self._since or now, now) - OVERLAP
        self._known |= {_key(change): instant(change["at"]) or now for change in found}
        self._known = {key: at for key, at in self._known.items() if at >= self._since - OVERLAP}

    def _wanted(self, news: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self._query or not news:
            return news
        ids = sorted({change["alert"]["id"] for change in news})
        good = set(self._found(ids))
        return [change for change in news if change["alert"]["id"] in good]

    def _found(self, ids: list[int]) -> Iterator[int]:
        for begin in range(0, len(ids), AT_ONCE):
            named = ",".join(map(str, ids[begin : begin + AT_ONCE]))
            query = {"query": f"{self._query} id:{named}"}
            yield from (alert["id"] for alert in self._remote.each("/api/v1/alerts", "alerts", query, None))

    def _now(self, told: dict[str, Any]) -> datetime:
        now = instant(told.get("now"))
        if now is None:
            raise stranger(self._remote.url)
        return now


def told(change: dict[str, Any]) -> str:
    """A Change as a line that fits the window; the title gives way to who did it and why, down to half of the room."""
    alert, priority = change["alert"], str(change["alert"]["priority"])
    head = f"{_clock(instant(change['at']))}  {alert['id']:>5}  "
    kind = f"  {change['kind']!s:12}  "
    room = max(2, window() - len(head) - 8 - len(kind))
    who, why = str(change["who"]).removeprefix("source:"), change["why"]
    by = cut(f"({plain(f'{who}: {why}' if why else who)})", room // 2)
    title = cut(plain(alert["title"]), room - width(by) - 2)
    colour = COLOURS.get(priority)
    shown = click.style(f"{priority:8}", **colour) if colour else f"{priority:8}"
    return f"{head}{shown}{kind}{title}  {by}"


def _clock(moment: datetime | None) -> str:
    if moment is None:
        return " " * 8
    here = moment.astimezone()
    return here.strftime("%H:%M:%S" if here.date() == datetime.now().astimezone().date() else "%m-%d %H:%M:%S")


def _key(change: dict[str, Any]) -> tuple[int, int]:
    return change["alert"]["id"], change["seq"]


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
