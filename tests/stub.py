"""A web service that cannot run here: it answers as a test tells it to, and remembers what it was asked."""

import http.server
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Reply:
    """One answer."""

    body: bytes | str = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    wait: float = 0
    """Seconds before it."""
    endless: bool = False
    """The body again and again, as long as somebody reads."""
    length: int | None = None
    """What Content-Length says, unless that is the truth."""


@dataclass
class Request:
    """One request as it came."""

    path: str
    """Raw, with its parameters."""
    headers: Mapping[str, str]

    @property
    def params(self) -> dict[str, str]:
        """What stands behind the ?."""
        return dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))


@dataclass
class Stub:
    """A running service. `replies` by raw path without parameters; `*` for all others."""

    url: str
    replies: dict[str, Reply] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """What was asked, without parameters."""
        return [urlsplit(one.path).path for one in self.asked]


@contextmanager
def stub(**replies: Reply) -> Iterator[Stub]:
    """A service on loopback with these answers (`any` for all paths)."""
    service = Stub("", {"*" if name == "any" else f"/{name}": reply for name, reply in replies.items()})

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer as told."""
            service.asked.append(Request(self.path, dict(self.headers)))
            known = service.replies
            reply = known.get(self.path.partition("?")[0]) or known.get("*") or Reply("there is no such page", 404)
            time.sleep(reply.wait)
            body = reply.body.encode() if isinstance(reply.body, str) else reply.body
            with suppress(OSError):  # whoever asked has gone
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if not reply.endless:
                    self.send_header("Content-Length", str(len(body) if reply.length is None else reply.length))
                self.end_headers()
                self.wfile.write(body)
                while reply.endless:
                    self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.socket.close()
        thread.join()
