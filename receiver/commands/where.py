"""Which server a command talks to, and with which token."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from receiver.commands.options import Place
from receiver.commands.outcome import Code, Failed
from receiver.commands.surroundings import client_file, own_token
from receiver.errors import Mistake, Mistakes
from receiver.secretfile import read_secret

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on, and where it is reached from here
KEYS = ("url", "token", "token_file", "who")
LARGEST = 65_536


@dataclass(frozen=True, slots=True)
class Found:
    """A server to talk to."""

    url: str
    token: str | None


def find(place: Place) -> Found:
    """The server's address and the token for it.

    The address is that of the command line or of ALERTSAGE_URL, else of client.yaml, else where the configuration
    listens. The token is that of the command line's file, of ALERTSAGE_TOKEN or of ALERTSAGE_TOKEN_FILE; without one,
    that which stands beside the address in client.yaml or in the configuration, which goes to nobody else.
    Raises Failed or Mistakes.
    """
    url, own = _address(place)
    token: str | None
    if place.token_file is not None:
        token = _token(str(place.token_file), Path(), "--token-file")
    else:
        token = own_token() or own
    if token is not None and not (token.isascii() and token.isprintable()):
        raise Failed(Code.MISUSE, "the token: holds characters that no header can: is it the right file?")
    return Found(url, token)


def client() -> dict[str, str]:
    """What client.yaml says; empty when there is none. Raises Mistakes."""
    file = client_file()
    try:
        with file.open(encoding="utf-8") as opened:
            if stat.S_IMODE(os.fstat(opened.fileno()).st_mode) & 0o066:
                raise _wrong(file, f"can be read or written by others; use `chmod 600 {file}`")
            text = opened.read(LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise _wrong(file, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _wrong(file, "is not UTF-8 text") from None
    return _settings(text, file)


def _address(place: Place) -> tuple[str, str | None]:
    """Where the server is, and the token that stands there."""
    if place.server is not None:
        url = _checked(place.server, "--server")
        told = {} if place.token_file or own_token() else client()
        return url, _own(told) if told.get("url", "").rstrip("/") == url else None
    told = {} if place.own else client()
    if "url" in told:
        return _checked(told["url"], f"{client_file()}: url"), _own(told)
    from receiver.settings import load

    settings = load(place.config).server
    host = ANY.get(settings.listen.host, settings.listen.host)
    shown = f"[{host}]" if ":" in host else host
    token = None if settings.token is None else settings.token.get_secret_value()
    return _checked(f"http://{shown}:{settings.listen.port}", "server.listen"), token


def _own(told: dict[str, str]) -> str | None:
    if "token_file" in told:
        return _token(told["token_file"], client_file().parent, f"{client_file()}: token_file")
    return told.get("token")


def _token(file: str, folder: Path, where: str) -> str:
    try:
        return read_secret(file, folder).strip()
    except ValueError as error:
        raise Failed(Code.MISUSE, f"{where}: {error}") from None


def _settings(text: str, file: Path) -> dict[str, str]:
    from receiver.yamlfile import parse

    document = parse(text, str(file))
    data: Any = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise _wrong(file, f"must hold `name: value` lines; there is {', '.join(KEYS)}")
    for name, value in data.items():
        if name not in KEYS:
            sentence = f"is not a setting; there is {', '.join(KEYS)}"
        elif not isinstance(value, str) or not value.strip():
            sentence = "must be a text"
        elif name == "token_file" and "token" in data:
            sentence = 'is given beside "token"; keep one of them'
        else:
            continue
        raise Mistakes([Mistake(str(file), document.line((name,)), str(name)[:80], sentence)])
    return {name: value.strip() for name, value in data.items()}


def _checked(server: str, where: str) -> str:
    try:
        parts = urlsplit(server)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        (parts.hostname or "").encode("idna")
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or not server.isprintable() or " " in server:
        sentence = f'"{server[:200]}" is not the address of a server, e.g. http://127.0.0.1:9911'
        raise Failed(Code.MISUSE, f"{where}: {sentence}")
    return server.rstrip("/")


def _wrong(file: Path, sentence: str) -> Mistakes:
    return Mistakes([Mistake(str(file), 0, "", sentence)])
