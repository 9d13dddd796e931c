"""Starting the real program, as its user does, and talking to it over HTTP."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engines import address

ALERTSAGE = Path(sys.executable).with_name("alertsage")


@dataclass
class Server:
    """One running `alertsage serve`."""

    process: subprocess.Popen[str]
    url: str
    log: Path

    def get(self, path: str) -> tuple[int, Any]:
        """Status and decoded body (JSON, or text where it is none)."""
        return ask(self.url + path)

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Status and decoded body."""
        return ask(self.url + path, body if isinstance(body, bytes) else json.dumps(body).encode())

    def kill(self) -> None:
        """End it as a power cut would, as far as a process can."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)


def ask(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
    """One request; status 0 when there was no answer."""
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"} | dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, _decoded(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, _decoded(error.read())
    except (OSError, TimeoutError) as error:
        return 0, str(error)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


@contextmanager
def running(folder: Path, config: str = "", *, port: int = 0, ready: bool = True, url: str = "") -> Iterator[Server]:
    """`alertsage serve` in that folder with that config.yaml, its log in `server.log`; killed at the end."""
    server = start(folder, config, port=port, ready=ready, url=url)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()


def start(folder: Path, config: str = "", *, port: int = 0, ready: bool = True, url: str = "") -> Server:
    """See `running`; the caller ends it. `url` is the database's, unless it is that of this test."""
    (folder / "config.yaml").write_text(config)
    log = folder / "server.log"
    environment = {
        **os.environ,
        "ALERTSAGE__SERVER__LISTEN": f"127.0.0.1:{port}",
        "ALERTSAGE__DATABASE__URL": url or address(folder),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("a") as output:
        begins = log.stat().st_size
        process = subprocess.Popen(
            [ALERTSAGE, "serve"], cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT, text=True
        )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = re.search(r"http://127\.0\.0\.1:\d+", log.read_text()[begins:])
        if found and (not ready or ask(found[0] + "/readyz")[0] == 200):
            return Server(process, found[0], log)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(f"alertsage did not start:\n{log.read_text()[begins:]}")


def webhook(*alerts: Mapping[str, Any]) -> dict[str, Any]:
    """An Alertmanager webhook body around these alerts."""
    firing = any(alert["status"] == "firing" for alert in alerts)
    return {
        "version": "4",
        "groupKey": '{}:{alertname="Test"}',
        "truncatedAlerts": 0,
        "status": "firing" if firing else "resolved",
        "receiver": "alertsage",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": list(alerts),
    }


def firing(
    name: str, starts_at: str = "2026-11-23T06:40:41.347Z", annotations: Mapping[str, str] | None = None, **labels: str
) -> dict[str, Any]:
    """One firing alert as Alertmanager writes it, without a fingerprint (as before 0.19)."""
    return {
        "status": "firing",
        "labels": {"alertname": name} | labels,
        "annotations": dict(annotations or {}),
        "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "",
    }


def resolved(alert: Mapping[str, Any], ends_at: str) -> dict[str, Any]:
    """The same alert, ended."""
    return {**alert, "status": "resolved", "endsAt": ends_at}


def explain_json(*arguments: str) -> list[dict[str, Any]]:
    """What `alertsage explain --json` prints for these arguments, read; it must succeed."""
    done = subprocess.run([ALERTSAGE, "explain", "--json", *arguments], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
