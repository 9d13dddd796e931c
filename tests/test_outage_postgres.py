"""PostgreSQL killed, stopped and hung: 503 soon, back by itself, nothing acknowledged lost, nothing stored twice.

It hangs for ALERTSAGE_OUTAGE_SECONDS (8; longer in `make outage`).
"""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests import engines
from tests.monitoring import eventually
from tests.servers import Server, firing, running, webhook
from tests.test_outage import SECONDS, Posting, posting

CYCLES = int(os.environ.get("ALERTSAGE_POSTGRES_CYCLES", "5"))

pytestmark = pytest.mark.only("postgresql")


@pytest.fixture
def durable() -> Iterator[engines.Server]:
    """A server of this test's own that survives a crash, as it should."""
    with engines.server(durable=True) as server:
        yield server


def judged(url: str, senders: list[Posting], server: Server) -> None:
    """What was acknowledged is stored, once; only 200 and 503 were answered; the log tells no stack trace."""
    rows = engines.ask(url, "SELECT labels FROM content")
    hosts = Counter(json.loads(labels)["host"] for (labels,) in rows)
    acknowledged = {host for sender in senders for host in sender.acknowledged}
    assert acknowledged <= set(hosts), "acknowledged alerts are missing"
    assert set(hosts.values()) == {1}, "alerts were stored twice"
    assert engines.ask(url, "SELECT sum(n) FROM alert_count") == [(len(hosts),)]
    assert set().union(*(sender.statuses for sender in senders)) <= {200, 503}
    assert "Traceback" not in server.log.read_text()


def test_a_server_that_hangs_is_503_within_five_seconds_and_ends_by_itself(
    tmp_path: Path, durable: engines.Server
) -> None:
    url = engines.create(durable, "hung")
    with running(tmp_path, url=url) as server, posting(server) as senders:
        eventually(lambda: all(len(sender.acknowledged) > 20 for sender in senders))
        durable.signal(signal.SIGSTOP)
        try:
            eventually(lambda: server.get("/readyz")[0] == 503, 7)  # what was found ready is believed for a second
            until = time.monotonic() + SECONDS
            while time.monotonic() < until:
                began = time.monotonic()
                assert server.get("/readyz")[0] == 503
                assert server.get("/api/v1/alerts?limit=1")[0] == 503
                assert server.get("/healthz")[0] == 200
                assert server.get("/metrics")[0] in (200, 503)
                assert time.monotonic() - began < 6
                time.sleep(0.2)
            during = [len(sender.acknowledged) for sender in senders]
        finally:
            durable.signal(signal.SIGCONT)
        eventually(lambda: server.get("/readyz")[0] == 200, 2)
        eventually(lambda: all(len(s.acknowledged) > n for s, n in zip(senders, during, strict=True)), 2)
    assert max(sender.slowest for sender in senders) < 5
    judged(url, senders, server)


def test_its_processes_killed_again_and_again(tmp_path: Path, durable: engines.Server) -> None:
    """One process of it (then all of its others end, too), or all of it (then it has to be started again)."""
    randomly = random.Random(20261124)
    url = engines.create(durable, "killed")
    with running(tmp_path, url=url) as server, posting(server) as senders:

        def goes_on() -> None:
            before = [len(sender.acknowledged) for sender in senders]
            eventually(lambda: all(len(s.acknowledged) > n + 10 for s, n in zip(senders, before, strict=True)))

        for cycle in range(CYCLES):
            goes_on()
            first, *others = durable.processes()
            for pid in [randomly.choice(others)] if cycle % 2 else [first, *others]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not cycle % 2:
                assert engines.gone(first)
                durable.start()
            eventually(lambda: server.get("/readyz")[0] == 200, 10)
        goes_on()  # what was found ready just before is believed for a second
    judged(url, senders, server)


def test_a_server_that_is_not_there_at_the_start_is_waited_for(tmp_path: Path, durable: engines.Server) -> None:
    url = engines.create(durable, "late")
    durable.handle.stop()
    with running(tmp_path, url=url, ready=False) as server:
        assert server.get("/healthz")[0] == 200
        status, answer = server.get("/readyz")
        assert status == 503
        assert "the database cannot be used now" in answer["detail"]
        assert server.post("/webhook", webhook(firing("Early")))[0] == 503
        durable.start()
        eventually(lambda: server.get("/readyz")[0] == 200, 5)
        assert server.post("/webhook", webhook(firing("Early")))[0] == 200


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda url: url.replace("postgres@", "nobody:planted-pw@"), 'role "nobody" does not exist'),
        (lambda url: url.replace("/missing?", "/nowhere?"), 'database "nowhere" does not exist'),
    ],
)
def test_what_is_wrong_with_the_address_is_told_without_the_password(
    tmp_path: Path, durable: engines.Server, spoil, told: str
) -> None:
    url = spoil(engines.create(durable, "missing"))
    with running(tmp_path, url=url, ready=False) as server:
        eventually(lambda: told in str(server.get("/readyz")[1]), 5)
        assert told in server.log.read_text()
        assert "planted-pw" not in server.log.read_text()
        assert server.stop() == 0
