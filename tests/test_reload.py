"""Reload by request, by signal and by changed files: all of it or nothing, and said."""

import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from receiver.errors import Mistakes
from receiver.flow.configuration import Configuration
from receiver.meters import Meters
from receiver.settings import load
from tests.monitoring import eventually
from tests.servers import firing, running, webhook

RULE = """
- id: mine
  rank: 500
  when: [ 'name = "Down"' ]
  say: [ {text: 'Call {label.owner|"the one who knows"}.'} ]
  examples:
    matches: [ {name: Down} ]
    ignores: [ {name: Up} ]
"""
CONFIG = "rules: {folder: mine}\n"


def first_advice(server, host):
    """What is recommended first for a new alert."""
    assert server.post("/webhook", webhook(firing("Down", host=host)))[0] == 200
    _, page = server.get("/api/v1/alerts?limit=1")
    return page["alerts"][0]["recommendations"][0]["text"]


def test_a_changed_rule_is_in_force_after_a_request_and_a_broken_one_changes_nothing(tmp_path):
    rules = tmp_path / "mine" / "recommendations"
    rules.mkdir(parents=True)
    with running(tmp_path, CONFIG) as server:
        assert first_advice(server, "a") != "Call the one who knows."
        (rules / "own.yaml").write_text(RULE)
        assert server.post("/-/reload", b"") == (200, {"reloaded": True, "needs_restart": []})
        assert first_advice(server, "b") == "Call the one who knows."
        (rules / "own.yaml").write_text(RULE.replace("when: [ 'name", "when: [ 'nmae"))
        status, answer = server.post("/-/reload", b"")
        assert status == 400
        assert "own.yaml:4: mine.when.0: 'nmae' cannot be tested" in answer["detail"]
        assert first_advice(server, "c") == "Call the one who knows."


def test_a_repeat_after_a_reload_is_described_by_the_new_rules(tmp_path):
    rules = tmp_path / "mine" / "recommendations"
    rules.mkdir(parents=True)
    with running(tmp_path, CONFIG) as server:
        first_advice(server, "a")
        (rules / "own.yaml").write_text(RULE)
        server.post("/-/reload", b"")
        assert first_advice(server, "a") == "Call the one who knows."


def test_a_changed_file_is_noticed_and_a_signal_works_too(tmp_path):
    rules = tmp_path / "mine" / "recommendations"
    rules.mkdir(parents=True)
    with running(tmp_path, CONFIG) as server:
        (rules / "own.yaml").write_text(RULE)
        eventually(lambda: "reloaded the configuration" in server.log.read_text(), 10)
        assert first_advice(server, "a") == "Call the one who knows."
        (tmp_path / "config.yaml").write_text("sources: {}\nservr: 3\n")
        eventually(lambda: "not reloaded: config.yaml:2: servr: is not a setting" in server.log.read_text(), 10)
        assert "alertsage_last_reload_success 0.0" in server.get("/metrics")[1]
        (tmp_path / "config.yaml").write_text("limits: {queue: 7}\n")
        server.process.send_signal(signal.SIGHUP)
        eventually(lambda: "limits.queue changed: it takes effect after a restart" in server.log.read_text(), 10)


def test_what_needs_a_restart_is_told_at_each_reload_until_then(tmp_path):
    with running(tmp_path) as server:
        (tmp_path / "config.yaml").write_text("limits: {queue: 7}\n")
        for _ in range(2):
            assert server.post("/-/reload", b"")[1]["needs_restart"] == ["limits.queue"]


@pytest.mark.parametrize(
    "text",
    ["", "server: {listen: '127.0.0.1:1'}\n", "server: {token: t}\n", None],
)
def test_no_reload_takes_the_secrets_from_an_address_that_others_reach(tmp_path, monkeypatch, text):
    """The address in force stays that of the start, so it is by that one that secrets are asked for."""
    monkeypatch.chdir(tmp_path)
    safe = "server: {listen: '0.0.0.0:9911', token: t}\nsources: {alertmanager: {auth: {bearer: b}}}\n"
    Path("config.yaml").write_text(safe)
    configuration = Configuration(lambda: load(None, {}), Meters())
    if text is None:
        Path("config.yaml").unlink()
    else:
        Path("config.yaml").write_text(text)
    with pytest.raises(Mistakes, match=r"lets other machines in without a secret|is gone"):
        configuration.reload()
    assert configuration.setup.settings.server.token is not None
    Path("config.yaml").write_text(safe.replace("bearer: b", "bearer: c"))
    assert configuration.reload() == ()


def test_a_source_added_by_a_reload_takes_webhooks(tmp_path):
    with running(tmp_path) as server:
        assert server.post("/webhook/alertmanager/second", webhook(firing("Down")))[0] == 404
        (tmp_path / "config.yaml").write_text("sources: {alertmanager: {}, second: {kind: alertmanager}}\n")
        assert server.post("/-/reload", b"")[0] == 200
        assert server.post("/webhook/alertmanager/second", webhook(firing("Down")))[0] == 200
        _, page = server.get("/api/v1/alerts?source=second")
        assert len(page["alerts"]) == 1


def test_of_two_reloads_at_once_the_later_one_is_in_force(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first_is_reading, second_is_done = threading.Event(), threading.Event()
    read = iter(("start", "first", "second"))

    def slowly():
        name = next(read)
        Path("config.yaml").write_text(f"sources: {{{name}: {{}}}}\n")
        settings = load(None, {})
        if name == "first":
            first_is_reading.set()
            second_is_done.wait(0.3)  # the second one is not done before the first: it waits for it
        return settings

    def second():
        first_is_reading.wait()
        configuration.reload()
        second_is_done.set()

    configuration = Configuration(slowly, Meters())
    threads = [threading.Thread(target=configuration.reload), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(configuration.setup.settings.sources) == ["second"]


RELOADING = """
import shutil
from functools import partial
from receiver.errors import Mistakes
from receiver.flow.configuration import Configuration
from receiver.meters import Meters
from receiver.settings import load
configuration = Configuration(partial(load, None, {}), Meters())
shutil.rmtree("rules")
try:
    configuration.reload()
except Mistakes as told:
    print(len(configuration.setup.book.rules) > 500, told)
"""


def test_an_installation_without_its_own_rules_is_told_and_a_reload_keeps_the_old_ones(tmp_path):
    here = Path(__file__).parent.parent
    for part in ("receiver", "enrichers", "rules", "templates"):
        shutil.copytree(here / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))

    def run(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            check=False,
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    told = (
        f"rules: did not come with this installation (looked for {tmp_path}/receiver/_data/rules and {tmp_path}/rules)"
    )
    reloaded = run("-c", RELOADING)
    assert reloaded.stdout == f"True {told}; install alertsage again\n", reloaded.stderr
    for command in ("check", "serve"):
        done = run("-m", "receiver", command)
        assert (done.returncode, done.stderr) == (2, f"{told}; install alertsage again\n")
    (tmp_path / "rules").mkdir()
    done = run("-m", "receiver", "check")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "rules: " in done.stderr
