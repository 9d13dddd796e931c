"""`kill -9` at any instant: nothing acknowledged is lost, nothing is stored twice, and it is ready again at once.

`make crash` runs more cycles (`ALERTSAGE_CRASH_CYCLES`).
"""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from receiver.domain.times import parse_rfc3339
from tests import engines
from tests.servers import Server, firing, resolved, running, start, webhook

CYCLES = int(os.environ.get("ALERTSAGE_CRASH_CYCLES", "30"))
SENDERS = 8


class Sender(threading.Thread):
    """Posts webhooks until told to stop; remembers what was acknowledged, and retries what was not, as senders do."""

    def __init__(self, number: int, cycle: int) -> None:
        super().__init__()
        self.number = number
        self.cycle = cycle
        self.server: Server | None = None
        self.opened: set[str] = set()
        self.closed: set[str] = set()
        self.unanswered: list[str] = []
        self.stopping = threading.Event()
        self.other_answers: set[int] = set()

    def run(self) -> None:
        """One webhook after the other: two alerts open, then the first of them ends."""
        serial = 0
        while not self.stopping.is_set():
            serial += 1
            names = [f"c{self.cycle}-s{self.number}-{serial}-{part}" for part in "ab"]
            alerts = [firing("Crash", host=name) for name in names]
            if self.post(webhook(*alerts)):
                self.opened.update(names)
            else:
                self.unanswered += names
                return
            if self.post(webhook(resolved(alerts[0], "2026-11-23T07:00:00Z"), alerts[1])):
                self.closed.add(names[0])

    def post(self, body: object) -> bool:
        """True when it was acknowledged."""
        assert self.server is not None
        status, _ = self.server.post("/webhook", body)
        if status not in (0, 200, 503):
            self.other_answers.add(status)
        return status == 200


def test_no_acknowledged_alert_is_lost_or_stored_twice(tmp_path):
    randomly = random.Random(20261123)
    opened: set[str] = set()
    closed: set[str] = set()
    server = start(tmp_path)
    try:
        for cycle in range(CYCLES):
            senders = [Sender(number, cycle) for number in range(SENDERS)]
            for sender in senders:
                sender.server = server
                sender.start()
            time.sleep(randomly.uniform(0.02, 0.4))
            server.kill()
            for sender in senders:
                sender.stopping.set()
            for sender in senders:
                sender.join()
                assert not sender.other_answers
                opened |= sender.opened
                closed |= sender.closed
            began = time.monotonic()
            server = start(tmp_path)
            assert time.monotonic() - began < 5, "it was not ready again within 5 s"
            for sender in senders:
                for name in sender.unanswered:
                    status, _ = server.post("/webhook", webhook(firing("Crash", host=name)))
                    assert status == 200
                    opened.add(name)
    finally:
        server.kill()
    assert len(opened) > CYCLES
    stored = _stored(tmp_path)
    assert {host for host, _ in stored} >= opened, "acknowledged alerts are missing"
    assert len(stored) == len({host for host, _ in stored}), "alerts were stored twice"
    still_open = {host for host, status in stored if status == "active"}
    assert not closed & still_open, "acknowledged resolves are missing"


def _stored(folder: Path) -> list[tuple[str, str]]:
    """Host and status of every stored alert; the kept counts agree with them."""
    url = engines.address(folder)
    rows = engines.ask(url, "SELECT labels, status FROM alert JOIN content ON content.alert_id = alert.id")
    if engines.Current.name == engines.SQLITE:
        assert engines.ask(url, "PRAGMA integrity_check") == [("ok",)]
    kept = dict(engines.ask(url, "SELECT status, sum(n) FROM alert_count GROUP BY status HAVING sum(n) > 0"))
    assert kept == Counter(status for _, status in rows), "the kept counts differ from the rows"
    return [(json.loads(labels)["host"], status) for labels, status in rows]


def test_sigterm_answers_every_accepted_request_and_ends_within_ten_seconds(tmp_path):
    with running(tmp_path) as server:
        senders = [Sender(number, 0) for number in range(SENDERS)]
        for sender in senders:
            sender.server = server
            sender.start()
        time.sleep(0.3)
        began = time.monotonic()
        code = server.stop()
        assert time.monotonic() - began < 10
        assert code == 0
        for sender in senders:
            sender.stopping.set()
            sender.join()
    stored = {host for host, _ in _stored(tmp_path)}
    acknowledged = set().union(*(sender.opened for sender in senders))
    assert acknowledged
    assert acknowledged <= stored
    # A request that was taken in was answered: nothing is stored that its sender was not told of.
    assert stored <= acknowledged | {name for sender in senders for name in sender.unanswered if name not in stored}


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(("arrives", "status"), [(True, b"200"), (False, b"503")])
def test_a_body_on_its_way_at_sigterm_is_waited_for_and_answered(tmp_path: Path, arrives: bool, status: bytes) -> None:
    body = json.dumps(webhook(firing("Late"))).encode()
    with running(tmp_path) as server:
        with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1])), timeout=15) as connection:
            head = f"POST /webhook/alertmanager HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body[:100])
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            if arrives:
                connection.sendall(body[100:])
            answer = b""
            while part := connection.recv(65536):
                answer += part
        assert server.process.wait(10) == 0
    assert answer.split()[1] == status
    assert b"connection: close" in answer.lower()


@pytest.mark.only("sqlite")
def test_the_answer_leaves_after_the_disk_has_the_alert(tmp_path):
    """strace: between the request and its 200 there is an fdatasync (or fsync) of the write-ahead log."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed: apt-get install strace")
    with running(tmp_path) as server:
        trace = tmp_path / "trace"
        calls = "fsync,fdatasync,sendto,sendmsg,write,recvfrom,recvmsg,read"
        tracer = subprocess.Popen(
            [strace, "-f", "-y", "-s", "64", "-e", f"trace={calls}", "-o", trace, "-p", str(server.process.pid)],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        tracer.stderr.readline()
        time.sleep(0.3)
        status, _ = server.post("/webhook", webhook(firing("Traced")))
        assert status == 200
        tracer.terminate()
        tracer.communicate()
    lines = trace.read_text().splitlines()
    asked = next(number for number, line in enumerate(lines) if "POST /webhook" in line)
    answered = next(number for number, line in enumerate(lines) if '"HTTP/1.1 200' in line)
    synced = [n for n, line in enumerate(lines) if re.search(r"(fdatasync|fsync)\(\d+<[^>]*alertsage\.db-wal>", line)]
    assert any(asked < number < answered for number in synced), "\n".join(lines[asked : answered + 1])


@pytest.mark.only("sqlite")
def test_times_in_the_bodies_are_what_the_tests_think():
    assert parse_rfc3339("2026-11-23T07:00:00Z") == 1795417200 * 1_000_000
