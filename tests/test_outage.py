"""The store away: only 503, never 500, back by itself within two seconds, nothing acknowledged lost.

The lock is held for ALERTSAGE_OUTAGE_SECONDS (8; a full minute in `make outage`).
"""

import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import engines
from tests.monitoring import eventually
from tests.servers import Server, firing, running, webhook

SECONDS = float(os.environ.get("ALERTSAGE_OUTAGE_SECONDS", "8"))


class Posting(threading.Thread):
    """Posts one new alert after the other and remembers the answers."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__()
        self._server = server
        self._name = name
        self._stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.statuses: set[int] = set()
        self.slowest = 0.0

    def run(self) -> None:
        """Until stopped."""
        serial = 0
        while not self._stopping.is_set():
            serial += 1
            host = f"{self._name}-{serial}"
            began = time.monotonic()
            status, _ = self._server.post("/webhook", webhook(firing("Outage", host=host)))
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.statuses.add(status)
            if status == 200:
                self.acknowledged.append(host)
            time.sleep(0.01)

    def stop(self) -> None:
        """After the request under way."""
        self._stopping.set()
        self.join()


@contextmanager
def posting(server: Server) -> Iterator[list[Posting]]:
    """Four of them."""
    senders = [Posting(server, f"s{number}") for number in range(4)]
    for sender in senders:
        sender.start()
    try:
        yield senders
    finally:
        for sender in senders:
            sender.stop()


@contextmanager
def full(database: Path, process: int) -> Iterator[None]:
    """No file of that process may grow: what a full disk is to it."""
    largest = max(file.stat().st_size for file in database.parent.glob(database.name + "*"))
    before = resource.prlimit(process, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, before)


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("outage", ["locked", "full"])
def test_an_outage_is_503_and_ends_by_itself(tmp_path, outage):
    database = tmp_path / "alertsage.db"
    with running(tmp_path) as server:
        with posting(server) as senders:
            eventually(lambda: all(len(sender.acknowledged) > 20 for sender in senders))
            away = (
                engines.locked(engines.address(tmp_path)) if outage == "locked" else full(database, server.process.pid)
            )
            with away:
                eventually(lambda: server.get("/readyz")[0] == 503, 10)
                until = time.monotonic() + SECONDS
                while time.monotonic() < until:
                    assert server.get("/healthz")[0] == 200
                    assert server.get("/api/v1/alerts?limit=1")[0] == 200, "reads go on"
                    time.sleep(0.2)
                _, why = server.get("/readyz")
                assert ("locked" if outage == "locked" else "database") in why["detail"]
                during = [len(sender.acknowledged) for sender in senders]
            eventually(lambda: server.get("/readyz")[0] == 200, 2)
            eventually(lambda: all(len(s.acknowledged) > n for s, n in zip(senders, during, strict=True)), 2)
        assert set().union(*(sender.statuses for sender in senders)) == {200, 503}
        assert max(sender.slowest for sender in senders) < 6
        log = server.log.read_text()
    acknowledged = {host for sender in senders for host in sender.acknowledged}
    assert stored(tmp_path) >= acknowledged
    assert "Traceback" not in log


def stored(folder: Path) -> set[str]:
    """The hosts of all stored alerts."""
    url = engines.address(folder)
    assert engines.ask(url, "PRAGMA integrity_check") == [("ok",)]
    return {row[0] for row in engines.ask(url, "SELECT json_extract(labels, '$.host') FROM content")}


def test_a_database_that_is_locked_at_the_start_is_waited_for(tmp_path):
    with running(tmp_path):
        pass
    holding = engines.locked(engines.address(tmp_path))
    holding.__enter__()
    with running(tmp_path, ready=False) as server:
        assert server.get("/healthz")[0] == 200
        assert server.get("/readyz")[0] == 503
        assert server.post("/webhook", webhook(firing("Early")))[0] == 503
        holding.__exit__(None, None, None)
        eventually(lambda: server.get("/readyz")[0] == 200, 3)
        assert server.post("/webhook", webhook(firing("Early")))[0] == 200
