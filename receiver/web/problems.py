"""Errors as answers: RFC 9457 problem documents with one plain sentence."""

import logging
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic_core import to_json

from receiver.errors import Refused, StoreAway
from receiver.web.keys import METERS, SOURCE, UNDERWAY
from receiver.web.security import challenge

log = logging.getLogger("alertsage.web")

RETRY_AFTER = "5"


def problem(status: int, sentence: str, headers: dict[str, str] | None = None) -> web.Response:
    """The answer for a request that is not taken."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return web.Response(
        status=status, body=to_json(document) + b"\n", content_type="application/problem+json", headers=headers
    )


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error of a handler becomes an answer; refusals of webhooks are counted and logged."""
    underway = request.app[UNDERWAY]
    underway.begin()
    try:
        answer = await _answer(request, handler)
    finally:
        underway.end()
    if underway.stopping:
        answer.force_close()
    return answer


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        _tell(request, refused.reason, refused.sentence)
        headers = challenge(refused) | ({"Retry-After": RETRY_AFTER} if refused.status == 503 else {})
        return problem(refused.status, refused.sentence, headers)
    except StoreAway as away:
        _tell(request, "store_away", str(away))
        return problem(503, str(away), {"Retry-After": RETRY_AFTER})
    except web.HTTPException as other:
        return _routing(request, other)
    except ConnectionError:
        log.debug("the client of %s went away", request.path)
        return problem(400, "the connection was closed before the request had arrived")
    except Exception:
        log.exception("%s %s failed", request.method, request.path[:200])
        _tell(request, "error", "a fault of alertsage")
        return problem(500, "alertsage failed to answer this; its log says why")


def _routing(request: web.Request, error: web.HTTPException) -> web.Response:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        return problem(405, f"{request.method} is not possible here; use {allowed}", {"Allow": allowed})
    if isinstance(error, web.HTTPNotFound):
        return problem(404, f"there is nothing at {request.path[:200]}; GET / lists what there is")
    return problem(error.status, error.reason)


def _tell(request: web.Request, reason: str, sentence: str) -> None:
    source = request.get(SOURCE)
    if source is not None:
        request.app[METERS].refused.labels(source, reason).inc()
        log.warning("a webhook of source %s was not taken: %s", source, sentence)
