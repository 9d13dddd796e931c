"""Patterns over HTTP: what the alerts of the last days have in common, and what to do about their rules."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

from aiohttp import web
from multidict import MultiMapping

from receiver.domain.times import span
from receiver.domain.vocabulary import Category, Priority
from receiver.errors import Refused
from receiver.flow.patterns import Wanted
from receiver.sources.text import clean
from receiver.store.patterns import Narrow
from receiver.web.answers import answer
from receiver.web.keys import CONFIGURATION, PATTERNS
from receiver.web.patternforms import DAYS, HYGIENE_DAYS, MOST_DAYS, MOST_VALUES, Asked, Hygiene, HygieneAsked, Report
from receiver.web.table import Asks, Operation, Route

_KNOWN = ("days", "zone", "name", "source", "category", "priority")


async def report(request: web.Request) -> web.Response:
    """What the alerts of the last days have in common."""
    wanted = read_query(request.query, DAYS)
    return answer(await request.app[PATTERNS].report(wanted, _kept(request)))


async def hygiene(request: web.Request) -> web.Response:
    """What to do about the rules that alert most."""
    wanted = read_query(request.query, HYGIENE_DAYS)
    return answer(await request.app[PATTERNS].hygiene(wanted, _kept(request)))


def read_query(query: MultiMapping[str], days: int) -> Wanted:
    """The URL's parameters. Raises Refused (400) for one that is unknown or has no such value."""
    for name in query:
        if name not in _KNOWN:
            raise Refused(f"{name[:80]!r} is not a parameter here; there is {', '.join(_KNOWN)}")
    narrow = Narrow(
        names=_values(query, "name"),
        sources=_values(query, "source"),
        categories=_chosen(query, "category", map(str, Category)),
        priorities=_chosen(query, "priority", map(str, Priority)),
    )
    return Wanted(_days(_once(query, "days", str(days))), _zone(_once(query, "zone", "UTC")), narrow)


def _once(query: MultiMapping[str], name: str, usual: str) -> str:
    told = query.getall(name, [])
    if len(told) > 1:
        raise Refused(f"{name} is given more than once")
    return told[0] if told and told[0] else usual


def _days(told: str) -> int:
    if not (told.isascii() and told.isdigit() and len(told) < 9 and 1 <= int(told) <= MOST_DAYS):
        raise Refused(f"days is {told[:40]!r}, not a number from 1 to {MOST_DAYS}")
    return int(told)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name[:100])
    except (LookupError, ValueError, OSError):
        raise Refused(f"zone is {name[:100]!r}, not a time zone's name like Europe/Berlin or UTC") from None


def _values(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    told = tuple(clean(value) for value in query.getall(name, []) if value)
    if len(told) > MOST_VALUES:
        raise Refused(f"{name} has more than {MOST_VALUES} values")
    return told


def _chosen(query: MultiMapping[str], name: str, choices: Iterable[str]) -> tuple[str, ...]:
    there = sorted(choices)
    told = tuple(part for value in _values(query, name) for part in value.split(",") if part)
    for one in told:
        if one not in there:
            raise Refused(f"{one[:80]!r} is not a {name}; there is {', '.join(there)}")
    return told[:MOST_VALUES]


def _kept(request: web.Request) -> int:
    return span(request.app[CONFIGURATION].setup.settings.retention.closed)


ROUTES = (
    Route(
        "GET",
        "/api/v1/patterns",
        report,
        Asks.READ,
        "what the alerts of the last days have in common",
        Operation(
            "patterns",
            "patterns",
            Report,
            query=Asked,
            problems=(422,),
            about="Counted are times: each opening and each reopening of an alert. Heartbeats are left out.",
            example={"days": 7, "zone": "Europe/Berlin"},
        ),
    ),
    Route(
        "GET",
        "/api/v1/patterns/hygiene",
        hygiene,
        Asks.READ,
        "what to do about the rules that alert most, and the evidence",
        Operation(
            "hygiene",
            "patterns",
            Hygiene,
            query=HygieneAsked,
            problems=(422,),
            about="A proposal for each alert name: keep, raise_threshold, longer_for or delete.",
            example={"days": 30},
        ),
    ),
)
