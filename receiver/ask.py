"""`alertsage explain --alert`: an alert as a running server knows it, its history included."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import click
from jinja2 import TemplateError

from receiver.errors import Mistake, Mistakes
from receiver.explain import printer
from receiver.settings import load, own_token, read_secret

SECONDS = 35.0
"""A little more than the server itself takes before it gives up."""
LARGEST = 32 * 2**20
ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and where it is reached from here


def ask(number: int, server: str | None, token_file: Path | None, config: Path | None, *, as_json: bool) -> None:
    """Print the alert of that number as the server tells it.

    The server is the one named, else that of the configuration; the token is that of the file, else of
    ALERTSAGE_TOKEN, else, for its own server only, that of the configuration. Raises Mistakes, one sentence, when
    there is no such answer.
    """
    url, token = _where(server, token_file, config)
    alert = asyncio.run(_alert(url, token, number))
    try:
        shown = printer(as_json)(alert)
    except (TemplateError, TypeError, ValueError, AttributeError, KeyError):
        raise _wrong(url, "answered with something that is no alert: is it alertsage, and of this version?") from None
    click.echo(shown)


def _where(server: str | None, token_file: Path | None, config: Path | None) -> tuple[str, str | None]:
    """The server's address and the token. The configuration's own token goes to nobody but its own server."""
    token = own_token()
    if token_file is not None:
        try:
            token = read_secret(str(token_file), Path()).get_secret_value().strip()
        except ValueError as error:
            raise Mistakes([Mistake("--token-file", 0, "", str(error))]) from None
    if server is not None:
        return _checked(server), _sendable(token)
    settings = load(config).server
    listen = settings.listen
    host = ANY.get(listen.host, listen.host)
    server = f"http://[{host}]:{listen.port}" if ":" in host else f"http://{host}:{listen.port}"
    if token is None and settings.token is not None:
        token = settings.token.get_secret_value()
    return _checked(server), _sendable(token)


def _checked(server: str) -> str:
    try:
        parts = urlsplit(server)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or not server.isprintable() or " " in server:
        raise _wrong("--server", f'"{server[:200]}" is not the address of a server, e.g. http://127.0.0.1:9911')
    return server.rstrip("/")


def _sendable(token: str | None) -> str | None:
    if token is not None and not (token.isascii() and token.isprintable()):
        raise _wrong("the token", "holds characters that no header can: is it the right file?")
    return token


async def _alert(url: str, token: str | None, alert_id: int) -> dict[str, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    limit = aiohttp.ClientTimeout(total=SECONDS, connect=5)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, headers=headers) as session,
            session.get(f"{url}/api/v1/alerts/{alert_id}", allow_redirects=False) as answer,
        ):
            body = await _body(url, answer)
            return _read(url, answer.status, body)
    except aiohttp.ClientConnectorError as error:
        number = error.os_error.errno or 0  # negative for names that cannot be resolved
        why = os.strerror(number) if number > 0 else error.os_error.strerror
        raise _wrong(url, f"cannot be reached ({why}): is alertsage running there? --server names another") from None
    except TimeoutError:
        raise _wrong(url, f"did not answer within {SECONDS:g} s") from None
    except aiohttp.ClientError as error:
        raise _wrong(url, f"does not answer as alertsage does ({type(error).__name__})") from None


async def _body(url: str, answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in answer.content.iter_chunked(2**16):
        read += chunk
        if len(read) > LARGEST:
            raise _wrong(url, f"answered with more than {LARGEST // 2**20} MiB")
    return bytes(read)


def _read(url: str, status: int, body: bytes) -> dict[str, Any]:
    """The alert in a 200. Raises Mistakes with what the server says otherwise."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if status == 200 and isinstance(told, dict) and "id" in told:
        return told
    if status == 401:
        raise _wrong(
            url, "the token is missing or wrong: give it by --token-file FILE, ALERTSAGE_TOKEN or server.token"
        )
    if isinstance(told, dict) and isinstance(told.get("detail"), str) and told.get("status") == status:
        raise _wrong(url, told["detail"])
    raise _wrong(url, f"answered {status} and not as alertsage does: is this its address?")


def _wrong(where: str, sentence: str) -> Mistakes:
    shown = "".join(c if c.isprintable() else " " for c in sentence[:500])
    return Mistakes([Mistake(where, 0, "", shown)])
