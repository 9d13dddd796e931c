"""docs/terminal.md shows what the commands really print; `python -m tests.test_docs_terminal` writes it anew."""

import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from receiver.__main__ import main
from tests.commands import User
from tests.servers import firing, running, webhook

PAGE = Path(__file__).parent.parent / "docs" / "terminal.md"
_SHOWN = re.compile(r"```text (?P<name>\w+)\n(?P<shown>.*?)```", re.DOTALL)
_CLOCK = re.compile(r"(?m)^(?:\d\d-\d\d )?\d\d:\d\d:\d\d")


def begun(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat().replace("+00:00", "Z")


def shown(folder: Path) -> dict[str, str]:
    """What each example of the page prints, in a window of 100 columns."""
    told: dict[str, str] = {}
    home = folder / "home"
    home.mkdir()
    with running(folder, url=f"sqlite:///{folder}/a.db") as server:
        user = User(home, server.url)

        def keep(name: str, *arguments: str) -> None:
            done = user.does(*arguments, COLUMNS="100")
            assert (done.code, done.err) == (0, "")
            told[name] = done.out

        for alert in (
            firing("DiskFull", begun(minutes=12, seconds=9), DISK, instance="db-1:9100", severity="critical"),
            firing("HighLatency", begun(hours=3, minutes=1), SLOW, service="checkout", severity="warning"),
        ):
            assert server.post("/webhook/alertmanager", webhook(alert))[0] == 200
        told["alerts"] = re.sub(r"(?<=  )[ \d]\d s(?=  )", " 1 s", user.does("alerts", COLUMNS="100").out)
        keep("ack", "ack", "1", "2", "-m", "looking at it")
        with user.doing("tail", "--since", "1h", "--interval", "200ms", COLUMNS="100") as tail:
            tail.until("(ada: looking at it)\n")
            tail.until("acknowledged  Checkout")
            tail.quiet(0.5)
            assert tail.interrupt() == 0
        clock = iter(f"06:4{minute}:17" for minute in range(10))
        told["tail"] = _CLOCK.sub(lambda _: next(clock), tail.out)
        keep("silence", "silence", "add", 'alertname="DiskFull"', 'instance=~"db-.*"', "--for", "2h", "-m", "x")
        told["silence"] = re.sub(r"until \S+", "until 2026-11-28T08:45:12.305Z", told["silence"])
    return told


DISK = {"summary": "Disk /var/lib/postgresql of db-1 is 97% full"}
SLOW = {"summary": "Checkout answers slowly"}


def written_anew(page: str, told: dict[str, str]) -> str:
    return _SHOWN.sub(lambda found: f"```text {found['name']}\n{told[found['name']]}```", page)


@pytest.mark.only("sqlite")
def test_the_examples_are_what_is_printed(tmp_path):
    page = PAGE.read_text()
    assert written_anew(page, shown(tmp_path)) == page
    assert len(_SHOWN.findall(page)) == 4


def test_every_command_and_exit_code_is_documented():
    page = PAGE.read_text() + (PAGE.parent / "tokens.md").read_text()
    local = {"serve", "check", "explain", "rules", "replay", "db", "version"}
    for name in main.commands.keys() - local:
        assert f"alertsage {name}" in page, name
    for code in range(5):
        assert re.search(rf"(?m)^\| {code} \| ", page)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(written_anew(PAGE.read_text(), shown(Path(folder))))
