"""No token is found anywhere: in no log at any level, no answer but that which made it, no metric, not on the disk."""

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from receiver.web.routes import ROUTES
from receiver.web.table import Asks
from tests import engines
from tests.engines import address
from tests.servers import Server, ask, firing, running, webhook
from tests.tokens import ROOT, sent

SOURCES = "sources: {alertmanager: {auth: {bearer: own-canary-1}}, grafana: {kind: grafana}}"


def raw(server: Server, request: bytes) -> bytes:
    """The answer to these very bytes."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), 10) as connection:
        connection.settimeout(10)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        told = b""
        while part := connection.recv(65536):
            told += part
    return told


def broken(token: str) -> list[bytes]:
    """Requests that are none, with a token in them."""
    good = f"GET /api/v1/alerts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {token}"
    return [
        f"{good}\x00\r\n\r\n".encode(),
        f"{good}\r\n{token}\r\n\r\n".encode(),
        f"{good}\r\n{token} : x\r\n\r\n".encode(),
        f"{good}\r\nContent-Length: {token}\r\n\r\n".encode(),
        f"{good}{token * 200}\r\n\r\n".encode(),
        f"GET /{token} HTTP/{token}\r\n\r\n".encode(),
        f"{token} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(),
        f"POST /api/v1/tokens HTTP/1.1\r\nHost: {token}\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{{}}".encode(),
        f"GET http://[{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode(),
    ]


def asked(server: Server, token: str) -> list[object]:
    """What all routes answer to a token in the right place, and in wrong ones."""
    told: list[object] = []
    for route in ROUTES:
        path = re.sub(r"\{(\w+)\}", lambda blank: "1" if blank[1] == "id" else "alertmanager", route.path)
        wrong = re.sub(r"\{\w+\}", token, route.path)
        for address_, headers in (
            (path, sent(token)),
            (f"{path}?token={token}", {}),
            (f"{path}?{token}=1", sent(token)),
            (wrong, sent(token)),
            (f"{wrong}/{token}", {"X-Token": token, "Host": token}),
            (path, sent(token) | {"Content-Type": token, "Origin": token, "Content-Encoding": token}),
        ):
            method = f" {route.method}"
            body = b"{}" if route.method in ("POST", "PUT") else None
            told.append((method, *ask(server.url + address_, body, headers)))
    return told


@pytest.mark.parametrize(("level", "form"), [("debug", "console"), ("debug", "json"), ("error", "console")])
def test_tokens_are_found_nowhere(tmp_path: Path, level: str, form: str) -> None:
    config = f"server: {{token: {ROOT}}}\nlog: {{level: {level}, format: {form}}}\n{SOURCES}"
    with running(tmp_path, config) as server:
        canaries = []
        for name in ("admin", "read", "intake", "gone"):
            form_ = {"name": name, "scopes": ["admin" if name == "gone" else name]}
            status, made = ask(f"{server.url}/api/v1/tokens", json.dumps(form_).encode(), sent(ROOT))
            assert status == 201
            canaries.append(made["token"])
        admin, _, intake, gone = canaries
        # as a sender might quote it
        quoted = {"summary": f"curl -H 'Authorization: Bearer {admin}'", "x": f"used {gone} at 12", "y": intake}
        status, _ = ask(
            f"{server.url}/webhook/alertmanager",
            json.dumps(webhook(firing("A", annotations=quoted))).encode(),
            sent(intake),
        )
        assert status == 200
        told = [answer for token in canaries for answer in asked(server, token)]
        assert any(answer[1] == 200 for answer in told)  # type: ignore[index]
        told += [raw(server, request) for token in (*canaries, ROOT, "own-canary-1") for request in broken(token)]
        url = address(tmp_path)
        engines.ask(url, "DROP TABLE quarantine")
        told.append(ask(f"{server.url}/api/v1/quarantine?limit=7", None, sent(admin)))
        assert told[-1][0] == 500  # type: ignore[index]
        told.append(ask(f"{server.url}/metrics", None, sent(admin)))
        told.append(ask(f"{server.url}/api/v1/alerts/1", None, sent(admin)))
        assert "[redacted]" in str(told[-1])
        told.append(ask(f"{server.url}/api/v1/tokens", None, sent(admin)))
        if engines.Current.name == engines.POSTGRES:
            told.append(engines.everything(url))
        server.stop()
    found = "\n".join(map(str, told)) + server.log.read_text()
    found += "".join(
        file.read_bytes().decode("latin-1")
        for file in tmp_path.rglob("*")
        if file.is_file() and file.name != "config.yaml"
    )
    assert "Traceback" in server.log.read_text() or level == "error" or form == "json"
    for canary in (*canaries, ROOT, "own-canary-1"):
        body = canary.removeprefix("asg_")
        for part in (body, body.upper(), body[:20], body[-20:]):
            assert part not in found, found[max(0, found.index(part) - 300) : found.index(part) + 100]
    assert len([route for route in ROUTES if route.asks is not Asks.NOTHING]) * len(canaries) <= len(told)
