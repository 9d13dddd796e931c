"""Talking to a running server over HTTP: one request a connection, every trouble as one sentence and an exit code."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from receiver.commands.outcome import Code, Failed
from receiver.commands.where import Found

SECONDS = 35.0
"""A little more than the server itself takes before it gives up."""
CONNECT_SECONDS = 5.0
LARGEST = 32 * 2**20
PAGE = 200
_CODES = {401: Code.FORBIDDEN, 403: Code.FORBIDDEN, 404: Code.NOTHING, 409: Code.NOTHING}


class Remote:
    """A running alertsage. Every method raises Failed when there is no such answer."""

    def __init__(self, found: Found) -> None:
        self.url, self._token = found.url, found.token
        self.more = False
        """Whether there are further ones behind the last list."""
        self.now = time.time()
        """The server's clock at its last answer, in seconds since the epoch."""

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The JSON that is there. Parameters that are None are left out, a tuple is several of them."""
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        return self.ask("GET", path + (f"?{urlencode(asked, doseq=True, quote_via=quote)}" if asked else ""))

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the server answers to that JSON."""
        told: dict[str, Any] | None = self.ask("POST", path, body)
        if told is None:
            raise stranger(self.url)
        return told

    def each(self, path: str, plural: str, query: Mapping[str, Any], most: int | None) -> Iterator[dict[str, Any]]:
        """The items of a list, page by page, at most so many; with None all of them. Sets `more`."""
        self.more, cursor, left = False, None, most
        while True:
            told = self.get(path, {**query, "limit": PAGE if left is None else min(PAGE, left), "cursor": cursor})
            found = listed(told, plural, self.url)
            yield from found
            cursor = told.get("next")
            left = None if left is None else left - len(found)
            if not cursor or left == 0:
                self.more = bool(cursor)
                return

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of a good answer; None when it has no body."""
        status, read = self._exchange(method, path, None if body is None else json.dumps(body).encode())
        told = _decoded(read)
        if 200 <= status < 300 and (isinstance(told, dict) or not read):
            return told
        if status == 401:
            raise self._failed(
                Code.FORBIDDEN,
                "the token is missing or wrong: give it by --token-file FILE, ALERTSAGE_TOKEN or client.yaml",
            )
        if isinstance(told, dict) and isinstance(told.get("detail"), str) and told.get("status") == status:
            code = _CODES.get(status, Code.AWAY if status >= 500 or status == 429 else Code.MISUSE)
            raise self._failed(code, told["detail"])
        raise self._failed(Code.AWAY, f"answered {status} and not as alertsage does: is this its address?")

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        connection = self._connected()
        headers = {"Accept": "application/json"} | ({} if body is None else {"Content-Type": "application/json"})
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            connection.request(method, urlsplit(self.url).path + path, body, headers)
            answer = connection.getresponse()
            self._look_at_its_clock(answer)
            return answer.status, self._body(answer)
        except TimeoutError:
            raise self._failed(Code.AWAY, f"did not answer within {SECONDS:g} s{_open_end(method)}") from None
        except OSError as error:
            why = f"broke the connection off ({_why(error)}) before it had answered{_open_end(method)}"
            raise self._failed(Code.AWAY, why) from None
        except HTTPException as error:
            raise self._failed(Code.AWAY, f"does not answer as alertsage does ({type(error).__name__})") from None
        finally:
            connection.close()

    def _connected(self) -> HTTPConnection:
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(str(parts.hostname), parts.port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except OSError as error:
            sentence = f"cannot be reached ({_why(error)}): is alertsage running there? --server names another"
            raise self._failed(Code.AWAY, sentence) from None
        connection.sock.settimeout(SECONDS)
        return connection

    def _body(self, answer: HTTPResponse) -> bytes:
        read, until = bytearray(), time.monotonic() + SECONDS
        while chunk := answer.read1(2**16):
            read += chunk
            if len(read) > LARGEST:
                raise self._failed(Code.AWAY, f"answered with more than {LARGEST // 2**20} MiB")
            if time.monotonic() > until:
                raise TimeoutError
        if answer.length:
            raise IncompleteRead(bytes(read[:80]), answer.length)
        return bytes(read)

    def _look_at_its_clock(self, answer: HTTPResponse) -> None:
        try:
            self.now = parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
        except (ValueError, TypeError, OverflowError):
            self.now = time.time()

    def _failed(self, code: Code, sentence: str) -> Failed:
        return Failed(code, f"{self.url}: {sentence}")


def listed(told: Any, plural: str, url: str) -> list[dict[str, Any]]:
    """The objects that an answer lists under that name. Raises Failed when it has no such list."""
    found = told.get(plural) if isinstance(told, dict) else None
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise stranger(url)
    return found


def stranger(url: str) -> Failed:
    """The answer has another form than it must."""
    return Failed(
        Code.AWAY, f"{url}: answered with something else than was asked for: is it alertsage, and of this version?"
    )


def _decoded(body: bytes) -> Any:
    try:
        told = json.loads(body)
        json.dumps(told, ensure_ascii=False).encode()  # no lone surrogates, which cannot be printed
    except (ValueError, RecursionError):
        return None
    return told


def _why(error: OSError) -> str:
    number = error.errno or 0  # negative for names that cannot be resolved
    return os.strerror(number) if number > 0 else str(error.strerror or error or type(error).__name__)


def _open_end(method: str) -> str:
    return "" if method == "GET" else "; whether it was done all the same is not known"
