"""A server that the settings name, asked by GET: with credentials, under bounds, every failure one plain sentence."""

import asyncio
import os
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import yarl
from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import from_json

from enrichers.api import Bytes, Context, Problem
from enrichers.live.remembered import Remembered

LONGEST_URL = 8192
"""Characters of an address with its parameters."""
PAUSE = 10.0
"""Seconds in which a server that could not be reached is not asked again: a storm shall not wait for it each time."""
SLOW = 3
"""So many answers in a row that do not come in time are the server's fault rather than that of what was asked."""
USUAL_SIZE = Bytes(2**20)
MOST_REMEMBERED = 1000
MOST_REMEMBERED_BYTES = 32 * 2**20
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_EXCERPT = 120

Params = Sequence[tuple[str, str]]


def web_address(text: str) -> str:
    """The text when it is a plain http or https address of a server, perhaps with a path. Raises ValueError."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address that begins with http:// or https:// and names a server")
    if "@" in parts.netloc:
        raise ValueError("must not hold a name or password; write them as username and password")
    if not text.isascii() or not text.isprintable() or set(text) & set(" \"'<>\\`|^"):
        raise ValueError("holds a character that addresses do not have; write it as % and two digits")
    return text


def _header(name: str) -> str:
    if not name or set(name) - _TOKEN:
        raise ValueError("is not the name of a header, e.g. X-Scope-OrgID")
    return name


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be on one line, without control characters")
    return text


def _some_time(length: timedelta) -> timedelta:
    if not length:
        raise ValueError("must be longer than 0s")
    return length


Headers = dict[Annotated[str, AfterValidator(_header)], Annotated[str, AfterValidator(_one_line)]]
Some = Annotated[timedelta, AfterValidator(_some_time)]
AnswerSize = Annotated[Bytes, Field(ge=1, le=8 * 2**20)]


@dataclass(kw_only=True)
class Service:
    """What all enrichers that ask a server have as settings. Raises Problem for those that do not fit together.

    `token`: sent as `Authorization: Bearer TOKEN`, or as `token_header` says: `X-Api-Key`, `Authorization: ApiKey`.
    `username`, `password`: HTTP basic authentication. `headers`: sent as they are. `patience`: how long an answer may
    take. `remember`: how long it is used for alerts that ask the same. `answer_size`: more than that is not read.
    """

    token: SecretStr | None = None
    token_header: str = "Authorization: Bearer"  # noqa: S105 - where it goes
    username: str | None = None
    password: SecretStr | None = None
    headers: Headers = field(default_factory=dict)
    patience: Some = timedelta(seconds=5)
    remember: timedelta = timedelta(seconds=30)
    answer_size: AnswerSize = USUAL_SIZE

    def __post_init__(self) -> None:
        self._sent = self._credentials() | self.headers | {"Accept-Encoding": "identity"}
        self._remembered = Remembered(self.remember.total_seconds(), MOST_REMEMBERED, MOST_REMEMBERED_BYTES)
        self._away: dict[str, tuple[float, str]] = {}
        self._slow: Counter[str] = Counter()

    async def ask(self, context: Context, address: str, params: Params = ()) -> bytes:
        """The body of the answer, from the server or remembered.

        Raises Problem when there is none in time, when it is too large, and for any status but 2xx; redirects are never
        followed.
        """
        url = with_params(address, params)
        where = shown(address)
        if len(url) > LONGEST_URL:
            raise Problem(f"the address to ask at {where} has more than {LONGEST_URL} characters")
        assert context.http is not None, "an async enricher has a session"  # noqa: S101
        get = partial(self._get, context.http, url, where)
        return await self._remembered.get(url, get)

    async def _get(self, http: aiohttp.ClientSession, url: str, where: str) -> bytes:
        origin = str(yarl.URL(url, encoded=True).origin())
        until, why = self._away.get(origin, (0.0, ""))
        if time.monotonic() < until:
            raise Problem(f"{why}; not asked again for {PAUSE:g} s")
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                body = await self._read(http, url, where)
        except TimeoutError:
            self._slow[origin] += 1
            why = f"{where} did not answer within {self.patience.total_seconds():g} s"
        except aiohttp.ClientConnectionError as error:
            self._slow[origin] = SLOW
            why = f"{where} {_unreachable(error)}"
        except Problem:
            self._slow[origin] = 0
            raise
        except (aiohttp.ClientError, ValueError) as error:
            raise Problem(f"{where} {_broken(error)}") from None
        else:
            self._slow[origin] = 0
            return body
        if self._slow[origin] >= SLOW:
            self._away[origin], self._slow[origin] = (time.monotonic() + PAUSE, why), 0
        raise Problem(why)

    async def _read(self, http: aiohttp.ClientSession, url: str, where: str) -> bytes:
        # Not unpacked: a small packed answer can be a huge one.
        async with http.get(
            yarl.URL(url, encoded=True), headers=self._sent, allow_redirects=False, auto_decompress=False
        ) as answer:
            if 300 <= answer.status < 400:
                raise Problem(
                    f"{where} answered {_status(answer.status)}; redirects are not followed: write its final address"
                )
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Problem(f"{where} answered packed ({answer.headers['Content-Encoding'][:40]!r}), unasked")
            body = bytearray()
            async for part in answer.content.iter_any():
                body += part
                if len(body) > self.answer_size:
                    raise Problem(f"{where} answered more than {self.answer_size} bytes (answer_size)")
            if not 200 <= answer.status < 300:
                said = self.refusal(bytes(body))
                raise Problem(f"{where} answered {_status(answer.status)}{_hint(answer.status)}{said and ': '}{said}")
            return bytes(body)

    def refusal(self, body: bytes) -> str:
        """What the body of an answer with an error says, for people; "" for nothing."""
        return excerpt(body)

    def _credentials(self) -> dict[str, str]:
        if (self.username is None) != (self.password is None):
            raise Problem("username and password come together; set both, or neither")
        if self.password is not None:
            if self.token is not None:
                raise Problem("token and password are two ways to say the same; keep one of them")
            return {"Authorization": aiohttp.encode_basic_auth(self.username or "", self._secret("password"))}
        name, _, scheme = self.token_header.partition(":")
        if not name or set(name) - _TOKEN or not scheme.isprintable():
            raise Problem("token_header must be a header's name, perhaps with a word: Authorization: Bearer")
        if self.token is None:
            return {}
        return {name: f"{scheme.strip()} {self._secret('token')}".strip()}

    def _secret(self, name: str) -> str:
        secret: str = getattr(self, name).get_secret_value()
        if not secret.strip() or not secret.isprintable():
            raise Problem(f"{name} is empty or holds a control character")
        return secret


def with_params(address: str, params: Params) -> str:
    """The address with these parameters behind it, encoded."""
    if not params:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode(params)}"


def shown(address: str) -> str:
    """The address as it may be told to people: without its parameters, among which there may be keys."""
    return address.partition("?")[0][:300]


def document(body: bytes, where: str) -> Any:
    """The body as JSON. Raises Problem for anything else."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError:
        try:
            body.decode()
        except UnicodeDecodeError as error:
            raise Problem(f"{where} answered what is not UTF-8 text (byte {error.start})") from None
        raise Problem(
            f"{where} answered {f'what is not JSON: {excerpt(body)}' if body.strip() else 'nothing'}"
        ) from None


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _hint(status: int) -> str:
    return ", its credentials are not accepted" if status in (401, 403) else ""


