"""The commands that act, run as their users run them against a real server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.commands import User
from tests.servers import Server, firing, running, webhook

pytestmark = pytest.mark.only("sqlite")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, url=f"sqlite:///{folder}/alertsage.db") as started:
        yield started


@pytest.fixture
def user(server: Server, tmp_path: Path) -> User:
    return User(tmp_path, server.url)


_made = iter(range(10_000))


def fired(server: Server, name: str = "", count: int = 1, **labels: str) -> list[int]:
    """New alerts; their numbers."""
    name = name or f"Made{next(_made)}"
    at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
    told = [firing(name, at, {"summary": f"{name} is on"}, n=str(n), **labels) for n in range(count)]
    assert server.post("/webhook/alertmanager", webhook(*told))[0] == 200
    found = server.get(f"/api/v1/alerts?alertname={name}&limit=500")[1]["alerts"]
    return sorted(alert["id"] for alert in found)


def status(server: Server, number: int) -> str:
    return server.get(f"/api/v1/alerts/{number}")[1]["status"]


def last(server: Server, number: int) -> dict:
    return server.get(f"/api/v1/alerts/{number}")[1]["changes"][-1]


def test_a_day_of_an_alert(user, server):
    (number,) = fired(server, "Day")
    one = str(number)
    for arguments, said, after in (
        (("ack", one, "-m", "looking"), "acknowledged", "acknowledged"),
        (("note", one, "-m", "the replica lags too"), "noted", "acknowledged"),
        (("assign", one), "assigned", "acknowledged"),
        (("suppress", one, "--for", "2h", "--reason", "maintenance"), "suppressed", "suppressed"),
        (("unsuppress", one), "unsuppressed", "active"),
        (("resolve", one, "--note", "added an index"), "resolved", "resolved"),
        (("reopen", one, "--reason", "it still times out"), "reopened", "active"),
    ):
        done = user.does(*arguments)
        assert (done.code, done.out, done.err) == (0, f"{said} {one}  Day is on\n", "")
        assert status(server, number) == after
    assert (last(server, number)["who"], last(server, number)["why"]) == ("ada", "it still times out")
    shown = user.does("show", one).out
    assert "assigned" in shown
    assert "ada" in shown


def test_json_is_the_alert_as_it_is_then(user, server):
    (number,) = fired(server)
    told = json.loads(user.does("ack", str(number), "--json").out)
    assert (told["id"], told["status"]) == (number, "acknowledged")


def test_who_is_said_or_known(user, server, tmp_path):
    (number,) = fired(server)
    one = str(number)
    user.does("note", one, "-m", "a")
    assert last(server, number)["who"] == "ada"
    user.does("note", one, "-m", "b", ALERTSAGE_WHO="ben@example.org")
    assert last(server, number)["who"] == "ben@example.org"
    user.does("note", one, "-m", "c", "--who", "cleo", ALERTSAGE_WHO="ben@example.org")
    assert last(server, number)["who"] == "cleo"
    file = tmp_path / ".config/alertsage/client.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("who: dora\n")
    file.chmod(0o600)
    user.does("note", one, "-m", "d")
    assert last(server, number)["who"] == "dora"
    user.does("assign", one)
    assert server.get(f"/api/v1/alerts/{number}")[1]["assignee"] == "dora"
    user.does("assign", one, "--to", "")
    assert not server.get(f"/api/v1/alerts/{number}")[1]["assignee"]


def test_what_does_not_fit_is_1_and_says_who_was_quicker(user, server):
    (number,) = fired(server)
    assert user.does("ack", str(number), "-m", "looking").code == 0
    assert user.does("ack", str(number), "-m", "looking").code == 0  # one's own again changes nothing
    done = user.does("ack", str(number), "--who", "ben")
    assert (done.code, done.out) == (1, "")
    assert "ada acknowledged it" in done.err
    assert "looking" in done.err
    assert len(done.err.splitlines()) == 1
    done = user.does("ack", "99999999")
    assert (done.code, done.err) == (1, f"{user.url}: there is no alert 99999999\n")


def test_several_are_one_call_all_or_none(user, server):
    numbers = fired(server, count=3)
    texts = [str(number) for number in numbers]
    done = user.does("ack", *texts, "99999999")
    assert done.code == 1
    assert [status(server, number) for number in numbers] == ["active"] * 3
    done = user.does("ack", *texts, texts[0], "--note", "all of them")
    assert (done.code, done.out) == (0, "acknowledged 3 alerts\n")
    assert {last(server, number)["why"] for number in numbers} == {"all of them"}
    told = json.loads(user.does("resolve", *texts, "--json").out)
    assert (told["changed"], told["skipped"]) == (3, 0)
    done = user.does("assign", *texts, "--to", "")
    assert done.code == 0


def test_a_query_is_counted_and_confirmed_first(user, server):
    numbers = fired(server, "Asked", count=3)
    done = user.does("ack", "--query", "name:Asked", told="n\n")
    assert done.code == 1
    assert "Acknowledge 3 alerts found by name:Asked status:active,acknowledged? [y/N]" in done.err
    assert {status(server, number) for number in numbers} == {"active"}
    assert user.does("ack", "--query", "name:Asked", told="").code == 1
    done = user.does("ack", "--query", "name:Asked", told="y\n")
    assert (done.code, done.out) == (0, "acknowledged 3 alerts\n")
    fired(server, "Asked", count=4)
    done = user.does("ack", "--query", "name:Asked", "--yes")
    assert (done.code, done.out) == (0, "acknowledged 1 alert; 3 alerts were so already\n")
    done = user.does("ack", "--query", "name:Asked", "--yes")
    assert (done.code, done.err) == (1, "all 4 alerts found by it are acknowledged already\n")
    assert user.does("resolve", "--query", "name:Asked", "--yes").out == "resolved 4 alerts\n"
    assert user.does("reopen", "--query", "name:Asked", "--yes").out == "reopened 4 alerts\n"
    assert user.does("suppress", "--query", "name:Asked", "--for", "1h", "--yes").out == "suppressed 4 alerts\n"
    assert user.does("unsuppress", "--query", "name:Asked", "--yes").out == "unsuppressed 4 alerts\n"
    done = user.does("ack", "--query", "name:Nosuch", "--yes")
    assert (done.code, done.err) == (1, "no alert is found by name:Nosuch\n")
    assert user.does("ack", "--query", "priority:urgent", "--yes").code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("ack",),
        ("ack", "x"),
        ("ack", "0"),
        ("ack", "1", "--query", "name:x"),
        ("note", "1"),
        ("suppress", "1"),
        ("suppress", "1", "--for", "1h", "--until", "2030-01-01T00:00:00Z"),
        ("suppress", "1", "--for", "soon"),
        ("suppress", "1", "--until", "soon"),
        ("ack", "1", "--who", "\x1b[31m"),
        ("silence", "add", "a=b", "-m", "x"),
        ("silence", "add", "a=b", "-m", "x", "--schedule", "0 2 * * *"),
        ("silence", "add", "a=b", "--for", "1h"),
        ("silence", "add", "a=~(", "--for", "1h", "-m", "x"),
        ("silence", "add", "a=b", "--for", "1h", "--schedule", "never", "-m", "x"),
        ("silence", "add", "--for", "1h", "-m", "x"),
        ("silence", "list", "--state", "old"),
        ("patterns", "--zone", "Mars/Olympus"),
        ("patterns", "--days", "0"),
        ("tokens", "create", "x"),
        ("tokens", "create", "no good name", "--scope", "read"),
        ("tokens", "create", "x", "--scope", "all"),
        ("tokens", "list", "--local", "--server", "http://127.0.0.1:1"),
    ],
)
def test_wrong_use_is_2(user, server, arguments):
    fired(server)
    done = user.does(*arguments)
    assert (done.code, done.out) == (2, ""), done
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err


def test_every_command_that_asks_ends_with_3_when_nobody_is_there(tmp_path):
    user = User(tmp_path, "http://127.0.0.1:1")
    for arguments in (
        ("alerts",),
        ("show", "1"),
        ("sources",),
        ("stats",),
        ("ack", "1"),
        ("ack", "1", "2"),
        ("resolve", "--query", "x"),
        ("silence", "add", "a=b", "--for", "1h", "-m", "x"),
        ("silence", "list"),
        ("silence", "expire", "1"),
        ("silence", "preview", "a=b"),
        ("patterns",),
        ("patterns", "hygiene"),
        ("tokens", "list"),
        ("tokens", "create", "x", "--scope", "read"),
        ("tokens", "revoke", "x"),
        ("tail",),
    ):
        done = user.does(*arguments)
        assert (done.code, done.out) == (3, ""), arguments
        assert done.err.startswith("http://127.0.0.1:1: cannot be reached (Connection refused)")
        assert len(done.err.splitlines()) == 1


# --- silences -------------------------------------------------------------------------------------------------------


def test_a_silence_from_its_preview_to_its_end(user, server):
    numbers = fired(server, "Hushed", count=2)
    done = user.does("silence", "preview", 'alertname="Hushed"', 'n=~"0|1"')
    assert done.code == 0
    assert [int(line.split()[0]) for line in done.lines[1:]] == sorted(numbers, reverse=True)
    assert user.does("silence", "preview", 'alertname="Nosuch"').code == 1
    done = user.does("silence", "add", 'alertname="Hushed"', "--for", "2h", "-m", "disks are replaced")
    assert done.code == 0
    assert done.lines[0].startswith("silence 1 is active until ")
    assert done.lines[0].endswith(" (for 2 h)")
    assert done.lines[1] == "it holds 2 open alerts now"
    done = user.does("silence", "list")
    assert done.lines[0].split() == ["ID", "STATE", "ENDS", "IN", "BY", "COMMENT", "MATCHERS"]
    assert done.lines[1].split() == ["1", "active", "2", "h", "ada", "disks", "are", "replaced", 'alertname="Hushed"']
    assert json.loads(user.does("silence", "list", "--json").out)["created_by"] == "ada"
    done = user.does("silence", "expire", "1")
    assert (done.code, done.out) == (0, "silence 1 has ended\n")
    assert user.does("silence", "list").code == 1
    assert user.does("silence", "list", "--state", "expired").code == 0
    assert user.does("silence", "expire", "99").code == 1


def test_a_silence_that_recurs_means_this_machines_time_zone(user):
    add = ("silence", "add", 'alertname="Backup"', "--schedule", "0 2 * * SUN", "--for", "3h", "-m", "weekly", "--json")
    assert json.loads(user.does(*add, TZ="Europe/Berlin").out)["zone"] == "Europe/Berlin"
    made = json.loads(user.does(*add, "--zone", "Asia/Tokyo").out)
    assert (made["zone"], made["lasts"], made["schedule"]) == ("Asia/Tokyo", "3h", "0 2 * * SUN")
    assert user.does("silence", "expire", str(made["id"]), str(made["id"] - 1)).code == 0


# --- patterns -------------------------------------------------------------------------------------------------------


def test_patterns_tell_the_numbers_of_the_api(user, server):
    fired(server, "Often", count=7)
    done = user.does("patterns", "--name", "Often", TZ="Europe/Berlin")
    assert done.code == 0
    assert done.lines[0].startswith("7 alerts in 7 days")
    assert "what it means" in done.lines
    assert any(line.split() == ["7", "0", "Often"] for line in done.lines)
    assert "Europe/Berlin" in done.out
    told = json.loads(user.does("patterns", "--name", "Often", "--json", "--zone", "UTC").out)
    assert (told["total_alerts"], told["zone"]) == (7, "UTC")
    assert user.does("patterns", "--name", "Nosuch").code == 1
    for line in user.does("patterns", COLUMNS="40").lines:
        assert len(line) <= 40


def test_hygiene_proposes(user, server):
    fired(server, "Kept", count=2)
    done = user.does("patterns", "hygiene", "--name", "Kept")
    assert done.code == 0
    assert any(line.split() == ["2", "0", "keep", "Kept"] for line in done.lines)
    told = json.loads(user.does("patterns", "hygiene", "--name", "Kept", "--json").out)
    assert [rule["name"] for rule in told["rules"]] == ["Kept"]


def test_sources_and_stats(user, server):
    fired(server)
    lines = [line.split() for line in user.does("sources").lines]
    assert lines[0][:3] == ["SOURCE", "SEEN", "OPEN"]
    assert any(line[0] == "alertmanager" and line[2] == "s" for line in lines)
    assert any(line[0] == "sentry" and line[1] == "never" for line in lines)
    told = json.loads(user.does("stats", "--json").out)
    assert user.does("stats").lines[0].startswith(f"{told['open']} open, {told['closed']} closed: ")


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_tokens_of_the_database_and_of_the_server(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    url = f"sqlite:///{folder}/a.db"
    with running(folder, url=url) as server:
        database = {"ALERTSAGE__DATABASE__URL": url}
        user = User(tmp_path, server.url)
        done = user.does("tokens", "create", "first", "--scope", "admin", "--local", **database)
        assert (done.code, len(done.lines)) == (0, 1)
        assert "stored nowhere" in done.err
        assert "From now on" in done.err
        admin = {"ALERTSAGE_TOKEN": done.lines[0]}
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while user.does("alerts").code != 4:
            assert datetime.now(UTC) < deadline
        done = user.does("tokens", "create", "eyes", "--scope", "read", "--expires", "90d", **admin)
        assert (done.code, len(done.lines)) == (0, 1)
        reads = {"ALERTSAGE_TOKEN": done.lines[0]}
        assert user.does("alerts", **reads).code == 1
        done = user.does("ack", "1", **reads)
        assert (done.code, done.out) == (4, "")
        assert len(done.err.splitlines()) == 1
        assert user.does("tokens", "list", **reads).code == 4
        for more in ((), ("--local",)):
            shown = user.does("tokens", "list", *more, **admin, **database)
            assert [line.split()[:2] for line in shown.lines[1:]] == [["eyes", "active"], ["first", "active"]]
            assert "90 d" in shown.out
            assert admin["ALERTSAGE_TOKEN"] not in shown.out
        for more in ((), ("--local",)):
            done = user.does("tokens", "create", "eyes", "--scope", "read", *more, **admin, **database)
            assert (done.code, done.out) == (1, "")
            assert "there is a token eyes already" in done.err
            done = user.does("tokens", "revoke", "nosuch", *more, **admin, **database)
            assert (done.code, done.out) == (1, "")
            assert done.err.endswith(": there is no token nosuch\n")
        assert user.does("tokens", "revoke", "eyes", **admin).out == "eyes is revoked\n"
        assert user.does("alerts", **reads).code == 4
        assert user.does("tokens", "forget", **database).code == 0
