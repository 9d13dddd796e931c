"""Acts while the worst happens: `kill -9` in the middle of a bulk act, replicas and webhooks at the same rows, the
database away."""

import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path

import pytest

from tests import engines
from tests.servers import Server, ask, firing, running, start, webhook

ALERTS = 1_200
CYCLES = 6
ACTIONS = ("acknowledge", "resolve", "reopen")
STATUS = {"acknowledge": "acknowledged", "resolve": "resolved", "reopen": "active"}


def _open(server: Server, many: int) -> list[int]:
    """Store so many alerts; their ids."""
    for first in range(0, many, 200):
        alerts = [firing(f"Down{number % 5}", host=f"h{number}") for number in range(first, min(first + 200, many))]
        assert server.post("/webhook", webhook(*alerts))[0] == 200
    return [row[0] for row in engines.ask(_url(server), "SELECT id FROM alert ORDER BY id")]


def _url(server: Server) -> str:
    return engines.address(server.log.parent)


def _whole(folder: Path) -> None:
    """The counts and the numbers of Changes agree with the rows."""
    url = engines.address(folder)
    counted = engines.ask(url, "SELECT status, name, sum(n) FROM alert_count GROUP BY status, name HAVING sum(n) > 0")
    rows = engines.ask(url, "SELECT status, name, count(*) FROM alert GROUP BY status, name")
    assert sorted(map(tuple, counted)) == sorted(map(tuple, rows))
    odd = """
        SELECT alert.id FROM alert LEFT JOIN change ON change.alert_id = alert.id
        GROUP BY alert.id, alert.change_count HAVING count(change.seq) <> alert.change_count
    """
    assert engines.ask(url, odd) == []


def test_a_bulk_act_that_is_killed_is_done_whole_or_not_at_all(tmp_path: Path) -> None:
    randomly = random.Random(20261130)
    server = start(tmp_path)
    try:
        ids = _open(server, ALERTS)
        for _ in range(CYCLES):
            answered: list[str] = []
            began = threading.Event()

            def acting(server: Server = server, answered: list[str] = answered, began: threading.Event = began) -> None:
                for action in cycle(ACTIONS):
                    began.set()
                    body = {"action": action, "ids": ids, "who": "ada"}
                    if server.post("/api/v1/alerts/bulk", body)[0] != 200:
                        return
                    answered.append(action)

            thread = threading.Thread(target=acting)
            thread.start()
            began.wait()
            time.sleep(randomly.uniform(0.05, 1.2))
            server.kill()
            thread.join()
            statuses = [row[0] for row in engines.ask(_url(server), "SELECT DISTINCT status FROM alert")]
            assert len(statuses) == 1, f"{statuses} after {answered}"
            # what was answered was done; one more may have been
            following = ACTIONS[len(answered) % 3]
            assert not answered or statuses[0] in (STATUS[answered[-1]], STATUS[following])
            _whole(tmp_path)
            server = start(tmp_path)
            assert server.post("/api/v1/alerts/bulk", {"action": "reopen", "ids": ids})[0] in (200, 409)
            # back to where every cycle begins: open, and not acknowledged
            server.post("/api/v1/alerts/bulk", {"action": "resolve", "ids": ids})
            assert server.post("/api/v1/alerts/bulk", {"action": "reopen", "ids": ids})[0] == 200
    finally:
        server.kill()


@pytest.mark.only("postgresql")
def test_replicas_act_on_the_same_alerts_while_webhooks_tell_of_them(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    url = engines.address(tmp_path)
    config = "lifecycle: {repeat_within: 0s}\n"
    with running(tmp_path / "a", config, url=url) as one, running(tmp_path / "b", config, url=url) as other:
        alerts = [firing(f"Down{number % 5}", host=f"h{number}") for number in range(200)]
        assert one.post("/webhook", webhook(*alerts))[0] == 200
        ids = [row[0] for row in engines.ask(url, "SELECT id FROM alert")]
        randomly = random.Random(7)

        def act(turn: int) -> int:
            server = (one, other)[turn % 2]
            if turn % 4 == 3:
                return server.post("/webhook", webhook(*randomly.sample(alerts, 100)))[0]
            body = {"action": ("note", "assign", "metadata")[turn % 3], "ids": randomly.sample(ids, 150)}
            more = {"note": {"note": f"n{turn}"}, "assign": {"assignee": f"p{turn}"}}
            said = more.get(str(body["action"]), {"metadata": {"turn": turn}})
            return server.post("/api/v1/alerts/bulk", body | said)[0]

        with ThreadPoolExecutor(6) as threads:
            assert set(threads.map(act, range(60))) == {200}
        with ThreadPoolExecutor(2) as threads:
            body = {"action": "acknowledge", "ids": ids}
            answers = list(threads.map(lambda s: s.post("/api/v1/alerts/bulk", body)[1], (one, other)))
        assert sorted(answer["changed"] for answer in answers) == [0, 200]
        # of two who race on different replicas one wins, and the other is told who
        for alert in ids[:10]:
            with ThreadPoolExecutor(2) as threads:
                path = f"/api/v1/alerts/{alert}/resolve"
                said = [(one, {"who": "ada"}), (other, {"who": "ben"})]
                raced = list(threads.map(lambda s, path=path: s[0].post(path, s[1]), said))  # type: ignore[misc]
            assert sorted(status for status, _ in raced) == [200, 409]
            lost = next(told for status, told in raced if status == 409)
            assert "resolved it just now" in lost["detail"]
    _whole(tmp_path)


@pytest.mark.only("sqlite")
def test_with_the_database_away_an_act_is_503_and_nothing_is_done(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        _open(server, 3)
        locker = sqlite3.connect(tmp_path / "alertsage.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        try:
            for path, body in (("1/resolve", {}), ("bulk", {"action": "resolve", "ids": [1, 2]})):
                status, told = ask(f"{server.url}/api/v1/alerts/{path}", str(body).replace("'", '"').encode())
                assert status == 503
                assert "database" in told["detail"]
        finally:
            locker.execute("ROLLBACK")
            locker.close()
        assert {alert["status"] for alert in server.get("/api/v1/alerts")[1]["alerts"]} == {"active"}
        deadline = time.monotonic() + 10
        while server.post("/api/v1/alerts/1/resolve", {})[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    _whole(tmp_path)
