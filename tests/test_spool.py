"""The spool: what a sender that never retries was promised is taken in, once, whatever happens to the database.

The database is away for ALERTSAGE_OUTAGE_SECONDS (8; a full minute in `make outage`).
"""

import asyncio
import json
import os
import shutil
import threading
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests import engines
from tests.monitoring import eventually
from tests.sentry import event, hook, post
from tests.servers import Server, ask, firing, running, start, webhook
from tests.support import Site, serving

SECONDS = float(os.environ.get("ALERTSAGE_OUTAGE_SECONDS", "8"))
CONNECTIONS = 16


def locked(folder: Path) -> AbstractContextManager[None]:
    """The database of a test in that folder held by another program."""
    return engines.locked(engines.address(folder))


def triggered(number: int | str) -> dict[str, Any]:
    """A new issue's body."""
    return hook("triggered", event=event(str(number)))


def files(folder: Path) -> list[Path]:
    """What lies in the spool, whole or put aside."""
    return sorted(file for file in spool(folder).glob("*") if file.suffix != ".part")


def spool(folder: Path) -> Path:
    """Where it is unless it is told otherwise."""
    return folder / ("alertsage.db.spool" if engines.Current.name == engines.SQLITE else "alertsage.spool")


async def stored(site: Site) -> dict[str, int]:
    """Fingerprint and notification count of every alert."""
    listed = (await site.get("/api/v1/alerts?limit=500")).json["alerts"]
    return {alert["fingerprint"]: alert["notification_count"] for alert in listed}


async def drained(folder: Path) -> None:
    """Waits until the spool is empty."""
    for _ in range(500):
        if not files(folder):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"still in the spool: {files(folder)}")


async def test_a_locked_database_is_202_and_taken_in_later_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            answer = await post(site, "event_alert", triggered(1))
            assert (answer.status, answer.json["spooled"]) == (202, True)
            (file,) = files(tmp_path)
            assert b"planted-in-vars" not in file.read_bytes()
            assert b"<Order 17>" not in file.read_bytes(), "variables are kept nowhere, whatever they are named"
            assert file.stat().st_mode & 0o77 == 0
            page = (await site.get("/metrics")).body.decode()
            assert "alertsage_spool_webhooks 1.0" in page
            assert 'alertsage_spooled_webhooks_total{source="sentry"} 1.0' in page
        await drained(tmp_path)
        assert await stored(site) == {"issue:1": 1}


async def test_what_was_committed_after_all_is_not_taken_in_again(tmp_path: Path) -> None:
    """The process dies between the commit and the deletion of the file: the file is there again at the next start."""
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            await post(site, "event_alert", triggered(1))
            shutil.copytree(spool(tmp_path), tmp_path / "kept")
        await drained(tmp_path)
    for file in (tmp_path / "kept").iterdir():
        shutil.copy(file, spool(tmp_path))
    async with serving(tmp_path) as site:
        await drained(tmp_path)
        assert await stored(site) == {"issue:1": 1}


