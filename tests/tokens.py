"""Tokens for tests."""

import asyncio
from collections.abc import Mapping

from tests.support import Site

ROOT = "t0p-of-all"


def sent(token: str) -> dict[str, str]:
    """The header that carries it."""
    return {"Authorization": f"Bearer {token}"}


async def create(site: Site, name: str, *scopes: str, by: Mapping[str, str], expires: str | None = None) -> str:
    """Make a token over HTTP."""
    headers = {"Content-Type": "application/json"} | dict(by)
    answer = await site.post("/api/v1/tokens", {"name": name, "scopes": scopes, "expires": expires}, **headers)
    assert answer.status == 201, answer.body
    made: str = answer.json["token"]
    return made


async def expired(site: Site, name: str, *scopes: str, by: Mapping[str, str]) -> str:
    """One that has expired."""
    token = await create(site, name, *scopes, by=by, expires="1ms")
    await asyncio.sleep(0.002)
    return token
