"""Silences over HTTP: made, tried out, changed, ended."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from receiver.domain import times
from receiver.domain.silences import By, Draft
from receiver.domain.times import Instant, Span, instant, span
from receiver.errors import Refused
from receiver.flow import silence as flow
from receiver.flow.hush import seek
from receiver.settings.units import parse_duration
from receiver.sources.text import clean
from receiver.store import hushing, silences
from receiver.web import callers, misfits
from receiver.web.answers import answer
from receiver.web.keys import STORE
from receiver.web.silenceforms import EditedSilence, Ending, Listed, Matching, NewSilence, Preview, Silence, Silences
from receiver.web.table import Asks, Operation, Route, number_in, taken

Q = TypeVar("Q", bound=BaseModel)
SHOWN = 20
"""Alerts that a preview shows."""


async def listed(request: web.Request) -> web.Response:
    """A page of silences, the newest first."""
    asked, now = _asked(request, Listed), times.now()
    before = _before(asked.cursor)
    found = await request.app[STORE].read(lambda c: silences.page(c, asked.state, now, asked.limit + 1, before))
    page = found[: asked.limit]
    after = urlsafe_b64encode(b"%d" % page[-1].id).decode().rstrip("=") if len(found) > asked.limit else None
    return answer({"silences": [flow.shown(one, now) for one in page], "next": after})


async def create(request: web.Request) -> web.Response:
    """A new silence."""
    posted = await taken(request, NewSilence)
    fields = _fields(posted.model_dump(exclude_none=True))
    made = await flow.create(request.app[STORE], Draft(**fields), _by(request, posted.who))
    return answer(flow.shown(made, times.now()), status=201)


async def preview(request: web.Request) -> web.Response:
    """What the matchers fit now."""
    posted = await taken(request, Matching)
    told = flow.matchers_of(_texts(posted.matchers))
    store, pairs = request.app[STORE], tuple(matcher.pair for matcher in told if matcher.pair)
    if await store.read(hushing.open_alerts) <= hushing.FEW:
        pairs = ()
    count, first = 0, list[int]()
    async for ids in seek(store, lambda labels: all(matcher.fits(labels) for matcher in told), pairs):
        count += len(ids)
        first = sorted([*first, *ids], reverse=True)[:SHOWN]
    alerts = await store.read(lambda c: hushing.briefly(c, first))
    return answer({"matchers": [matcher.text for matcher in told], "count": count, "alerts": alerts})


async def one(request: web.Request) -> web.Response:
    """One silence."""
    number = number_in(request, "silence")
    found = await request.app[STORE].read(lambda c: silences.one(c, number))
    if found is None:
        raise Refused(f"there is no silence {number}", status=404)
    return answer(flow.shown(found, times.now()))


async def edit(request: web.Request) -> web.Response:
    """Change a silence."""
    number, posted = number_in(request, "silence"), await taken(request, EditedSilence)
    given = posted.model_dump(exclude_unset=True)
    change = flow.Edit(_fields(given), posted.version)
    edited = await flow.edit(request.app[STORE], number, change, _by(request, posted.who))
    return answer(flow.shown(edited, times.now()))


async def expire(request: web.Request) -> web.Response:
    """End a silence now."""
    number, asked = number_in(request, "silence"), _asked(request, Ending)
    ended = await flow.expire(request.app[STORE], number, asked.version, _by(request, asked.who))
    return answer(flow.shown(ended, times.now()))


def _by(request: web.Request, who: str | None) -> By:
    return By(*callers.on_behalf(request, who))


def _fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The posted fields as those of a Draft."""
    fields: dict[str, Any] = {}
    for name, told in given.items():
        if name in ("who", "version"):
            continue
        if name == "matchers":
            fields[name] = _texts(told or [])
        elif name in ("starts_at", "ends_at"):
            fields[name] = None if told is None else _instant(told)
        elif name == "lasts":
            fields[name] = 0 if told is None else _span(told)
        else:
            fields[name] = told or ""
    return fields


def _instant(told: str) -> Instant:
    return instant(datetime.fromisoformat(told))


def _span(told: str) -> Span:
    length: timedelta = parse_duration(told)
    return span(length)


def _texts(told: list[str] | str) -> tuple[str, ...]:
    return (told,) if isinstance(told, str) else tuple(told)


def _asked(request: web.Request, form: type[Q]) -> Q:
    """The URL's parameters as that form. Raises Refused."""
    query = request.query
    try:
        return form.model_validate({clean(name): ",".join(query.getall(name)) for name in query})
    except ValidationError as error:
        raise Refused(misfits.told(error)) from None


def _before(cursor: str) -> int | None:
    if not cursor:
        return None
    try:
        told = urlsafe_b64decode(cursor + "==")
    except (binascii.Error, ValueError):
        told = b""
    if not told.isdigit() or len(told) > 18:
        raise Refused("this cursor is not one that alertsage gave; start without it")
    return int(told)


_BACKUP: Mapping[str, Any] = {
    "matchers": ['job="postgres"', 'severity!="critical"'],
    "comment": "the backup slows the databases down",
    "schedule": "30 2 * * *",
    "zone": "Europe/Berlin",
    "lasts": "1h30m",
}
_LIST, _ONE = "/api/v1/silences", "/api/v1/silences/{id}"
_TAG = "silences"

ROUTES = (
    Route(
        "GET",
        _LIST,
        listed,
        Asks.READ,
        "silences, the newest first",
        Operation("silences", _TAG, Silences, query=Listed, example={"state": "active,pending"}),
    ),
    Route(
        "POST",
        _LIST,
        create,
        Asks.ACT,
        "silence alerts, once or in a window that recurs",
        Operation("silence", _TAG, Silence, NewSilence, status=201, problems=(409, 415, 422), example=_BACKUP),
    ),
    Route(
        "POST",
        f"{_LIST}/preview",
        preview,
        Asks.READ,
        "which open alerts matchers fit now",
        Operation(
            "preview", _TAG, Preview, Matching, problems=(415, 422), example={"matchers": ['alertname=~"Disk.*"']}
        ),
    ),
    Route("GET", _ONE, one, Asks.READ, "one silence", Operation("one_silence", _TAG, Silence, problems=(404,))),
    Route(
        "PUT",
        _ONE,
        edit,
        Asks.ACT,
        "change a silence: what is not named stays",
        Operation(
            "edit_silence",
            _TAG,
            Silence,
            EditedSilence,
            problems=(404, 409, 415, 422),
            example={"comment": "it takes longer than we thought"},
        ),
    ),
    Route(
        "DELETE",
        _ONE,
        expire,
        Asks.ACT,
        "end a silence now",
        Operation("expire_silence", _TAG, Silence, query=Ending, problems=(404, 409)),
    ),
)
