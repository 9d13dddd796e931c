"""The real application in the test's own loop, on a real database file and a real port."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from receiver.app import SWITCH_SECONDS, build_app, make_runner
from receiver.settings import load
from tests.engines import address


@dataclass(frozen=True)
class Answer:
    """One answer: its status, its headers, and its body as sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """A served application."""

    port: int
    app: web.Application
    client: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request; redirects are not followed."""
        url, data = f"http://127.0.0.1:{self.port}{path}", None if body is None else BytesIO(body)
        async with self.client.request(method, url, data=data, headers=headers, allow_redirects=False) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, body: Any, **headers: str) -> Answer:
        """POST bytes as they are, anything else as JSON."""
        return await self.ask("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)


@asynccontextmanager
async def serving(folder: Path, config: str = "") -> AsyncIterator[Site]:
    """The application with that config.yaml in that folder, ready to take webhooks."""
    path = folder / "config.yaml"
    path.write_text(config)
    app = build_app(partial(load, path, {"ALERTSAGE__DATABASE__URL": address(folder)}))
    runner = make_runner(app)
    await runner.setup()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)  # as `serve` does
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        async with aiohttp.ClientSession() as client:
            served = Site(site.port, app, client)
            async with asyncio.timeout(10):
                while (await served.get("/readyz")).status != 200:
                    await asyncio.sleep(0.01)
            yield served
    finally:
        sys.setswitchinterval(usual)
        await runner.cleanup()
