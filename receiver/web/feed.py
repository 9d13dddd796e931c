"""GET /api/v1/changes: what happened to alerts, for those who follow it."""

import base64
import binascii
import struct
from typing import Annotated

from aiohttp import web
from multidict import MultiDict
from pydantic import Field
from typing_extensions import TypedDict

from receiver.domain import times
from receiver.domain.times import Instant, parse_rfc3339, rfc3339
from receiver.domain.vocabulary import Category, Kind, Priority, Status
from receiver.errors import Refused
from receiver.sources.text import clean
from receiver.store import feed
from receiver.web.answers import answer
from receiver.web.keys import STORE
from receiver.web.listing import MOST, USUAL, limit_of, only
from receiver.web.table import Asks, Operation, Query, Route

_POSITION = struct.Struct(">qqi")


class AlertInFeed(TypedDict):
    """The alert, as it is now, in few words."""

    id: int
    name: str
    title: str
    source: str
    priority: Priority
    category: Category
    status: Status


class ChangeInFeed(TypedDict):
    """One entry of an alert's audit trail, and the alert."""

    seq: int
    at: str
    kind: Kind
    who: str
    why: str
    via: str
    after: Status | None
    altered: dict[str, object]
    alert: AlertInFeed


class Feed(TypedDict):
    """A page of what happened, oldest first."""

    changes: list[ChangeInFeed]
    next: str | None
    """The `cursor` of the page after it."""
    now: str
    """The server's clock before it looked: what to give as `since` the next time."""


class FeedParameters(Query):
    """The URL's parameters."""

    since: Annotated[str, Field(json_schema_extra={"format": "date-time"})] | None = None
    """A moment in RFC 3339; now, if it is not given."""
    limit: int = Field(USUAL, ge=1, le=MOST)
    """At most so many on a page."""
    cursor: str = Field("", json_schema_extra={"format": "cursor"})
    """`next` of the page before."""


async def changes(request: web.Request) -> web.Response:
    """What happened since then."""
    query = MultiDict((clean(name), clean(value)) for name, value in request.query.items())
    only(query, FeedParameters.model_fields)
    for name in query:
        if len(query.getall(name)) > 1:
            raise Refused(f"{name} is given more than once")
    now = times.now()
    since, limit = _since(query.get("since"), now), limit_of(query)
    after = _position(query.get("cursor"))
    store = request.app[STORE]
    found, last = await store.read(lambda connection: feed.changes(connection, since, after, limit))
    return answer({"changes": found, "next": None if last is None else _cursor(last), "now": rfc3339(now)})


def _since(told: str | None, now: Instant) -> Instant:
    if told is None:
        return now
    try:
        return parse_rfc3339(told) or 0
    except (ValueError, OverflowError):
        raise Refused(f"since is {told[:40]!r}, not a moment in RFC 3339, e.g. {rfc3339(now)}") from None


def _cursor(position: feed.Position) -> str:
    return base64.urlsafe_b64encode(_POSITION.pack(*position)).decode().rstrip("=")


def _position(cursor: str | None) -> feed.Position | None:
    if not cursor:
        return None
    try:
        packed = base64.b64decode(cursor[:64] + "=" * (-len(cursor[:64]) % 4), b"-_", validate=True)
        at, alert, seq = _POSITION.unpack(packed)
    except (binascii.Error, ValueError, struct.error):
        raise Refused("this cursor is not one that alertsage gave; start without it") from None
    return at, alert, seq


ROUTES = (
    Route(
        "GET",
        "/api/v1/changes",
        changes,
        Asks.READ,
        "what happened to alerts since a moment, oldest first",
        Operation(
            "list_changes",
            "alerts",
            Feed,
            query=FeedParameters,
            about="For those who follow it, like `alertsage tail`. Ask again with `since` a little before the `now` of"
            " the answer before, and skip what is known by `alert.id` and `seq`: what several servers write at the same"
            " time may come a little late.",
        ),
    ),
)
