"""Acts on alerts over HTTP: one alert, or many at once."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from aiohttp import hdrs, web
from typing_extensions import TypedDict

from receiver.domain import times
from receiver.domain.search import Unreadable
from receiver.errors import Refused
from receiver.flow import act, find
from receiver.web.actforms import FORMS, Action, BulkForm, ByWhom
from receiver.web.answers import answer
from receiver.web.callers import on_behalf
from receiver.web.forms import AlertWithHistory
from receiver.web.keys import CONFIGURATION, STORE
from receiver.web.table import Asks, Operation, Route, number_in, taken

_VERSION = re.compile(r'(?:W/)?"?(\d{1,9})"?', re.ASCII)


class BulkDone(TypedDict):
    """What became of a bulk act."""

    action: Action
    changed: int
    """Alerts that it changed; with dry_run, that it would change."""
    skipped: int
    """Alerts that were so already."""
    dry_run: bool


async def one(request: web.Request, form: type[ByWhom]) -> web.Response:
    """Act on one alert; answers with the alert as it is then."""
    alert_id = number_in(request, "alert")
    said = await taken(request, form)
    store, setup = request.app[STORE], request.app[CONFIGURATION].setup
    asked = said.act(*_by(request, said.who))
    await act.act_on(store, setup, alert_id, asked, _version(request, said.version))
    shown = await act.whole(store, setup, alert_id)
    if shown is None:
        raise Refused(f"alert {alert_id} was deleted a moment ago", status=404)
    return answer(shown, headers={hdrs.ETAG: f'"{shown["version"]}"'})


async def bulk(request: web.Request) -> web.Response:
    """Act on many alerts: on all of them or on none."""
    said = await taken(request, BulkForm)
    store, setup = request.app[STORE], request.app[CONFIGURATION].setup
    asked = said.form().act(*_by(request, said.who))
    if said.ids is not None:
        done = await act.act_on_these(store, setup, said.ids, asked, rehearse=said.dry_run)
    else:
        try:
            query = find.query(said.query or "", times.now())
        except Unreadable as error:
            raise Refused(f"query: {error}", status=422) from None
        done = await act.act_on_found(store, setup, query, asked, rehearse=said.dry_run)
    told = BulkDone(action=said.action, changed=len(done.changed), skipped=done.skipped, dry_run=said.dry_run)
    return answer(told)


def _by(request: web.Request, told: str | None) -> tuple[str, int, str]:
    """Who acts, when, and over which interface."""
    who, via = on_behalf(request, told)
    return who, times.now(), via


def _version(request: web.Request, told: int | None) -> int | None:
    """The version that the act is meant for: told in the body, or as If-Match."""
    header = request.headers.get(hdrs.IF_MATCH, "*").strip()
    if header == "*":
        return told
    match = _VERSION.fullmatch(header)
    if match is None:
        raise Refused(f"If-Match is {header[:40]!r}, not the version of an alert")
    if told not in (None, int(match[1])):
        raise Refused(f"If-Match says version {match[1]}, the body says {told}")
    return int(match[1])


_ADA = {"who": "ada@example.org"}
_SAYS: tuple[tuple[str, Action, str, str, Mapping[str, Any]], ...] = (
    (
        "acknowledge",
        "acknowledge",
        "somebody is working on it",
        "acknowledge_alert",
        {"note": "looking at the query plan"},
    ),
    ("resolve", "resolve", "it is over", "resolve_alert", {"note": "added an index on customer_id"}),
    (
        "suppress",
        "suppress",
        "nobody is told of it for a while",
        "suppress_alert",
        {"reason": "database maintenance", "duration": "2h"},
    ),
    ("unsuppress", "unsuppress", "people are told of it again", "unsuppress_alert", {"reason": "done earlier"}),
    ("reopen", "reopen", "it is not over", "reopen_alert", {"reason": "it still times out"}),
    ("notes", "note", "something to remember about it", "note_alert", {"note": "the replica lags too"}),
    ("assign", "assign", "whose it is to look after", "assign_alert", {"assignee": "ben@example.org"}),
    ("metadata", "metadata", "facts of your own", "add_metadata", {"metadata": {"ticket": "OPS-1234"}}),
)
_ABOUT = (
    "Answers with the alert as it is then. Doing again what you have done changes nothing; what does not fit the"
    " alert's status is 409, with who did what meanwhile; so is a `version` (or `If-Match`) that it has no more."
)


def _route(path: str, action: Action, says: str, name: str, example: Mapping[str, Any]) -> Route:
    form = FORMS[action]
    operation = Operation(
        name,
        "acts",
        AlertWithHistory,
        takes=form,
        problems=(404, 409, 413, 415, 422),
        about=f"{(form.__doc__ or '').strip()} {_ABOUT}",
        example=_ADA | dict(example),
    )
    return Route("POST", f"/api/v1/alerts/{{id}}/{path}", partial(one, form=form), Asks.ACT, says, operation)


ROUTES = (
    Route(
        "POST",
        "/api/v1/alerts/bulk",
        bulk,
        Asks.ACT,
        "one action on many alerts, all or nothing",
        Operation(
            "act_on_alerts",
            "acts",
            BulkDone,
            takes=BulkForm,
            problems=(404, 409, 413, 415, 422),
            about=(
                "Up to 10,000 alerts by `ids`, or all that a `query` finds. Alerts that are so already are skipped and"
                " counted; if any does not fit, nothing is changed and 409 names the first."
            ),
            example={"action": "acknowledge", "query": "status:active name:HostHighCpu", **_ADA},
        ),
    ),
    *(_route(*line) for line in _SAYS),
)
