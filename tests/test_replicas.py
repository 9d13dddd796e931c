"""Several replicas on one PostgreSQL: equal, none special, and each may be killed or frozen at any moment.

`make replicas` runs more (`ALERTSAGE_REPLICA_ALERTS`, 10,000, and a kill every 5 s).
"""

import asyncio
import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from sqlalchemy.ext.asyncio import create_async_engine

from enrichers.shipped import SHOWN
from receiver.store import migrate
from receiver.store.postgres import MIGRATION_LOCK
from tests import engines
from tests.monitoring import eventually
from tests.servers import Server, firing, start, webhook

ALERTS = int(os.environ.get("ALERTSAGE_REPLICA_ALERTS", "600"))
KILL_SECONDS = float(os.environ.get("ALERTSAGE_REPLICA_KILL_SECONDS", "2"))
REPLICAS = 3
PLUGIN = """
import os, time

def effect(alert, context):
    '''Leaves a trace outside the database, as a call to another system would.'''
    file = os.open("{effects}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, (alert.labels["host"] + "\\n").encode())
    os.close(file)
    while os.path.exists("{folder}/hold"):
        time.sleep(0.05)
    return {{"facts": {{"by": "{name}"}}}}
"""

pytestmark = pytest.mark.only("postgresql")


class Replicas:
    """Some alertsages on the database of a test, each in a folder of its own."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self._folder = folder
        self._config = config
        self.url = engines.address(folder)
        self.effects = folder / "effects"
        self.running: dict[str, Server] = {}

    def start(self, name: str, *, ready: bool = True) -> Server:
        """Start the replica of that name (again)."""
        home = self._folder / name
        home.mkdir(exist_ok=True)
        (home / "plugin.py").write_text(PLUGIN.format(effects=self.effects, folder=home, name=name))
        self.running[name] = start(home, self._config, ready=ready, url=self.url)
        return self.running[name]

    def end(self) -> None:
        """Kill all of them."""
        for server in self.running.values():
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGCONT)
                server.kill()

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """Of the database."""
        return engines.ask(self.url, statement)

    def effects_counted(self) -> Counter[str]:
        """How often the enricher ran for each host."""
        return Counter(self.effects.read_text().split()) if self.effects.exists() else Counter()


@contextmanager
def replicas(folder: Path, config: str = "") -> Iterator[Replicas]:
    """None at first; all that were started are killed at the end."""
    made = Replicas(folder, config)
    try:
        yield made
    finally:
        made.end()


def enriching(lease: int = 30) -> str:
    """A configuration with the enricher that leaves a trace, and a lease of that many seconds."""
    enricher = "enrichers: {effect: {use: './plugin.py:effect', timeout: 20s}}"
    return f"enrich: {{workers: 8, budget: 10m, lease: {lease}s}}\n{enricher}\nlog: {{level: warning}}\n"


class Posting(threading.Thread):
    """Posts its share of new alerts, to whichever replica answers, until each is acknowledged."""

    def __init__(self, among: Replicas, hosts: list[str]) -> None:
        super().__init__()
        self._among = among
        self._hosts = hosts

    def run(self) -> None:
        """Ten alerts a webhook."""
        turn = itertools.count()
        for first in range(0, len(self._hosts), 10):
            body = webhook(*[firing("Replicated", host=host) for host in self._hosts[first : first + 10]])
            while True:
                servers = list(self._among.running.values())
                if servers[next(turn) % len(servers)].post("/webhook", body)[0] == 200:
                    break
                time.sleep(0.01)


def post_all(among: Replicas) -> set[str]:
    """Post ALERTS new alerts through four connections; returns their hosts. All are acknowledged."""
    hosts = [f"h{number}" for number in range(ALERTS)]
    threads = [Posting(among, hosts[part::4]) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return set(hosts)


def all_finished(among: Replicas) -> Callable[[], bool]:
    """True once no job is left."""
    return lambda: among.ask("SELECT count(*) FROM job") == [(0,)]


def judged(among: Replicas, hosts: set[str]) -> None:
    """Nothing acknowledged is lost, nothing is stored twice, every alert was enriched."""
    rows = among.ask("SELECT labels::json ->> 'host', added::json #>> '{facts,by}' FROM content")
    assert Counter(host for host, _ in rows) == dict.fromkeys(hosts, 1)
    assert all(by for _, by in rows), "alerts whose job ended without a result"
    (counted,) = among.ask("SELECT sum(n) FROM alert_count")
    assert counted == (len(hosts),)


def test_each_job_is_done_once_when_nobody_fails(tmp_path: Path) -> None:
    with replicas(tmp_path, enriching()) as among:
        for number in range(REPLICAS):
            among.start(f"r{number}")
        hosts = post_all(among)
        eventually(all_finished(among), 60 + ALERTS / 20)
        judged(among, hosts)
        assert among.effects_counted() == dict.fromkeys(hosts, 1)
        shares = Counter(by for (by,) in among.ask("SELECT added::json #>> '{facts,by}' FROM content"))
        assert len(shares) == REPLICAS, f"not everybody worked: {shares}"


def test_everything_is_finished_while_one_after_the_other_is_killed(tmp_path: Path) -> None:
    randomly = random.Random(20261124)
    with replicas(tmp_path, enriching(3)) as among, ThreadPoolExecutor(1) as aside:
        names = [f"r{number}" for number in range(REPLICAS)]
        for name in names:
            among.start(name)
        posting = aside.submit(post_all, among)
        finished, kills = all_finished(among), 0
        deadline = time.monotonic() + 120 + ALERTS / 10
        while kills < 3 or not posting.done() or not finished():
            assert time.monotonic() < deadline
            time.sleep(KILL_SECONDS)
            name = randomly.choice(names)
            among.running[name].kill()
            among.start(name)
            kills += 1
        hosts = posting.result()
        judged(among, hosts)
        assert set(among.effects_counted()) == hosts


def recorded(server: Server) -> dict[str, Any]:
    """All that is stored of the first alert: what is found anew whenever it is looked at takes another time each."""
    alert: dict[str, Any] = server.get("/api/v1/alerts/1")[1]
    alert["enrichers"] = [ran for ran in alert["enrichers"] if ran["enricher"] not in SHOWN]
    return alert


def test_a_replica_frozen_beyond_its_lease_records_nothing_when_it_wakes(tmp_path: Path) -> None:
    with replicas(tmp_path, enriching(2)) as among:
        frozen = among.start("frozen")
        (tmp_path / "frozen" / "hold").touch()
        assert frozen.post("/webhook", webhook(firing("Down", host="a")))[0] == 200
        eventually(lambda: among.effects_counted()["a"] == 1)
        frozen.process.send_signal(signal.SIGSTOP)
        other = among.start("other")
        eventually(all_finished(among), 20)
        before = recorded(other)
        assert (before["facts"]["by"], len(before["changes"])) == ("other", 1)
        (tmp_path / "frozen" / "hold").unlink()
        frozen.process.send_signal(signal.SIGCONT)
        eventually(lambda: "the lease was lost" in frozen.log.read_text(), 10)
        assert recorded(other) == before
        assert among.effects_counted()["a"] == 2, "an enricher may run twice; what it brought counts once"


def test_a_job_that_takes_longer_than_its_lease_stays_with_who_works_on_it(tmp_path: Path) -> None:
    with replicas(tmp_path, enriching(1)) as among:
        slow, other = among.start("slow"), among.start("other")
        for name in among.running:
            (tmp_path / name / "hold").touch()
        assert slow.post("/webhook", webhook(firing("Down", host="a")))[0] == 200
        time.sleep(7)  # several leases, and the other one's look at what is due
        for name in among.running:
            (tmp_path / name / "hold").unlink()
        eventually(all_finished(among), 20)
        assert among.effects_counted() == {"a": 1}
        assert other.get("/api/v1/alerts/1")[1]["facts"]["by"]


def test_a_replica_frozen_in_the_middle_of_a_transaction_holds_nobody_up_for_long(tmp_path: Path) -> None:
    """The server ends its transaction; what it was about to store was never acknowledged."""
    with replicas(tmp_path, "log: {level: warning}\nlifecycle: {repeat_within: 0s}\n") as among:
        frozen, other = among.start("frozen"), among.start("other")
        alerts = [firing("Down", host=f"h{number}") for number in range(190)]
        stopping = threading.Event()

        def storm() -> None:
            while not stopping.is_set():
                frozen.post("/webhook", webhook(*alerts))

        threads = [threading.Thread(target=storm, daemon=True) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            in_transaction = (
                "SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
            )
            for _ in range(200):
                time.sleep(0.05)
                frozen.process.send_signal(signal.SIGSTOP)
                time.sleep(0.1)
                if among.ask(in_transaction):
                    break
                frozen.process.send_signal(signal.SIGCONT)
            else:
                raise AssertionError("it was never caught in a transaction")
            began = time.monotonic()
            eventually(lambda: other.post("/webhook", webhook(*alerts[:50]))[0] == 200, 15)
            assert time.monotonic() - began < 10
        finally:
            stopping.set()
            frozen.process.send_signal(signal.SIGCONT)
            for thread in threads:
                thread.join()
        hosts = Counter(host for (host,) in among.ask("SELECT labels::json ->> 'host' FROM content"))
        assert set(hosts.values()) == {1}


def test_the_same_alerts_through_all_replicas_at_once_are_stored_and_counted_once(tmp_path: Path) -> None:
    """A pair of Alertmanagers behind a balancer: every replica meets keys that another is just inserting."""
    with replicas(tmp_path, "log: {level: warning}\n") as among:
        servers = [among.start(f"r{number}") for number in range(REPLICAS)]
        with ThreadPoolExecutor(REPLICAS * 2) as threads:
            for wave in range(20):
                alerts = [firing("Twin", host=f"{wave}-{number}") for number in range(30)]
                bodies = [webhook(*random.Random(n).sample(alerts, len(alerts))) for n in range(REPLICAS * 2)]
                answers = [
                    threads.submit(server.post, "/webhook", body)
                    for server, body in zip(servers * 2, bodies, strict=True)
                ]
                assert {answer.result()[0] for answer in answers} == {200}
        assert among.ask("SELECT count(*), count(DISTINCT fingerprint), max(notification_count) FROM alert") == [
            (600, 600, 1)
        ]
        assert among.ask("SELECT sum(n) FROM alert_count") == [(600,)]


# --- migrations -----------------------------------------------------------------------------------------------------


def at_schema(url: str, revision: str) -> None:
    """Make the tables of an earlier version."""

    async def make() -> None:
        engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            await connection.run_sync(lambda c: command.upgrade(migrate.config(c), revision))
        await engine.dispose()

    asyncio.run(make())


@pytest.mark.parametrize("schema", ["empty", "0001"])
def test_five_replicas_that_start_together_migrate_once(tmp_path: Path, schema: str) -> None:
    with replicas(tmp_path) as among:
        if schema != "empty":
            at_schema(among.url, schema)
        began = time.monotonic()
        with ThreadPoolExecutor(5) as threads:
            servers = list(threads.map(lambda number: among.start(f"r{number}"), range(5)))
        assert time.monotonic() - began < 30
        assert sum(server.log.read_text().count("the database has the schema") for server in servers) == 1
        assert servers[3].post("/webhook", webhook(firing("Down", host="a")))[0] == 200
        assert servers[4].get("/api/v1/alerts/1")[0] == 200


def test_when_the_one_that_migrates_is_killed_the_next_goes_on(tmp_path: Path) -> None:
    with replicas(tmp_path) as among, ExitStack() as holding:
        killed = threading.Event()

        async def hold() -> None:
            connection = await asyncpg.connect(among.url)
            transaction = connection.transaction()
            await transaction.start()
            await connection.execute(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            await connection.execute("CREATE TABLE alert (half INT)")
            await asyncio.to_thread(killed.wait)
            connection.terminate()

        thread = threading.Thread(target=lambda: asyncio.run(hold()))
        thread.start()
        holding.callback(thread.join)
        holding.callback(killed.set)
        time.sleep(0.5)
        waiting = [among.start(f"r{number}", ready=False) for number in range(2)]
        time.sleep(1)
        for server in waiting:
            status, answer = server.get("/readyz")
            assert (status, "being opened" in answer["detail"]) == (503, True)
            assert server.get("/healthz")[0] == 200
        killed.set()
        for server in waiting:
            eventually(lambda server=server: server.get("/readyz")[0] == 200, 10)  # type: ignore[misc]
