"""Lists over HTTP with ever more alerts stored, and the metrics page with 10,000 of them open."""

import base64
import http.client
import json
import statistics
import time
from urllib.parse import quote

from bench.load import Bodies, drive
from tests.servers import Server

ASKED = 60
"""Requests for each figure."""
OPEN = 10_000


class Client:
    """One keep-alive connection."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]), timeout=120)

    def get(self, path: str) -> bytes:
        """The body of a 200."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:300])
        return body

    def spent(self, path: str, times: int) -> list[float]:
        """Milliseconds of so many requests, one before them left out."""
        self.get(path)
        spent = []
        for _ in range(times):
            began = time.perf_counter()
            self.get(path)
            spent.append((time.perf_counter() - began) * 1000)
        return spent

    def milliseconds(self, path: str) -> float:
        """The median over ASKED requests."""
        return statistics.median(self.spent(path, ASKED))


def fill(server: Server, until: int) -> None:
    """Post new alerts until so many are stored; team=rare is on every twentieth, team=web on the others."""
    port, client = int(server.url.rsplit(":", 1)[1]), Client(server)
    stored = _newest(client)
    bodies = Bodies(200, new=True, run=7, rare=20, first=stored)
    while stored < until:
        drive(port, 4, min(20.0, (until - stored) / 2000 + 0.2), bodies, at_most=-(-(until - stored) // 200))
        stored = _newest(Client(server))


def _newest(client: Client) -> int:
    alerts = json.loads(client.get("/api/v1/alerts?limit=1"))["alerts"]
    return alerts[0]["id"] if alerts else 0


def measure(server: Server, sizes: list[int]) -> None:
    """Print the table."""
    print("| stored | first page | page in the middle | label on 5 % | the same, in the middle | label on 95 % |")
    print("|--:|--:|--:|--:|--:|--:|", flush=True)
    for size in sizes:
        fill(server, size)
        time.sleep(2)
        client = Client(server)
        middle = f"&cursor={_cursor(_newest(client) // 2)}"
        base = "/api/v1/alerts?limit=50"
        rare, common = "&label.team=rare", "&label.team=web"
        paths = (base, base + middle, base + rare, base + rare + middle, base + common + middle)
        figures = [f"{client.milliseconds(path):.2f}" for path in paths]
        print(f"| {size:,} | {' | '.join(figures)} |", flush=True)
        if size <= OPEN:
            fill(server, OPEN)
            client = Client(server)
            print(f"\n`/metrics` with {OPEN:,} open alerts: {client.milliseconds('/metrics'):.2f} ms\n", flush=True)
    print("\nMedian milliseconds over HTTP, 50 alerts a page.", flush=True)


def _cursor(position: int) -> str:
    return quote(base64.urlsafe_b64encode(b"%d" % position).decode().rstrip("="))
