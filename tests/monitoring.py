"""A real Prometheus and a real Alertmanager on loopback, and a metric whose value a test sets."""

import contextlib
import http.server
import json
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.servers import ask

T = TypeVar("T")


def needed(program: str) -> str:
    """The program's path; skips the test, saying how to enable it, when it is not installed."""
    found = shutil.which(program)
    if found is None:
        package = {"prometheus": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}[program]
        pytest.skip(f"{program} is not installed: apt-get install {package}")
    return found


def eventually(what: Callable[[], T], seconds: float = 30) -> T:
    """The first true answer of `what`; fails with its last answer when none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        last = what()
        if last:
            return last
        assert time.monotonic() < deadline, f"not within {seconds} s; last: {last!r}"
        time.sleep(0.1)


def free_port() -> int:
    """A port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def program(command: Sequence[str | Path], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The program running, its output in `log`; ended at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Metric:
    """A page of metrics to scrape, set by the test."""

    port: int
    text: str = ""


@contextmanager
def metric() -> Iterator[Metric]:
    """Serve what `text` holds."""
    shown = Metric(0)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer any GET with the text."""
            body = shown.text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shown.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shown
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Prometheus:
    """A running Prometheus."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        _, answer = ask(f"{self.url}/api/v1/query?query={urllib.parse.quote(expression)}")
        assert isinstance(answer, dict), answer
        assert answer["status"] == "success", answer
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        """The value of the single series, None when there is none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if found else None


@contextmanager
def prometheus(
    folder: Path, scraped: dict[str, int], rules: str = "", alertmanager: int | None = None
) -> Iterator[Prometheus]:
    """A Prometheus that scrapes these jobs (name: port) every second, with rules and perhaps an Alertmanager."""
    path = needed("prometheus")
    port = free_port()
    (folder / "rules.yaml").write_text(rules or "groups: []\n")
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": {"cluster": "test"}},
        "rule_files": [str(folder / "rules.yaml")],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
            for job, target in scraped.items()
        ],
    }
    if alertmanager is not None:
        target = {"targets": [f"127.0.0.1:{alertmanager}"]}
        configuration["alerting"] = {"alertmanagers": [{"static_configs": [target], "timeout": "2s"}]}
    (folder / "prometheus.yaml").write_text(json.dumps(configuration))
    command = [
        path,
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=1s",
    ]
    url = f"http://127.0.0.1:{port}"
    with program(command, folder / "prometheus.log"):
        eventually(lambda: ask(f"{url}/-/ready")[0] == 200)
        yield Prometheus(url)


@contextmanager
def alertmanager(folder: Path, webhook: str, *, port: int | None = None, **receiver: Any) -> Iterator[int]:
    """An Alertmanager that posts to `webhook` without waiting; yields its port. `receiver`: more webhook settings."""
    path = needed("prometheus-alertmanager")
    port = port or free_port()
    configuration = {
        "route": {
            "receiver": "alertsage",
            "group_by": ["alertname"],
            "group_wait": "1s",
            "group_interval": "1s",
            "repeat_interval": "3s",
        },
        "receivers": [{"name": "alertsage", "webhook_configs": [{"url": webhook, **receiver}]}],
    }
    (folder / "alertmanager.yaml").write_text(json.dumps(configuration))
    command = [
        path,
        f"--config.file={folder / 'alertmanager.yaml'}",
        f"--storage.path={folder / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    with program(command, folder / "alertmanager.log"):
        eventually(lambda: ask(f"http://127.0.0.1:{port}/-/ready")[0] == 200)
        yield port


class Link:
    """A TCP link to a port that a test can cut and mend: Prometheus reaches Alertmanager through it."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._up = threading.Event()
        self._up.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop what is connected and refuse what comes."""
        self._up.clear()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self._up.set()

    def close(self) -> None:
        """Stop listening."""
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._up.is_set():
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_copy, args=(one, other), daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
