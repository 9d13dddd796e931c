"""A load generator: closed loop, keep-alive, raw sockets on one epoll loop, so that it is not the bottleneck."""

import json
import math
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Result:
    """One run: webhooks a second, the 99th percentile and the longest wait in milliseconds, answers other than 2xx."""

    rate: float
    p99: float
    failed: int
    longest: float
    answered: int


class Bodies:
    """Alertmanager webhooks with `alerts` alerts each: `new` fingerprints every time, or 1000 that repeat.

    Every `rare`-th alert has another label `team` than the others, if that is not 0.
    """

    def __init__(self, alerts: int, new: bool, run: int, rare: int = 0, first: int = 0) -> None:
        self._alerts = alerts
        self._new = new
        self._run = run
        self._rare = rare
        self._serial = count(first)
        self._template = json.dumps(_alert("@HOST@", "@FINGER@"))

    def __call__(self) -> bytes:
        """The next body."""
        alerts = ",".join([self._one(next(self._serial)) for _ in range(self._alerts)])
        return (
            '{"version":"4","groupKey":"{}:{alertname=\\"HostHighCpu\\"}","truncatedAlerts":0,"status":"firing",'
            '"receiver":"alertsage","groupLabels":{"alertname":"HostHighCpu"},"commonLabels":{},"commonAnnotations":{},'
            f'"externalURL":"http://alertmanager.example.org","alerts":[{alerts}]}}'
        ).encode()

    def _one(self, serial: int) -> str:
        number = serial if self._new else serial % 1000
        host = f"web-{self._run if self._new else 0}-{number}"
        team = "rare" if self._rare and number % self._rare == 0 else "web"
        return (
            self._template.replace("@TEAM@", team)
            .replace("@HOST@", host)
            .replace("@FINGER@", f"{hash(host) & (2**64 - 1):016x}")
        )


def _alert(host: str, fingerprint: str) -> dict[str, object]:
    return {
        "status": "firing",
        "labels": {
            "alertname": "HostHighCpu",
            "cluster": "prod-eu1",
            "instance": f"{host}.example.org:9100",
            "job": "node",
            "namespace": "shop",
            "severity": "warning",
            "team": "@TEAM@",
        },
        "annotations": {
            "summary": f"CPU of {host} is high",
            "description": "CPU is at 92% for more than ten minutes.",
            "runbook_url": "https://runbooks.example.org/HostHighCpu",
        },
        "startsAt": "2026-11-23T06:40:41.347Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=node_cpu_busy_percent+%3E+80&g0.tab=1",
        "fingerprint": fingerprint,
    }


ADDRESS = "POST /webhook/alertmanager HTTP/1.1\r\n"


def drive(
    port: int,
    connections: int,
    seconds: float,
    body: Callable[[], bytes],
    head: str = ADDRESS,
    at_most: float = math.inf,
    rate: float = math.inf,
) -> Result:
    """Keep `connections` webhooks in flight for so many seconds, or until so many were answered; `rate` a second.

    `head` is the request line, and headers if need be.
    """
    selector = selectors.DefaultSelector()
    started: dict[socket.socket, float] = {}
    buffers: dict[socket.socket, bytes] = {}
    waits: list[float] = []
    failed = 0
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        _send(connection, body, head, started, buffers)
    began = time.perf_counter()
    until = began + seconds
    while time.perf_counter() < until and len(waits) < at_most:
        ahead = len(waits) / rate - (time.perf_counter() - began)
        if ahead > 0:
            time.sleep(ahead)
        for key, _ in selector.select(0.2):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            buffers[connection] += connection.recv(65536)
            if not _complete(buffers[connection]):
                continue
            waits.append(time.perf_counter() - started[connection])
            failed += not buffers[connection].startswith(b"HTTP/1.1 20")
            _send(connection, body, head, started, buffers)
    spent = time.perf_counter() - began
    for connection in started:
        connection.close()
    waits.sort()
    p99, longest = (waits[int(len(waits) * 0.99)], waits[-1]) if waits else (float("nan"), float("nan"))
    return Result(len(waits) / spent, p99 * 1000, failed, longest * 1000, len(waits))


def _send(
    connection: socket.socket,
    body: Callable[[], bytes],
    head: str,
    started: dict[socket.socket, float],
    buffers: dict[socket.socket, bytes],
) -> None:
    content = body()
    common = f"Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    buffers[connection] = b""
    started[connection] = time.perf_counter()
    connection.sendall((head + common).encode() + content)


def _complete(answer: bytes) -> bool:
    head, separator, rest = answer.partition(b"\r\n\r\n")
    if not separator:
        return False
    length = next(
        (line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"content-length: 0"
    )
    return len(rest) >= int(length.split(b":")[1])
