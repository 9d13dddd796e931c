"""The read API: alerts, one alert, the quarantine."""

from aiohttp import web
from pydantic_core import to_json

from receiver.domain import times
from receiver.errors import Refused
from receiver.flow.show import all_completed, completed, remembered
from receiver.web.keys import CONFIGURATION, STORE
from receiver.web.listing import cursor, limit_of, only, read_query
from receiver.web.table import Asks, Route


async def alerts(request: web.Request) -> web.Response:
    """A page of alerts."""
    page = await request.app[STORE].page(read_query(request.query))
    shown = await all_completed(page.alerts, request.app[CONFIGURATION].setup)
    return _json({"alerts": shown, "next": cursor(page.next, request.query)})


async def alert(request: web.Request) -> web.Response:
    """One alert with its history."""
    number = request.match_info["id"]
    known = number.isascii() and number.isdigit() and len(number) < 19
    store = request.app[STORE]
    found = await store.alert(int(number)) if known else None
    past = await store.past(int(number)) if found is not None else None
    if found is None or past is None:
        raise Refused(f"there is no alert {number[:40]}", status=404)
    return _json(remembered(completed(found, request.app[CONFIGURATION].setup), past, times.now()))


async def quarantine(request: web.Request) -> web.Response:
    """What was kept aside lately, newest first."""
    only(request.query, ("limit",))
    return _json({"quarantined": await request.app[STORE].quarantine(limit_of(request.query))})


def _json(document: object) -> web.Response:
    return web.Response(body=to_json(document) + b"\n", content_type="application/json")


ROUTES = (
    Route("GET", "/api/v1/alerts", alerts, Asks.READ, "alerts, newest first, filtered and paged"),
    Route("GET", "/api/v1/alerts/{id}", alert, Asks.READ, "one alert with its history"),
    Route("GET", "/api/v1/quarantine", quarantine, Asks.READ, "alerts that could not be read, and why"),
)
