"""docs/client.md cannot lie: its programs and its command run, its tables name what there is."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from receiver import client
from receiver.client import AlertService
from receiver.domain.forms import FORMS
from tests.servers import running

PAGE = (Path(__file__).parent.parent / "docs/client.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.only("sqlite")
def test_its_programs_print_what_it_says(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        program = "\n".join(PROGRAMS[:2]).replace("http://127.0.0.1:9911", server.url)
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        title, message, priority, advice = done.stdout.splitlines()
        assert f"# {title}" in PAGE
        assert f"# {message}" in PAGE
        assert priority == "high"
        assert advice.startswith("['See which processes use the CPU of web-server-01")
        command = re.search(r"```sh\n(curl.*?)```", PAGE, re.DOTALL)
        assert command is not None
        there = command[1].replace("http://127.0.0.1:9911", server.url).replace("$(uuidgen)", "one-key")
        done = subprocess.run(["bash", "-c", there], capture_output=True, text=True, timeout=60, check=True)
        assert '"notification_count":2' in done.stdout
        assert {alert.alert_type for alert in AlertService(server.url).list()} == {
            "cpu_percent_high",
            "database_slow_query",
        }


def test_its_tables_name_every_call_and_its_parameters() -> None:
    rows = re.findall(r"^\| (`\w+.*?`.*?) \| .* \| (.*) \|$", PAGE, re.MULTILINE)
    told = {name: row[1] for row in rows for name in re.findall(r"`(\w+)", row[0])}
    calls = {name: call for name, call in vars(AlertService).items() if not name.startswith("_")}
    assert set(calls) <= set(told)
    for name, call in calls.items():
        parameters = [p for p in inspect.signature(call).parameters if p not in ("self", "more", "alert", "filters")]
        if "the same" not in told[name]:
            assert [p for p in parameters if f"`{p}`" not in told[name]] == [], name
    assert [name for name in client.More.__annotations__ if f"`{name}`" not in PAGE] == []
    assert [name for name in FORMS if name != "alert" and f"`{name}`" not in PAGE] == []
