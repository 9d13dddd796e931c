"""The read API: alerts, one alert, the quarantine."""

import base64
import binascii
import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

from aiohttp import web
from multidict import MultiDict, MultiMapping
from pydantic import Field

from receiver.domain import times
from receiver.domain.vocabulary import OPEN, Category, Priority, Status
from receiver.errors import Refused
from receiver.flow.show import all_completed, completed, remembered
from receiver.sources.text import clean
from receiver.store import AlertQuery
from receiver.web.answers import answer
from receiver.web.keys import CONFIGURATION, STORE
from receiver.web.shapes import AlertPage, Quarantine, WholeAlert
from receiver.web.table import Asks, Operation, Query, Route

MOST, USUAL = 500, 50
MOST_LABELS, MOST_VALUES = 20, 50
"""In one query."""
_CHOICES: Mapping[str, frozenset[str]] = {
    "status": frozenset({*map(str, Status), "open"}),
    "priority": frozenset(map(str, Priority)),
    "category": frozenset(map(str, Category)),
}
_KNOWN = ("status", "source", "priority", "category", "alertname", "label.NAME", "q", "limit", "cursor")


async def alerts(request: web.Request) -> web.Response:
    """A page of alerts, newest first."""
    page = await request.app[STORE].page(read_query(request.query))
    shown = await all_completed(page.alerts, request.app[CONFIGURATION].setup)
    return answer({"alerts": shown, "next": None if page.next is None else _cursor(page.next)})


async def alert(request: web.Request) -> web.Response:
    """One alert with its history."""
    number = request.match_info["id"]
    known = number.isascii() and number.isdigit() and len(number) < 19
    store = request.app[STORE]
    found = await store.alert(int(number)) if known else None
    past = await store.past(int(number)) if found is not None else None
    if found is None or past is None:
        raise Refused(f"there is no alert {number[:40]}", status=404)
    return answer(remembered(completed(found, request.app[CONFIGURATION].setup), past, times.now()))


async def quarantine(request: web.Request) -> web.Response:
    """What was kept aside lately, newest first."""
    _only(request.query, ("limit",))
    return answer({"quarantined": await request.app[STORE].quarantine(_limit(request.query))})


def read_query(query: MultiMapping[str]) -> AlertQuery:
    """The URL's parameters. Raises Refused (400) for one that is unknown or has no such value."""
    _only(query, _KNOWN)
    query = MultiDict((clean(name), clean(value)) for name, value in query.items())
    for name in ("q", "limit", "cursor"):
        if len(query.getall(name, [])) > 1:
            raise Refused(f"{name} is given more than once")
    labels = [(name.removeprefix("label."), value) for name, value in query.items() if name.startswith("label.")]
    labels += [("alertname", value) for value in query.getall("alertname", [])]
    if len(labels) > MOST_LABELS:
        raise Refused(f"at most {MOST_LABELS} labels (and alertname) can be asked for at once")
    statuses = _chosen(query, "status")
    if "open" in statuses:
        statuses = tuple({*statuses, *map(str, OPEN)} - {"open"})
    text = query.get("q")
    if text is not None and len(text) > 200:
        raise Refused("q is longer than 200 characters")
    return AlertQuery(
        statuses=statuses,
        sources=_listed(query, "source"),
        priorities=_chosen(query, "priority"),
        categories=_chosen(query, "category"),
        labels=tuple(labels),
        text=text,
        limit=_limit(query),
        before=_before(query.get("cursor")),
    )


def _only(query: MultiMapping[str], known: Iterable[str]) -> None:
    for name in query:
        if name not in known and not (name.startswith("label.") and "label.NAME" in known and len(name) > 6):
            close = difflib.get_close_matches(name, list(known), 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there is {', '.join(known)}"
            raise Refused(f"{name[:80]!r} is not a parameter here{hint}")


def _listed(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    listed = tuple(part for value in query.getall(name, []) for part in value.split(",") if part)
    if len(listed) > MOST_VALUES:
        raise Refused(f"{name} has more than {MOST_VALUES} values")
    return listed


def _chosen(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    chosen = _listed(query, name)
    for value in chosen:
        if value not in _CHOICES[name]:
            raise Refused(f"{value[:80]!r} is not a {name}; there is {', '.join(sorted(_CHOICES[name]))}")
    return chosen


def _limit(query: MultiMapping[str]) -> int:
    told = query.get("limit", str(USUAL))
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:9]) <= MOST and len(told) < 9):
        raise Refused(f"limit is {told[:40]!r}, not a number from 1 to {MOST}")
    return int(told)


def _cursor(position: int) -> str:
    return base64.urlsafe_b64encode(b"%d" % position).decode().rstrip("=")


def _before(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        told = base64.urlsafe_b64decode(cursor[:64] + "==")
    except (binascii.Error, ValueError):
        told = b""
    if not told.isdigit() or len(told) > 18:
        raise Refused("this cursor is not one that alertsage gave; start without it")
    return int(told)


class Wanted(Query):
    """Which alerts: everything that is asked for has to hold."""

    status: list[Status | Literal["open"]] = Field([], max_length=MOST_VALUES)
    """`open` stands for `active`, `acknowledged` and `suppressed`."""
    source: list[str] = Field([], max_length=MOST_VALUES)
    """The names of sources."""
    priority: list[Priority] = Field([], max_length=MOST_VALUES)
    category: list[Category] = Field([], max_length=MOST_VALUES)
    alertname: list[str] = Field([], max_length=MOST_LABELS)
    q: str = Field("", max_length=200)
    """This text in title, message or name, in capitals or not."""
    limit: int = Field(USUAL, ge=1, le=MOST)
    """At most so many on a page."""
    cursor: str = Field("", json_schema_extra={"format": "cursor"})
    """After the page that gave this `next`."""


class Latest(Query):
    """How much to look at."""

    limit: int = Field(USUAL, ge=1, le=MOST)
    """At most so many."""


ROUTES = (
    Route(
        "GET",
        "/api/v1/alerts",
        alerts,
        Asks.READ,
        "alerts, newest first",
        Operation("alerts", "alerts", AlertPage, query=Wanted, example={"status": ["open"], "limit": 10}),
    ),
    Route(
        "GET",
        "/api/v1/alerts/{id}",
        alert,
        Asks.READ,
        "one alert with its history and what was sent",
        Operation("alert", "alerts", WholeAlert, problems=(404,)),
    ),
    Route(
        "GET",
        "/api/v1/quarantine",
        quarantine,
        Asks.READ,
        "alerts that could not be read, and why",
        Operation("quarantine", "operation", Quarantine, query=Latest, example={"limit": 10}),
    ),
)
