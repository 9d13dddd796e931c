"""docs/senders cannot lie: its configurations are checked, its bodies posted, its commands run."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from receiver.settings import load
from receiver.sources import SENDERS
from tests.servers import ALERTSAGE, running
from tests.support import Site, serving

REPO = Path(__file__).parent.parent
PAGES = {page.stem: page.read_text() for page in sorted((REPO / "docs/senders").glob("*.md"))}
GENERIC = PAGES["generic"]
EXAMPLES = re.findall(r"```yaml example=(\S+)\n", GENERIC)


def block(kind: str, name: str) -> str:
    """The block of that kind for that sender."""
    (found,) = re.findall(rf"```{kind}={name}\n(.*?)```", GENERIC, re.DOTALL)
    return found


def test_every_kind_of_sender_has_a_page() -> None:
    assert set(PAGES) == set(SENDERS)
    for page in PAGES.values():
        assert "## What goes wrong" in page


@pytest.mark.parametrize(
    "config",
    [
        found
        for page in PAGES.values()
        for found in re.findall(r"```yaml (?:config|example=\S+)\n(.*?)```", page, re.DOTALL)
    ],
)
def test_every_configuration_is_right(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.yaml").write_text(config)
    assert load(tmp_path / "config.yaml", {}).sources


def needs(*programs: str) -> None:
    """Skips, saying so, where a program is not installed."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {program}")


async def listed(site: Site) -> dict[str, Any]:
    """The one alert."""
    (alert,) = (await site.get("/api/v1/alerts")).json["alerts"]
    return dict(alert)


def test_there_are_three_examples_of_other_senders() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("name", EXAMPLES)
async def test_an_example_shows_what_the_page_says(tmp_path: Path, name: str) -> None:
    shown = json.loads(block("json shows", name))
    async with serving(tmp_path, block("yaml example", name)) as site:
        address = f"/webhook/generic/{name}?token=change-me"
        answer = await site.post(address, block("json example", name).encode())
        assert (answer.status, answer.json["outcomes"]) == (200, {"opened": 1})
        alert = await listed(site)
        assert {key: alert[key] for key in shown} == shown
        assert not alert["started_at"].startswith("2026-11-24")
        await site.post(address, block("json example", name).encode())
        assert (await listed(site))["notification_count"] == 2
        answer = await site.post(address, block("json resolves", name).encode())
        assert answer.json["outcomes"] == {"resolved": 1}
        assert (await listed(site))["status"] == "resolved"
        broken = await site.post(address, b'{"other": {"words": 1}, "heartbeat": {}, "data": {"x": 1}}')
        assert broken.status == 400
        assert broken.json["detail"].startswith(f"sources.{name}.mapping.")


@pytest.mark.parametrize("name", EXAMPLES)
def test_explain_tries_an_example(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_text(block("yaml example", name))
    (tmp_path / "body.json").write_text(block("json example", name))
    command = [ALERTSAGE, "explain", "--json", "--source", name, "body.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["title"] == json.loads(block("json shows", name))["title"]


COMMANDS = [
    command
    for page in PAGES.values()
    for command in re.findall(r"^\$ (curl .*)$", page, re.MULTILINE)
    if "sign " not in command
]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_test_commands_work_as_they_are_printed(tmp_path: Path, command: str) -> None:
    needs("curl")
    with running(tmp_path) as server:
        ours = command.replace("http://127.0.0.1:9911", server.url)
        done = subprocess.run(ours, shell=True, cwd=REPO, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["outcomes"], done.stdout


def test_the_signed_command_works_as_it_is_printed(tmp_path: Path) -> None:
    needs("curl", "openssl")
    lines = [
        line.removeprefix("$ ") for line in PAGES["sentry"].splitlines() if "sign" in line and line.startswith("$ ")
    ]
    (config, *_) = re.findall(r"```yaml config\n(.*?)```", PAGES["sentry"], re.DOTALL)
    with running(tmp_path, config) as server:
        ours = "\n".join(lines).replace("http://127.0.0.1:9911", server.url)
        done = subprocess.run(ours, shell=True, cwd=REPO, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["outcomes"] == {"opened": 1}, done.stdout
