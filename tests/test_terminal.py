"""The commands that look, run as their users run them against a real server."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from wcwidth import width

from tests.commands import ANSI, User
from tests.servers import ALERTSAGE, Server, ask, firing, running, webhook

pytestmark = pytest.mark.only("sqlite")
LONG = "Disk /var/lib/postgresql of db-1 is 97% full, and so is every other disk of the machines that stand beside it"
NASTY = 'evil \x1b[31mred\x1b[0m\x07\r\nsecond line \u202e reversed <b> {{ 7*7 }} "quoted"'
WIDE = "磁盘已满 数据库服务器 磁盘已满 数据库服务器 磁盘已满 数据库服务器"


def begun(**ago: float) -> str:
    """A start so long ago."""
    return (datetime.now(UTC) - timedelta(**ago)).isoformat().replace("+00:00", "Z")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with running(folder, url=f"sqlite:///{folder}/alertsage.db") as started:
        alerts = [
            firing("DiskFull", begun(minutes=12, seconds=30), {"summary": LONG}, instance="db-1", severity="critical"),
            firing("HighCpu", begun(hours=3, minutes=5), {"summary": "CPU of web-1"}, instance="web-1"),
            firing("Nasty", begun(days=2, hours=1), {"summary": NASTY}, instance="x", severity="info"),
            firing("Wide", begun(seconds=1), {"summary": WIDE}, instance="y", severity="high"),
        ]
        assert started.post("/webhook", webhook(*alerts))[0] == 200
        yield started


@pytest.fixture
def user(server: Server, tmp_path: Path) -> User:
    return User(tmp_path, server.url)


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [200, 100, 80, 60, 40, 20, 5, 1])
def test_a_table_is_never_wider_than_the_window(user, columns):
    shown = user.sees("alerts", columns=columns)
    lines = ANSI.sub("", shown.out).splitlines()
    assert shown.code == 0
    assert len(lines) == 5
    assert max(map(width, lines)) <= columns


def test_at_80_columns_the_title_has_room(user):
    lines = ANSI.sub("", user.sees("alerts", columns=80).out).splitlines()
    assert lines[0].split() == ["ID", "PRIORITY", "STATUS", "AGE", "SEEN", "TOLD", "TITLE"]
    first = next(line for line in lines if "Disk" in line)
    assert first.split()[:5] == ["1", "critical", "active", "12", "m"]
    assert first.endswith("…")
    assert width(first) > 75


def test_at_40_columns_what_matters_is_there(user):
    lines = ANSI.sub("", user.sees("alerts", columns=40).out).splitlines()
    assert lines[0].split() == ["ID", "PRIORITY", "STATUS", "TITLE"]
    assert "Disk /var/lib/p" in lines[1]


def test_most_urgent_first_and_ages_in_their_largest_unit(user):
    done = user.does("alerts")
    assert [line.split()[1] for line in done.lines[1:]] == ["critical", "high", "medium", "info"]
    for age in ("12 m", "3 h", "2 d"):
        assert f" {age} " in done.out


def test_through_a_pipe_nothing_is_cut_or_coloured(user):
    done = user.does("alerts")
    assert (done.code, done.err) == (0, "")
    assert LONG in done.out
    assert "\x1b" not in done.out
    assert all(line == line.rstrip() for line in done.lines)
    assert max(map(width, user.does("alerts", COLUMNS="60").lines)) <= 60


def test_colours_are_for_terminals_that_want_them(user):
    assert "\x1b[" in user.sees("alerts", columns=80).out
    assert "\x1b" not in user.sees("alerts", columns=80, NO_COLOR="any").out


def test_what_senders_wrote_is_not_obeyed_and_stays_on_its_line(user):
    done = user.does("alerts", "name:Nasty")
    assert len(done.lines) == 2
    assert "evil \ufffd[31mred\ufffd[0m\ufffd second line \ufffd reversed" in done.out
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)
    shown = user.does("show", "3")
    assert shown.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(shown.out)


def test_a_terminal_that_knows_no_unicode(user):
    done = subprocess.run(
        [ALERTSAGE, "alerts"],
        env=user.environment({"PYTHONIOENCODING": "latin-1"}),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"???" in done.stdout


# --- what is asked for ----------------------------------------------------------------------------------------------


def test_json_is_an_alert_a_line(user):
    done = user.does("alerts", "--json", "--sort", "newest")
    alerts = [json.loads(line) for line in done.lines]
    assert [alert["id"] for alert in alerts] == [4, 3, 2, 1]
    assert alerts[1]["title"] == NASTY.strip()
    assert not {"\x1b", "\x07", "\u202e"} & set(done.out)


def test_a_query_of_several_words(user):
    assert len(user.does("alerts", "priority:critical,high").lines) == 3
    assert len(user.does("alerts", "priority:critical", "label.instance=db-1").lines) == 2
    assert len(user.does("alerts", 'priority:critical "is 97% full"').lines) == 2


def test_nothing_found_is_1(user):
    done = user.does("alerts", "priority:critical", "CPU")
    assert (done.code, done.out, done.err) == (1, "", "no alert is found by priority:critical CPU status:open\n")
    done = user.does("alerts", "status:resolved")
    assert (done.code, done.err) == (1, "no alert is found by status:resolved\n")
    assert user.does("alerts", "--json", "nosuch").out == ""


def test_a_mistake_in_the_query_is_2_and_told_where(user):
    done = user.does("alerts", "priority:urgent")
    assert (done.code, done.out) == (2, "")
    assert "urgent" in done.err
    assert "(at character 10 " in done.err
    assert len(done.err.splitlines()) == 1


def test_limit_and_all(user):
    done = user.does("alerts", "--limit", "3")
    assert (done.code, len(done.lines)) == (0, 4)
    assert done.err == "There are more than these 3: --all shows them, --limit N so many.\n"
    for more in ("--all",), ("--limit", "4"), ("--limit", "1000"):
        done = user.does("alerts", *more)
        assert (done.code, len(done.lines), done.err) == (0, 5, "")


def test_show_is_explain_alert(user):
    shown, explained = user.does("show", "1"), user.does("explain", "--alert", "1")
    assert (shown.code, shown.out) == (0, explained.out)
    assert shown.out.startswith("CRITICAL  Disk")
    assert json.loads(user.does("show", "1", "--json").out)["id"] == 1
    done = user.does("show", "99")
    assert (done.code, done.err) == (1, f"{user.url}: there is no alert 99\n")


# --- which server, with which token ---------------------------------------------------------------------------------


def client_yaml(home: Path, text: str, mode: int = 0o600, folder: str = ".config") -> Path:
    file = home / folder / "alertsage" / "client.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(mode)
    return file


@contextmanager
def guarded(folder: Path) -> Iterator[str]:
    """A server that asks for the token `s3cret`; its address."""
    folder.mkdir()
    with running(folder, "server: {token: s3cret}\n", url=f"sqlite:///{folder}/a.db", ready=True) as started:
        yield started.url


def test_the_server_and_the_token_of_client_yaml(tmp_path, server):
    with guarded(tmp_path / "server") as url:
        home = tmp_path / "home"
        file = client_yaml(home, f"url: {url}\ntoken_file: token\n")
        (file.parent / "token").write_text("s3cret\n")
        nobody = User(home)
        assert (nobody.does("alerts").code, nobody.does("alerts").err) == (1, "no alert is found by status:open\n")
        assert nobody.does("alerts", ALERTSAGE_TOKEN="wrong").code == 4
        # the file's token goes to no other server
        assert nobody.does("alerts", "--server", url + "/").code == 1
        with listening() as (other, heard):
            assert nobody.does("alerts", "--server", other).code == 3
            assert nobody.does("alerts", ALERTSAGE_URL=other).code == 3
        assert b"GET /api/v1/alerts" in heard[0]
        assert not any(b"s3cret" in one for one in heard)
        # a configuration that is named is meant
        (home / "mine.yaml").write_text(f"server: {{listen: '{server.url.removeprefix('http://')}'}}\n")
        assert nobody.does("alerts", "--config", "mine.yaml").code == 0
        # as elsewhere
        moved = tmp_path / "moved"
        client_yaml(moved, f"url: {url}\ntoken: s3cret\n", folder="xdg")
        assert User(moved).does("alerts", XDG_CONFIG_HOME=str(moved / "xdg")).code == 1


def test_the_token_of_the_environment(tmp_path):
    with guarded(tmp_path / "server") as url:
        (tmp_path / "right").write_text("s3cret\n")
        (tmp_path / "wrong").write_text("wrong\n")
        user = User(tmp_path, url)
        assert user.does("alerts").code == 4
        assert user.does("alerts", ALERTSAGE_TOKEN="s3cret").code == 1
        assert user.does("alerts", ALERTSAGE_TOKEN_FILE="right").code == 1
        assert user.does("alerts", ALERTSAGE_TOKEN="s3cret", ALERTSAGE_TOKEN_FILE="wrong").code == 1
        assert user.does("alerts", "--token-file", "right", ALERTSAGE_TOKEN="wrong").code == 1
        assert user.does("alerts", "--token-file", "wrong", ALERTSAGE_TOKEN="s3cret").code == 4
        assert "s3cret" not in user.does("alerts", "--token-file", "right", "--json").err


@pytest.mark.parametrize(
    ("text", "mode", "sentence"),
    [
        ("url: http://127.0.0.1:1\n", 0o644, ": can be read or written by others; use `chmod 600 "),
        ("url: http://127.0.0.1:1\n", 0o620, ": can be read or written by others; use `chmod 600 "),
        ("url: 127.0.0.1:1\n", 0o600, ': url: "127.0.0.1:1" is not the address of a server'),
        ("uri: http://x\n", 0o600, ":1: uri: is not a setting; there is url, token, token_file, who"),
        ("url: [a]\n", 0o600, ":1: url: must be a text"),
        (
            "url: http://x\ntoken: a\ntoken_file: b\n",
            0o600,
            ':3: token_file: is given beside "token"; keep one of them',
        ),
        ("url: http://x\ntoken_file: nofile\n", 0o600, ": token_file: "),
        ("- a\n", 0o600, ": must hold `name: value` lines"),
        ("url: {\n", 0o600, ":"),
        ("\x00", 0o600, ":"),
    ],
)
def test_mistakes_in_client_yaml(tmp_path, text, mode, sentence):
    file = client_yaml(tmp_path, text, mode)
    done = User(tmp_path).does("alerts")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{file}{sentence}")
    assert len(done.err.splitlines()) == 1


# --- servers that are away, or none ---------------------------------------------------------------------------------


@contextmanager
def listening(answer: bytes = b"", pause: float = 0) -> Iterator[tuple[str, list[bytes]]]:
    """Something that is no alertsage: answers every connection with these bytes; its address, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536))
                    try:
                        connection.sendall(answer)
                    except OSError:
                        continue
                    time.sleep(pause)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard


