"""`alertsage db`: what is done to a database beside the server or instead of it, and from one engine to the other."""

import gzip
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests import engines
from tests.monitoring import eventually
from tests.servers import ALERTSAGE, Server, firing, resolved, running, webhook
from tests.test_outage import posting

TABLES = ("alert", "content", "change", "alert_count", "quarantine", "delivery", "voice")


def command(folder: Path, *words: str, url: str = "") -> subprocess.CompletedProcess[str]:
    """`alertsage ...` on the database of a test in that folder."""
    environment = {**os.environ, "ALERTSAGE__DATABASE__URL": url or engines.address(folder)}
    call = [ALERTSAGE, *words]
    return subprocess.run(call, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def fill(server: Server) -> None:
    """A few alerts of all sorts."""
    alerts = [firing("Down", host=f"h{number}", team="shop") for number in range(40)]
    for first in range(0, 40, 10):
        assert server.post("/webhook", webhook(*alerts[first : first + 10]))[0] == 200
    assert server.post("/webhook", webhook(*[resolved(one, "2026-11-23T07:00:00Z") for one in alerts[:10]]))[0] == 200
    assert server.post("/webhook", webhook(firing("Ümläut", **{"": "", "q": 'it\'s "quoted" \\ ü'})))[0] == 200
    assert server.post("/webhook", webhook(firing("Bad"), {"status": "firing", "labels": 3}))[0] == 200


def everything(url: str) -> dict[str, Counter[tuple[object, ...]]]:
    """All rows of all tables, engines' differences in types aside."""
    return {
        table: Counter(tuple(_plain(value) for value in row) for row in engines.ask(url, f"SELECT * FROM {table}"))
        for table in TABLES
    }


def _plain(value: object) -> object:
    return int(value) if isinstance(value, bool) else bytes(value) if isinstance(value, memoryview) else value


def elsewhere(folder: Path) -> str:
    """A new database of the other engine."""
    if engines.Current.name == engines.SQLITE:
        return engines.create(engines.shared(), f"other{abs(hash(str(folder)))}")
    return f"sqlite:///{folder}/other.db"


@pytest.mark.parametrize("where", ["the same engine", "the other engine"])
def test_a_backup_under_load_is_restored_with_equal_rows_and_counts(tmp_path: Path, where: str) -> None:
    with running(tmp_path) as server:
        fill(server)
        with posting(server) as senders:
            eventually(lambda: all(len(sender.acknowledged) > 20 for sender in senders))
            made = command(tmp_path, "db", "backup", "kept.gz")
            assert made.returncode == 0, made.stderr
            eventually(lambda: all(len(sender.acknowledged) > 40 for sender in senders))
        assert set().union(*(sender.statuses for sender in senders)) == {200}
        # what is taken when nothing changes any more is compared row by row
        assert command(tmp_path, "db", "backup", "still.gz").returncode == 0
        assert server.stop() == 0
    assert "alerts and" in made.stdout
    url = elsewhere(tmp_path) if where == "the other engine" else engines.address(tmp_path, "new.db")
    restored = command(tmp_path, "db", "restore", "still.gz", url=url)
    assert restored.returncode == 0, restored.stderr
    before, after = everything(engines.address(tmp_path)), everything(url)
    assert {name: sum(rows.values()) for name, rows in after.items()}["alert"] > 80
    assert after == before
    checked = command(tmp_path, "db", "check", url=url)
    assert (checked.returncode, checked.stderr) == (0, "")
    with running(_home(tmp_path), url=url) as server:
        found = server.get("/api/v1/alerts?label.team=shop&limit=500")[1]["alerts"]
        assert len(found) == 40
        assert server.post("/webhook", webhook(firing("Later", host="new")))[0] == 200
        newest = server.get("/api/v1/alerts?limit=1")[1]["alerts"][0]
        assert newest["id"] == max(row[0] for row in before["alert"]) + 1
    with gzip.open(tmp_path / "kept.gz") as kept:
        first = json.loads(kept.readline())
    assert (first["format"], first["schema"]) == ("alertsage backup", "0006")


def _home(folder: Path) -> Path:
    home = folder / "home"
    home.mkdir()
    return home


def test_the_backup_taken_under_load_is_of_one_moment(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        with posting(server) as senders:
            eventually(lambda: all(len(sender.acknowledged) > 20 for sender in senders))
            before = {host for sender in senders for host in list(sender.acknowledged)}
            assert command(tmp_path, "db", "backup", "kept.gz").returncode == 0
        server.stop()
    url = engines.address(tmp_path, "new.db")
    assert command(tmp_path, "db", "restore", "kept.gz", url=url).returncode == 0
    hosts = {json.loads(labels)["host"] for (labels,) in engines.ask(url, "SELECT labels FROM content")}
    assert before <= hosts
    assert command(tmp_path, "db", "check", url=url).returncode == 0


def test_what_is_no_whole_backup_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        fill(server)
    assert command(tmp_path, "db", "backup", "good.gz").returncode == 0
    lines = gzip.decompress((tmp_path / "good.gz").read_bytes()).splitlines(keepends=True)
    for name, content, told in (
        ("missing.gz", None, "cannot be read: No such file or directory"),
        ("text.gz", b"no gzip at all", "is no whole backup"),
        ("other.gz", gzip.compress(b'{"some": "json"}\n'), "is no backup that alertsage made"),
        ("empty.gz", gzip.compress(b""), "is no backup that alertsage made"),
        ("cut.gz", (tmp_path / "good.gz").read_bytes()[:-300], "is no whole backup"),
        ("short.gz", gzip.compress(b"".join(lines[:-1])), "is cut off: it lacks its end"),
        ("fewer.gz", gzip.compress(b"".join(lines[:3] + lines[4:])), "is cut off: it lacks its end"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        url = engines.address(tmp_path, f"{name}.db")
        refused = command(tmp_path, "db", "restore", name, url=url)
        assert (refused.returncode, told in refused.stderr) == (2, True), refused.stderr
        assert "Traceback" not in refused.stderr
        checked = command(tmp_path, "db", "check", url=url)
        assert "alerts" not in checked.stdout or " 0 alerts" in checked.stdout
    refused = command(tmp_path, "db", "restore", "good.gz")
    assert (refused.returncode, "the database is not empty" in refused.stderr) == (2, True)
    refused = command(tmp_path, "db", "backup", "good.gz")
    assert (refused.returncode, "is there already" in refused.stderr) == (2, True)


def test_check_tells_what_is_wrong(tmp_path: Path) -> None:
    url = engines.address(tmp_path)
    nothing = command(tmp_path, "db", "check")
    assert nothing.returncode == (2 if url.startswith("sqlite") else 1)
    with running(tmp_path) as server:
        fill(server)
        checked = command(tmp_path, "db", "check")
        assert (checked.returncode, checked.stderr) == (0, "")
        assert "42 alerts, 52 changes, 0 jobs, 1 quarantined" in checked.stdout
    for harm, told in (
        ("DELETE FROM change WHERE alert_id = 3", None),
        ("UPDATE alert_count SET n = n + 2 WHERE name = 'Bad'", "1 alerts are alertmanager/active/medium/"),
        ("DELETE FROM content WHERE alert_id = 4", "1 alerts have no content"),
        ("DELETE FROM alert WHERE id = 5", "1 contents belong to no alert"),
        ("UPDATE alert SET change_count = 7 WHERE id = 6", "1 alerts have another number of changes than they say"),
    ):
        engines.ask(url, harm)
        checked = command(tmp_path, "db", "check")
        assert checked.returncode == (1 if told else checked.returncode)
        assert told is None or told in checked.stderr, checked.stderr


def test_upgrade_migrates_once_and_says_so(tmp_path: Path) -> None:
    first, second = command(tmp_path, "db", "upgrade"), command(tmp_path, "db", "upgrade")
    assert "has the schema 0006 now (before: none)" in first.stdout
    assert "has the newest schema, 0006, already" in second.stdout


def test_a_database_of_a_newer_version_is_refused_by_every_command(tmp_path: Path) -> None:
    command(tmp_path, "db", "upgrade")
    engines.ask(engines.address(tmp_path), "UPDATE alembic_version SET version_num = '9999'")
    refused = command(tmp_path, "db", "upgrade")
    assert refused.returncode == 2
    assert "the database has schema 9999, of a newer alertsage: upgrade alertsage" in refused.stderr
    assert command(tmp_path, "db", "check").returncode == 1


def test_prune_deletes_what_closed_long_ago(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        fill(server)
        assert server.stop() == 0
    url = engines.address(tmp_path)
    engines.ask(url, "UPDATE alert SET created_at = created_at - 864000000000, closed_at = closed_at - 864000000000")
    assert "0 closed alerts deleted" in command(tmp_path, "db", "prune", "--older-than", "11d").stdout
    assert "10 closed alerts deleted" in command(tmp_path, "db", "prune", "--older-than", "9d").stdout
    assert engines.ask(url, "SELECT count(*) FROM alert") == [(32,)]
    assert command(tmp_path, "db", "check").returncode == 0
    refused = command(tmp_path, "db", "prune", "--older-than", "soon")
    assert refused.returncode == 2
    assert "is not a duration" in refused.stderr


@pytest.mark.only("sqlite")
def test_commands_that_write_keep_away_from_a_file_in_use(tmp_path: Path) -> None:
    with running(tmp_path):
        for words in (("upgrade",), ("restore", "x.gz")):
            refused = command(tmp_path, "db", *words)
            assert refused.returncode == 2
            assert "another alertsage uses this database" in refused.stderr


def test_the_newest_schema_is_the_last_of_the_migrations():
    from alembic.script import ScriptDirectory

    from receiver.store.migrate import NEWEST, SCRIPTS

    assert ScriptDirectory(str(SCRIPTS)).get_current_head() == NEWEST
