"""The read API: alerts, one alert, the quarantine."""

from aiohttp import web
from pydantic import Field

from receiver.errors import Refused
from receiver.flow.act import whole
from receiver.flow.show import all_completed
from receiver.web.answers import answer
from receiver.web.forms import AlertPage, AlertWithHistory
from receiver.web.keys import CONFIGURATION, STORE
from receiver.web.listing import MOST, USUAL, ListParameters, cursor, limit_of, only, read_query
from receiver.web.shapes import Quarantine
from receiver.web.table import Asks, Operation, Query, Route, number_in


async def alerts(request: web.Request) -> web.Response:
    """A page of alerts."""
    page = await request.app[STORE].page(read_query(request.query))
    shown = await all_completed(page.alerts, request.app[CONFIGURATION].setup)
    return answer({"alerts": shown, "next": cursor(page.next, request.query)})


async def alert(request: web.Request) -> web.Response:
    """One alert with its history."""
    number = number_in(request, "alert")
    shown = await whole(request.app[STORE], request.app[CONFIGURATION].setup, number)
    if shown is None:
        raise Refused(f"there is no alert {number}", status=404)
    return answer(shown)


async def quarantine(request: web.Request) -> web.Response:
    """What was kept aside lately, newest first."""
    only(request.query, ("limit",))
    return answer({"quarantined": await request.app[STORE].quarantine(limit_of(request.query))})


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
        Operation(
            "alerts",
            "alerts",
            AlertPage,
            query=ListParameters,
            example={"query": "priority>=medium age<400d", "sort": "priority", "limit": 10},
        ),
    ),
    Route(
        "GET",
        "/api/v1/alerts/{id}",
        alert,
        Asks.READ,
        "one alert with its history and what was sent",
        Operation("get_alert", "alerts", AlertWithHistory, problems=(404,)),
    ),
    Route(
        "GET",
        "/api/v1/quarantine",
        quarantine,
        Asks.READ,
        "alerts that could not be read, and why",
        Operation("list_quarantine", "operation", Quarantine, query=Latest, example={"limit": 10}),
    ),
)
