"""What the API can do, for programs (/api/openapi.json) and for people (/api): both made of the table that serves."""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Any

from aiohttp import hdrs, web

from receiver.data import data
from receiver.web import page
from receiver.web.answers import answer
from receiver.web.openapi import document
from receiver.web.table import Asks, Route

_HOST = re.compile(r"[A-Za-z0-9._-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_USUAL = "127.0.0.1:9911"


class Document:
    """Made at the first look, once: it is the same for everybody."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = routes
        self.at = lru_cache(4)(self._at)

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The document."""
        return document(self._routes, version("alertsage"))

    def _at(self, address: str) -> tuple[str, str]:
        """The readable page, its examples asking that address, and the policy that it is shown under."""
        style = (data("templates") / "api.css").read_text()
        digest = b64encode(sha256(style.encode()).digest()).decode()
        return page.render(self.openapi, address, style), f"{_POLICY}; style-src 'sha256-{digest}'"


DOCUMENT = web.AppKey("document", Document)


async def openapi(request: web.Request) -> web.Response:
    """The document as JSON."""
    return answer(request.app[DOCUMENT].openapi)


async def readable(request: web.Request) -> web.Response:
    """The document as a page."""
    text, policy = request.app[DOCUMENT].at(_address(request))
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _address(request: web.Request) -> str:
    """Where the request came to, as the one who asks calls it."""
    host = request.headers.get(hdrs.HOST, "")
    secure = request.secure or request.headers.get(hdrs.X_FORWARDED_PROTO) == "https"
    return f"http{'s' if secure else ''}://{host if _HOST.fullmatch(host) else _USUAL}"


ROUTES = (
    Route("GET", "/api", readable, Asks.READ, "what the API can do, as a page with examples to paste"),
    Route("GET", "/api/openapi.json", openapi, Asks.READ, "the same for programs: OpenAPI 3.1"),
)