def http(body: bytes, status: str = "200 OK", more: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
    return head + more + b"\r\n" + body


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "broke the connection off (Remote end closed connection without response) before it had answered"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not answer as alertsage does (BadStatusLine)"),
        (http(b"<html>hello</html>"), "answered 200 and not as alertsage does: is this its address?"),
        (http(b"{}"), "answered with something else than was asked for"),
        (http(b'{"alerts": [1]}'), "answered with something else than was asked for"),
        (http(b'{"alerts": [{"id": 1}]}'), "answered with something else than was asked for"),
        (http(b'{"alerts": "x\\ud800"}'), "answered 200 and not as alertsage does"),
        (http(b"[" * 100_000), "answered 200 and not as alertsage does"),
        (http(b"", "302 Found", b"Location: http://127.0.0.1:1/\r\n"), "answered 302 and not as alertsage does"),
        (http(b"Bad gateway", "502 Bad Gateway"), "answered 502 and not as alertsage does"),
        (
            http(b'{"status": 503, "detail": "the database\\u001b is away"}', "503 Service Unavailable"),
            "the database  is away",
        ),
        (http(b"{}")[:-1], "does not answer as alertsage does (IncompleteRead)"),
    ],
)
def test_an_answer_that_is_not_alertsages_is_3(tmp_path, answer, sentence):
    with listening(answer) as (url, _):
        done = User(tmp_path, url).does("alerts")
    assert done.err.startswith(f"{url}: {sentence}")
    assert (done.code, done.out) == (3, "")
    assert len(done.err.splitlines()) == 1