def excerpt(body: bytes, most: int = _EXCERPT) -> str:
    """The beginning of the body on one line, whole words if it can be: of a part of a secret nobody sees what it is."""
    text = " ".join(body[: 4 * most].decode(errors="replace").split())
    text = "".join(character for character in text if character.isprintable())
    if len(text) <= most:
        return text
    return f"{text[: most + 1].rpartition(' ')[0] or text[:most]}…"


def _unreachable(error: aiohttp.ClientConnectionError) -> str:
    """Why there is no connection, without the address that the error's own words hold."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"has a certificate that is not trusted: {str(error.certificate_error)[:200]}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "closed the connection without an answer"
    inner = getattr(error, "os_error", error)
    number = getattr(inner, "errno", None)
    if isinstance(number, int) and number > 0 and not isinstance(inner, ssl.SSLError):
        return f"cannot be reached: {os.strerror(number)}"
    return f"cannot be reached: {str(getattr(inner, 'strerror', None) or type(error).__name__)[:200]}"


def _broken(error: Exception) -> str:
    """What is wrong with an answer that is not of HTTP's form."""
    if isinstance(error, aiohttp.ClientPayloadError):
        return "ended in the middle of its answer"
    words = str(getattr(error, "message", "") or type(error).__name__).splitlines()[0]
    return f"did not answer as HTTP says: {words[:200].rstrip(':')}"