async def test_the_next_start_takes_in_what_lay_there(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            for number in range(3):
                await post(site, "event_alert", triggered(number))
            shutil.copytree(spool(tmp_path), tmp_path / "kept")
    later = tmp_path / "later"
    later.mkdir()
    (tmp_path / "kept").rename(spool(later))
    async with serving(later) as site:
        await drained(later)
        assert await stored(site) == {"issue:0": 1, "issue:1": 1, "issue:2": 1}


@pytest.mark.parametrize("limit", ["max_files: 2", "max_size: 100kB"])
async def test_a_full_spool_is_503(tmp_path: Path, limit: str) -> None:
    big = event("1", message="x" * 60_000)
    async with serving(tmp_path, f"spool: {{{limit}}}") as site:
        with locked(tmp_path):
            statuses = [(await post(site, "event_alert", hook("triggered", event=big))).status for _ in range(4)]
    assert statuses[0] == 202
    assert statuses[-1] == 503
    assert "the spool is full" in str((await _refusal(tmp_path, limit, big))["detail"])


async def _refusal(tmp_path: Path, limit: str, big: dict[str, Any]) -> dict[str, Any]:
    async with serving(tmp_path, f"spool: {{{limit}}}") as site:
        with locked(tmp_path):
            for _ in range(4):
                answer = await post(site, "event_alert", hook("triggered", event=big))
            told: dict[str, Any] = answer.json
            return told


async def test_an_unwritable_spool_is_503_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    async with serving(tmp_path, "spool: {folder: file/spool}") as site:
        with locked(tmp_path):
            answer = await post(site, "event_alert", triggered(1))
    assert answer.status == 503
    assert "the spool cannot be used" in answer.json["detail"]
    assert "Not a directory" in answer.json["detail"]


async def test_what_can_no_longer_be_read_is_kept_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            await post(site, "event_alert", triggered(1))
            await post(site, "event_alert", triggered(2))
            kept = [file.read_bytes() for file in files(tmp_path)]
    for file in files(tmp_path):
        file.unlink()
    folder = spool(tmp_path)
    (folder / "00000000000000000001-a.webhook").write_bytes(kept[0].replace(b'"sentry"', b'"gone"', 1))
    (folder / "00000000000000000002-b.webhook").write_bytes(b"junk")
    async with serving(tmp_path) as site:
        for _ in range(200):
            kept_aside = (await site.get("/api/v1/quarantine")).json["quarantined"]
            if kept_aside:
                break
            await asyncio.sleep(0.02)
        assert kept_aside[0]["reason"] == "from the spool: source gone is no longer configured"
    kept_whole, junk = files(tmp_path)
    assert (kept_whole.name, junk.name) == ("00000000000000000001-a.unreadable", "00000000000000000002-b.unreadable")
    assert kept_whole.read_bytes() == kept[0].replace(b'"sentry"', b'"gone"', 1)
    assert "cannot be read and is put aside" in caplog.text


async def test_one_that_fails_again_and_again_holds_up_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that was altered: what tells its delivery is nothing that could tell one."""
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            await post(site, "event_alert", triggered(1))
            told, _, body = files(tmp_path)[0].read_bytes().partition(b"\n")
    altered = json.dumps(json.loads(told) | {"delivery": ["x"]}).encode()
    (spool(tmp_path) / "00000000000000000001-a.webhook").write_bytes(altered + b"\n" + body)
    other = json.dumps(json.loads(told) | {"delivery": "key:other"}).encode()
    second = json.dumps(triggered(2)).encode()
    (spool(tmp_path) / "00000000000000000002-b.webhook").write_bytes(other + b"\n" + second)
    async with serving(tmp_path) as site:
        for _ in range(1000):
            if [file.name for file in files(tmp_path)] == ["00000000000000000001-a.unreadable"]:
                break
            await asyncio.sleep(0.02)
        assert [file.name for file in files(tmp_path)] == ["00000000000000000001-a.unreadable"]
        assert set(await stored(site)) == {"issue:1", "issue:2"}
        assert "00000000000000000001-a.webhook could not be taken in (try 5 of 5)" in caplog.text


GENERIC = json.dumps(
    {
        "sources": {
            "any": {
                "kind": "generic",
                "mapping": {"name": "name", "fingerprint": ["name"], "resolved": {"path": "state", "in": "up"}},
            }
        }
    }
)


async def test_an_end_from_the_spool_does_not_overtake_what_was_told_after_it(tmp_path: Path) -> None:
    """A sender that tells changes only: what it said last is what holds."""
    down, up = {"name": "A", "state": "down"}, {"name": "A", "state": "up"}
    async with serving(tmp_path, GENERIC) as site:
        assert (await site.post("/webhook/generic/any", down)).status == 200
        with locked(tmp_path):
            assert (await site.post("/webhook/generic/any", up)).status == 202
        for _ in range(200):
            if (await site.post("/webhook/generic/any", down)).status == 200:
                break
        await drained(tmp_path)
        (alert,) = (await site.get("/api/v1/alerts")).json["alerts"]
        assert alert["status"] == "active"


async def test_what_can_never_be_taken_is_refused_although_the_database_is_away(tmp_path: Path) -> None:
    async with serving(tmp_path, GENERIC) as site:
        with locked(tmp_path):
            answer = await site.post("/webhook/generic/any", {"state": "down"})
            assert (answer.status, files(tmp_path)) == (400, [])


async def test_long_keys_that_begin_alike_tell_two_deliveries(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        keys = ["k" * 300 + "1", "k" * 300 + "2", "k" * 300 + "1"]
        answers = [await post(site, "event_alert", triggered(n), Idempotency_Key=key) for n, key in enumerate(keys)]
        assert [answer.json["outcomes"] for answer in answers] == [{"opened": 1}, {"opened": 1}, {"duplicate": 1}]


async def test_what_else_lies_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    folder = spool(tmp_path)
    folder.mkdir()
    (folder / "mine.webhook").write_text("junk")
    (folder / "00000000000000000001-x.webhook").symlink_to("nowhere")
    (folder / "old.part").mkdir()
    os.utime(folder / "old.part", (0, 0))
    async with serving(tmp_path) as site:
        assert "alertsage_spool_webhooks 0.0" in (await site.get("/metrics")).body.decode()
        with locked(tmp_path):
            assert (await post(site, "event_alert", triggered(1))).status == 202
            assert "alertsage_spool_webhooks 1.0" in (await site.get("/metrics")).body.decode()
    assert (folder / "mine.webhook").exists()


async def test_alertmanager_is_told_to_come_again_instead(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        with locked(tmp_path):
            assert (await site.post("/webhook/alertmanager", webhook(firing("A")))).status == 503
            assert files(tmp_path) == []


# --- under load -----------------------------------------------------------------------------------------------------


class Posting(threading.Thread):
    """Posts one new issue after the other, never again what was not answered, as Sentry does."""

    def __init__(self, server: Server, number: int, mark: str) -> None:
        super().__init__()
        self.server, self.prefix = server, f"{mark}{number:02}"
        self.promised: list[str] = []
        self.statuses: set[int] = set()
        self.stopping = threading.Event()

    def run(self) -> None:
        """Until stopped or cut off."""
        serial = 0
        while not self.stopping.is_set() and 0 not in self.statuses:
            serial += 1
            number = f"{self.prefix}{serial:05}"
            body = json.dumps(triggered(number)).encode()
            headers = {"Sentry-Hook-Resource": "event_alert"}
            status, _ = ask(f"{self.server.url}/webhook/sentry", body, headers)
            self.statuses.add(status)
            if status in (200, 202):
                self.promised.append(f"issue:{number}")


def posting(server: Server, mark: str) -> list[Posting]:
    """Sixteen of them."""
    senders = [Posting(server, number, mark) for number in range(CONNECTIONS)]
    for sender in senders:
        sender.start()
    return senders


def test_nothing_promised_is_lost_or_taken_in_twice_by_a_lock_and_kill_9(tmp_path: Path) -> None:
    server = start(tmp_path)
    try:
        before = posting(server, "1")
        time.sleep(0.5)
        holding = locked(tmp_path)
        holding.__enter__()
        time.sleep(SECONDS)
        server.kill()
        for sender in before:
            sender.join()
        waited = len(files(tmp_path))
        server = start(tmp_path, ready=False)
        during = posting(server, "2")
        time.sleep(1)
        holding.__exit__(None, None, None)
        time.sleep(0.3)
        for sender in during:
            sender.stopping.set()
            sender.join()
        assert waited > CONNECTIONS
        eventually(lambda: not files(tmp_path), 60)
    finally:
        server.kill()
    assert set().union(*(sender.statuses for sender in before)) <= {0, 200, 202}
    assert set().union(*(sender.statuses for sender in during)) <= {200, 202}
    promised = [number for sender in (*before, *during) for number in sender.promised]
    counted = "SELECT fingerprint, sum(notification_count) FROM alert GROUP BY fingerprint"
    counts = dict(engines.ask(engines.address(tmp_path), counted))
    assert set(promised) <= set(counts), "promised webhooks are missing"
    assert set(counts.values()) == {1}, "webhooks were taken in twice"


def test_a_start_with_the_database_away_takes_promises(tmp_path: Path) -> None:
    with running(tmp_path):
        pass
    with ExitStack() as stack:
        holding = stack.enter_context(ExitStack())
        holding.enter_context(locked(tmp_path))
        server = stack.enter_context(running(tmp_path, ready=False))
        headers = {"Sentry-Hook-Resource": "event_alert"}
        status, _ = ask(f"{server.url}/webhook/sentry", json.dumps(triggered(1)).encode(), headers)
        assert status == 202
        holding.close()
        eventually(lambda: len(server.get("/api/v1/alerts")[1].get("alerts", [])) == 1, 10)
