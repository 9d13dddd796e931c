"""Errors as answers: RFC 9457 problem documents with one plain sentence."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic_core import to_json

from receiver.domain.tokens import masked
from receiver.errors import Refused, StoreAway
from receiver.web.keys import METERS, SOURCE, UNDERWAY
from receiver.web.security import challenge

log = logging.getLogger("alertsage.web")

RETRY_AFTER = "5"


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """The answer for a request that is not taken."""
    detail = masked(sentence)  # it may repeat what was asked, a token in the wrong place as well
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.Response(
        status=status, body=to_json(document) + b"\n", content_type="application/problem+json", headers=headers
    )


PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""What is told of alerts is kept nowhere on the way, and is no page whatever a sender wrote into it."""


def answered(handle: Handler, headers: Mapping[str, str] = PRIVATE) -> Handler:
    """The handler, but every error becomes an answer; refusals of webhooks are counted and logged.

    Every answer has these headers, unless the handler has said something else there.
    """

    async def answer(request: web.Request) -> web.StreamResponse:
        underway = request.app[UNDERWAY]
        underway.begin()
        try:
            response = await handle(request)
        except Exception as error:  # noqa: BLE001 - each is told apart there
            response = _answer(request, error)
        finally:
            underway.end()
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if underway.stopping:
            response.force_close()
        return response

    return answer


def _answer(request: web.Request, error: Exception) -> web.Response:
    match error:
        case Refused():
            _tell(request, error.reason, error.sentence)
            headers = challenge(error) | ({"Retry-After": RETRY_AFTER} if error.status == 503 else {}) | error.headers
            return problem(error.status, error.sentence, headers)
        case StoreAway():
            _tell(request, "store_away", str(error))
            return problem(503, str(error), {"Retry-After": RETRY_AFTER})
        case web.HTTPException():
            return problem(error.status, error.reason)
        case ConnectionError():
            log.debug("the client of %s went away", request.path)
            return problem(400, "the connection was closed before the request had arrived")
    log.error("%s %s failed", request.method, request.path[:200], exc_info=error)
    _tell(request, "error", "a fault of alertsage")
    return problem(500, "alertsage failed to answer this; its log says why")


def _tell(request: web.Request, reason: str, sentence: str) -> None:
    source = request.get(SOURCE)
    if source is not None:
        request.app[METERS].refused.labels(source, reason).inc()
        log.warning("a webhook of source %s was not taken: %s", source, sentence)
