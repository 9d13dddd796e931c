"""The rule book over HTTP: to read, and to try on a webhook's body."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from receiver.domain.rules import Book
from receiver.errors import Mistakes, Refused
from receiver.flow import book
from receiver.flow.configuration import Configuration
from receiver.web.answers import answer
from receiver.web.body import read_body
from receiver.web.bookforms import ListRules, RuleList, RuleTexts, Tried, TryParameters
from receiver.web.keys import CONFIGURATION, UNDERWAY
from receiver.web.listing import only
from receiver.web.shapes import SendersOwn
from receiver.web.table import Asks, Operation, Route
from receiver.web.underway import Held


@dataclass
class Survey:
    """The rules as data, made once for each book."""

    of: Book | None = None
    rules: list[dict[str, Any]] = field(default_factory=list)
    making: asyncio.Lock = field(default_factory=asyncio.Lock)


SURVEY = web.AppKey("survey", Survey)


async def list_rules(request: web.Request) -> web.Response:
    """Every rule in which all the words stand."""
    only(request.query, ("q",))
    words = request.query.get("q", "").lower().split()[:20]
    found = [
        {name: value for name, value in rule.items() if name != "text"}
        for rule in await _surveyed(request.app)
        if all(word in _searched(rule) for word in words)
    ]
    return answer({"rules": found, "next": None})


async def one(request: web.Request) -> web.Response:
    """A rule with its text."""
    rule_id = request.match_info["rule"]
    found = [rule for rule in await _surveyed(request.app) if rule["id"] == rule_id]
    if not found:
        raise Refused(f"there is no rule {rule_id[:80]!r}; GET /api/v1/rules lists them", status=404)
    return answer({"rules": found})


async def test(request: web.Request) -> web.Response:
    """Which rules would speak of the alerts of a webhook's body."""
    only(request.query, ("source", "rule"))
    setup, underway = request.app[CONFIGURATION].setup, request.app[UNDERWAY]
    held = Held(underway, setup.settings.limits.in_flight)
    source, rule = request.query.get("source") or None, request.query.get("rule") or None
    try:
        body = await read_body(request, setup.settings.limits, underway, held)
        return answer(await asyncio.to_thread(book.tried, setup, body, source, rule))
    finally:
        held.give_back()


def _searched(rule: dict[str, Any]) -> str:
    does = f"sets {rule['sets']}" if rule["sets"] else ""
    return f"{rule['kind']} {rule['text']} {rule['file']}:{rule['line']} {does}".lower()


async def _surveyed(app: web.Application) -> list[dict[str, Any]]:
    """The rules in force. Raises Refused (409) while the files say something that is no book."""
    survey, configuration = app[SURVEY], app[CONFIGURATION]
    async with survey.making:
        if survey.of is not configuration.setup.book:
            survey.rules, survey.of = await _made(configuration)
    return survey.rules


async def _made(configuration: Configuration) -> tuple[list[dict[str, Any]], Book]:
    setup = configuration.setup
    try:
        return await asyncio.to_thread(book.rules, setup.settings), setup.book
    except Mistakes as mistakes:
        sentence = f"{mistakes.mistakes[0]}; until that is mended the rules from before stay in force, and unlisted"
        raise Refused(sentence[:1000], status=409) from None


ROUTES = (
    Route(
        "GET",
        "/api/v1/rules",
        list_rules,
        Asks.READ,
        "the rules in force",
        Operation("list_rules", "rules", RuleList, query=ListRules, problems=(409,), example={"q": "postgres"}),
    ),
    Route(
        "GET",
        "/api/v1/rules/{rule}",
        one,
        Asks.READ,
        "one rule with its text",
        Operation("get_rule", "rules", RuleTexts, problems=(404, 409)),
    ),
    Route(
        "POST",
        "/api/v1/trials",
        test,
        Asks.READ,
        "which rules would speak of a webhook's alerts, and why; nothing is stored",
        Operation(
            "test_rules",
            "rules",
            Tried,
            takes=SendersOwn,
            query=TryParameters,
            problems=(404,),
            about="The body is a webhook of Alertmanager, Grafana or Sentry, or of the source that is named. At most"
            f" {book.MOST_TRIED} of its alerts are tried.",
            example={
                "version": "4",
                "groupKey": "{}",
                "status": "firing",
                "receiver": "alertsage",
                "groupLabels": {},
                "commonLabels": {},
                "commonAnnotations": {},
                "externalURL": "http://alertmanager.example.org",
                "alerts": [
                    {
                        "status": "firing",
                        "labels": {"alertname": "PostgresqlDown", "instance": "db-1:9187", "severity": "critical"},
                        "annotations": {},
                        "startsAt": "2026-11-23T06:40:41.347Z",
                        "endsAt": "0001-01-01T00:00:00Z",
                        "generatorURL": "",
                    }
                ],
            },
        ),
    ),
)
