"""`alertsage tokens --local`, on the database itself: without a server, and beside one."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from receiver.domain.tokens import PREFIX
from tests import engines
from tests.engines import address
from tests.monitoring import eventually
from tests.servers import ALERTSAGE, ask, firing, running, webhook
from tests.tokens import sent


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`alertsage tokens ...` on the database of the configuration in that folder; `forget` knows no other."""
    config = folder / "config.yaml"
    if not config.exists():
        config.write_text(f"database: {{url: '{address(folder)}'}}")
    local = [] if arguments[0] == "forget" else ["--local"]
    line = [ALERTSAGE, "tokens", arguments[0], "--config", config, *local, *arguments[1:]]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_the_first_token_is_made_without_a_server_and_known_to_it_later(tmp_path: Path) -> None:
    done = command(tmp_path, "create", "first", "--scope", "admin", "--scope", "read", "--expires", "90d")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"asg_[0-9a-f]{64}\n", done.stdout)
    assert "From now on requests without a token are refused" in done.stderr
    assert done.stdout.strip() not in done.stderr
    again = command(tmp_path, "create", "second", "--scope", "read")
    assert "From now on" not in again.stderr
    taken = command(tmp_path, "create", "first", "--scope", "read")
    assert (taken.returncode, taken.stdout) == (1, "")
    assert taken.stderr == "NAME: there is a token first already: revoke it first, or choose another name\n"
    (first, second) = map(json.loads, command(tmp_path, "list", "--json").stdout.splitlines())
    assert (first["name"], first["scopes"], second["name"]) == ("first", ["read", "admin"], "second")
    assert first["created_by"].endswith(" (command)")
    with running(tmp_path) as server:
        assert server.get("/api/v1/alerts")[0] == 401
        assert ask(f"{server.url}/api/v1/tokens", None, sent(done.stdout.strip()))[0] == 200


def test_who_makes_the_first_token_of_a_server_is_told_what_that_means(tmp_path: Path) -> None:
    with running(tmp_path, f"database: {{url: '{address(tmp_path)}'}}") as server:

        def create(name: str, scope: str, token: str = "") -> "subprocess.CompletedProcess[str]":
            line = [ALERTSAGE, "tokens", "create", "--server", server.url, name, "--scope", scope]
            env = os.environ | {"ALERTSAGE_TOKEN": token}
            return subprocess.run(line, capture_output=True, text=True, check=False, env=env)

        done = create("ada", "act")
        assert done.returncode == 0, done.stderr
        assert re.fullmatch(r"asg_[0-9a-f]{64}\n", done.stdout)
        assert "From now on requests without a token are refused" in done.stderr
        assert "This one may make no other: --local does." in done.stderr
        assert create("ben", "act").returncode == 4
        admin = command(tmp_path, "create", "root", "--scope", "admin").stdout.strip()
        again = eventually(lambda: (made := create("ben", "act", admin)).returncode == 0 and made, 10)
        assert "From now on" not in again.stderr


def test_beside_a_running_server_commands_take_effect_within_two_seconds(tmp_path: Path) -> None:
    config = f"database: {{url: '{address(tmp_path)}'}}"
    with running(tmp_path, config) as server:
        assert server.get("/api/v1/alerts")[0] == 200
        token = command(tmp_path, "create", "ci", "--scope", "read").stdout.strip()
        eventually(lambda: server.get("/api/v1/alerts")[0] == 401, 2)
        assert ask(f"{server.url}/api/v1/alerts", None, sent(token))[0] == 200
        assert server.post("/webhook", webhook(firing("A")))[0] == 200
        assert command(tmp_path, "revoke", "ci").stdout == "ci is revoked; servers refuse it within two seconds\n"
        eventually(lambda: ask(f"{server.url}/api/v1/alerts", None, sent(token))[0] == 401, 2)
        told = command(tmp_path, "forget").stdout
        assert told == "1 tokens are forgotten; requests from this machine are answered without a token again\n"
        eventually(lambda: server.get("/api/v1/alerts")[0] == 200, 2)
        assert server.get("/api/v1/alerts")[1]["alerts"][0]["name"] == "A"


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "A b", "--scope", "read"), "NAME: a token's name has up to 63"),
        (("create", "server.token", "--scope", "read"), "NAME: server.token is no name"),
        (("create", "a"), "Missing option '--scope'"),
        (("create", "a", "--scope", "root"), "'root' is not one of"),
        (("create", "a", "--scope", "read", "--expires", "soon"), '--expires: "soon" is not a duration'),
        (("create", "a", "--scope", "read", "--expires", "0s"), "--expires: must be longer than 0s"),
    ],
)
def test_mistakes_at_the_command_line(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    command(tmp_path, "create", "one", "--scope", "read")
    done = command(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(
    ("name", "told"),
    [("nobody", "there is no token nobody\n"), (PREFIX + "0" * 64, "there is no token asg_[redacted]\n")],
)
def test_an_unknown_token_is_found_nowhere(tmp_path: Path, name: str, told: str) -> None:
    command(tmp_path, "create", "one", "--scope", "read")
    done = command(tmp_path, "revoke", name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(f"alertsage.db: {told}")


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("arguments", [("list",), ("revoke", "a"), ("forget",)])
def test_only_making_a_token_makes_a_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = command(tmp_path, *arguments)
    assert done.returncode == 2
    assert "alertsage.db is not there" in done.stderr
    assert not (tmp_path / "alertsage.db").exists()


@pytest.mark.only("sqlite")
def test_a_database_of_another_version_is_left_alone(tmp_path: Path) -> None:
    command(tmp_path, "create", "one", "--scope", "read")
    engines.ask(address(tmp_path), "UPDATE alembic_version SET version_num = '0003'")
    for arguments in (("create", "a", "--scope", "read"), ("list",), ("revoke", "one")):
        done = command(tmp_path, *arguments)
        assert done.returncode == 2
        assert "run `alertsage db upgrade`" in done.stderr


def test_tokens_come_back_with_a_backup(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "config.yaml").write_text(f"database: {{url: '{address(folder)}'}}")
    command(old, "create", "kept", "--scope", "read")
    for folder, *arguments in ((old, "backup"), (new, "restore")):
        line = [ALERTSAGE, "db", *arguments, "--config", folder / "config.yaml", tmp_path / "file"]
        subprocess.run(line, check=True, capture_output=True)
    assert command(new, "create", "more", "--scope", "read").returncode == 0
    assert [json.loads(line)["name"] for line in command(new, "list", "--json").stdout.splitlines()] == ["kept", "more"]
