"""The webhook handler."""

import time

from aiohttp import web
from pydantic_core import to_json

from receiver.errors import Refused
from receiver.flow.accept import Webhook, accept
from receiver.settings import Settings
from receiver.web import security
from receiver.web.body import read_body
from receiver.web.keys import CONFIGURATION, METERS, SOURCE, STORE

ALIAS = "alertmanager"
"""The kind that `POST /webhook` stands for."""


async def webhook(request: web.Request) -> web.Response:
    """Take one webhook: 200 once it is stored, 503 for "later", 4xx for what can never be taken."""
    began = time.perf_counter()
    setup, meters = request.app[CONFIGURATION].setup, request.app[METERS]
    source = request[SOURCE] = _source(request, setup.settings)
    security.check_source(request.headers, setup.settings, source)
    body = await read_body(request, setup.settings.limits)
    taken = await accept(Webhook(source, request.headers, body), setup, request.app[STORE], meters)
    meters.answered(source, time.perf_counter() - began)
    return web.Response(body=to_json(taken) + b"\n", content_type="application/json")


def _source(request: web.Request, settings: Settings) -> str:
    """The configured source the URL means. Raises Refused (404), naming those there are."""
    kind, name = request.match_info.get("kind", ALIAS), request.match_info.get("name")
    named = settings.sources.get(name or kind)
    if named is not None and named.kind == kind:
        return name or kind
    of_kind = [known for known, source in settings.sources.items() if source.kind == kind]
    if name is None and len(of_kind) == 1:
        return of_kind[0]
    urls = ", ".join(f"/webhook/{source.kind}/{known}" for known, source in settings.sources.items())
    raise Refused(f"no source is configured for {request.path[:200]}; there is {urls}", status=404, reason="unknown")
