"""Acts of people over HTTP with very many alerts open, and how long webhooks wait meanwhile."""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Mapping
from typing import Any

from bench.lists import Client, fill
from bench.load import Bodies
from tests.servers import Server

ASKED = 100
"""Single acts for each figure."""
ROUNDS = 3
BULKS = (1_000, 10_000)
RARE = {"query": "label.team=rare"}
"""One alert in twenty."""
Act = tuple[str, dict[str, Any]]
"""The end of its address, and its body."""


class Poster:
    """One keep-alive connection that posts."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", int(server.url.rsplit(":", 1)[1]), timeout=120)

    def post(self, path: str, body: bytes | Mapping[str, Any]) -> tuple[float, Any]:
        """Milliseconds, and what was answered; it must be a 200."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        began = time.perf_counter()
        self._connection.request("POST", path, sent, {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        told = answer.read()
        spent = (time.perf_counter() - began) * 1000
        assert answer.status == 200, (path, answer.status, told[:300])
        return spent, json.loads(told)


class Webhooks(threading.Thread):
    """Posts repeats of ten alerts, one webhook after the other, and keeps how long each took."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._poster = Poster(server)
        self._bodies = Bodies(10, new=False, run=7)
        self._stopping = threading.Event()
        self.spent: list[float] = []

    def run(self) -> None:
        """Until stopped."""
        while not self._stopping.is_set():
            self.spent.append(self._poster.post("/webhook", self._bodies())[0])
            time.sleep(0.005)

    def stop(self) -> list[float]:
        """The milliseconds of each, in order."""
        self._stopping.set()
        self.join()
        return self.spent


def measure(server: Server, stored: int) -> None:
    """Print the table."""
    fill(server, stored)
    time.sleep(2)
    ids, poster = _newest(server, max(BULKS)), Poster(server)
    print(f"Acts with {stored:,} alerts open\n")
    print("| act | median, ms | slowest, ms | a webhook waits at most, ms |")
    print("|---|--:|--:|--:|")
    _row(server, poster, "acknowledge one", [(f"{one}/acknowledge", {}) for one in ids[-ASKED:]])
    for many in BULKS:
        for action in ("acknowledge", "resolve", "reopen"):
            part = [ids[start : start + many] for start in range(0, len(ids), many)][:ROUNDS]
            acts: list[Act] = [("bulk", {"action": action, "ids": chosen}) for chosen in part]
            _row(server, poster, f"{action} {many:,}, by their ids", acts)
    _row(server, poster, "assign 5,000, by a search", [("bulk", {"action": "assign", "assignee": "a", **RARE})])


def _newest(server: Server, many: int) -> list[int]:
    client, ids, cursor = Client(server), list[int](), ""
    while len(ids) < many:
        page = json.loads(client.get(f"/api/v1/alerts?limit=500{cursor}"))
        ids += [one["id"] for one in page["alerts"]]
        cursor = f"&cursor={page['next']}"
    return ids[:many]


def _row(server: Server, poster: Poster, what: str, acts: list[Act]) -> None:
    webhooks = Webhooks(server)
    webhooks.start()
    spent = [poster.post(f"/api/v1/alerts/{path}", body)[0] for path, body in acts]
    waited = webhooks.stop()
    print(f"| {what} | {statistics.median(spent):.1f} | {max(spent):.1f} | {max(waited):.1f} |", flush=True)