def test_a_server_that_is_not_there_is_3(tmp_path):
    for url in ("http://127.0.0.1:1", "https://127.0.0.1:1", "http://nosuch.invalid"):
        done = User(tmp_path, url).does("alerts")
        assert (done.code, done.out) == (3, "")
        assert done.err.startswith(f"{url}: cannot be reached (")
        assert len(done.err.splitlines()) == 1


def test_https_where_there_is_none_is_3(tmp_path, server):
    url = server.url.replace("http:", "https:")
    done = User(tmp_path, url).does("alerts")
    assert done.code == 3
    assert done.err.startswith(f"{url}: cannot be reached (")
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("alerts", "--limit", "0"),
        ("alerts", "--sort", "colour"),
        ("show", "x"),
        ("show", "0"),
        ("show",),
        ("tail", "--since", "soon"),
        ("nosuch",),
        ("alerts", "--server", "localhost:9911"),
        ("alerts", "--server", "http://a..b/"),
    ],
)
def test_wrong_use_is_2(user, arguments):
    done = user.does(*arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err


# --- pipes, Ctrl-C --------------------------------------------------------------------------------------------------


def test_a_reader_that_goes_away_is_no_error(tmp_path):
    with running(tmp_path, url=f"sqlite:///{tmp_path}/a.db") as server:
        many = [firing("Many", begun(minutes=1), {"summary": "x" * 200}, n=str(n)) for n in range(1000)]
        assert server.post("/webhook/alertmanager", webhook(*many))[0] == 200
        user = User(tmp_path, server.url)
        for form in ("", "--json"):
            done = subprocess.run(
                ["bash", "-c", f"set -o pipefail; {ALERTSAGE} alerts --all {form} | head -n 2"],
                env=user.environment({}),
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (141, "", 2)
        assert len(user.does("alerts", "--all").lines) == 1001
        assert len({json.loads(line)["id"] for line in user.does("alerts", "--all", "--json").lines}) == 1000


def test_ctrl_c_is_quiet(tmp_path):
    with listening(pause=30) as (url, heard), User(tmp_path, url).doing("alerts") as command:
        while not heard:
            time.sleep(0.01)
        assert (command.interrupt(), command.out, command.err) == (130, "", "")


# --- tail -----------------------------------------------------------------------------------------------------------


def test_tail_prints_what_happens_also_over_a_restart(tmp_path):
    folder = tmp_path / "server"
    folder.mkdir()
    url = f"sqlite:///{folder}/a.db"
    with running(folder, url=url) as server:
        port = int(server.url.rpartition(":")[2])
        server.post("/webhook", webhook(firing("Before", begun(minutes=1))))
        with User(tmp_path, server.url).doing("tail", "--interval", "200ms") as tail:
            tail.quiet(1.5)
            assert (tail.out, tail.err) == ("", "")
            server.post("/webhook", webhook(firing("First", begun(minutes=1), severity="critical")))
            tail.until("First")
            server.kill()
            tail.until("waiting")
            with running(folder, port=port, url=url) as again:
                again.post("/webhook", webhook(firing("Second", begun(minutes=1))))
                tail.until("is back")
                tail.until("Second")
                tail.quiet(0.6)
                assert tail.interrupt() == 0
        assert [line.split()[1:4] for line in tail.out.splitlines()] == [
            ["2", "critical", "opened"],
            ["3", "medium", "opened"],
        ]
        assert tail.err == (
            f"{server.url}: cannot be reached (Connection refused): is alertsage running there?"
            f" --server names another; waiting for it\n{server.url}: is back\n"
        )


def test_tail_since_json_and_a_query(user, server):
    with user.doing("tail", "--json", "--since", "1h", "priority:critical,high") as tail:
        tail.until('"name":"Wide"')
        assert tail.interrupt() == 0
    changes: list[dict[str, Any]] = [json.loads(line) for line in tail.out.splitlines()]
    assert [(one["alert"]["name"], one["kind"]) for one in changes] == [("DiskFull", "opened"), ("Wide", "opened")]


def test_tail_tells_a_mistake_at_once(user):
    assert user.does("tail", "priority:urgent").code == 2
    assert User(user.home, "http://127.0.0.1:1").does("tail").code == 3


# --- start ----------------------------------------------------------------------------------------------------------


def test_light_commands_load_no_server_and_serve_loads_no_commands(tmp_path):
    heavy = ("aiohttp", "pydantic", "sqlalchemy", "jinja2", "receiver.settings", "receiver.store", "wcwidth")
    program = "import sys; from receiver.__main__ import main; print([m for m in sys.modules])"
    loaded = subprocess.run([os.sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert not [name for name in heavy if f"'{name}'" in loaded]


def test_help_says_how_to_set_it_up(user):
    shown = user.does("--help").out
    for word in ("ALERTSAGE_URL", "ALERTSAGE_TOKEN", "client.yaml", "chmod 600"):
        assert word in shown
    assert ask(user.url + "/healthz")[0] == 200
