"""The client: it never raises, never hangs, never recurses; what it tells arrives once."""

import ast
import json
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from receiver import client
from receiver.client import Alert, AlertsageError, AlertService

SHOWN = {
    "id": 7,
    "name": "cpu",
    "title": "T",
    "message": "",
    "priority": "blocker",
    "category": "system",
    "recommendations": [{"text": "Look:", "command": "top"}, {"text": "Think.", "command": None}],
    "status": "active",
    "notification_count": 1,
    "metadata": {"a": 1},
}
CPU = {"metric_name": "cpu_percent", "current_value": 92, "threshold_value": 80, "resource": "web-1"}


class Stub(ThreadingHTTPServer):
    """Answers as told, and keeps what came."""

    daemon_threads = True

    def __init__(self) -> None:
        self.came: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[Any] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that was cut is no error here."""


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.came.append((self.path, dict(self.headers), body))
        say = self.server.answers.pop(0) if self.server.answers else (200, SHOWN)
        if say == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            self.connection.close()
        elif say == "hang":
            time.sleep(3)
        elif say == "drip":
            self.send_response(200)
            self.end_headers()
            for _ in range(30):
                self.wfile.write(b" ")
                time.sleep(0.1)
        else:
            status, document = say
            content = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(content)

    do_GET = do_POST  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def stub() -> Iterator[Stub]:
    server = Stub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fails when it took longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


def test_it_needs_nothing_but_the_standard_library() -> None:
    for node in ast.walk(ast.parse(Path(client.__file__).read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


def test_its_words_are_those_of_the_domain() -> None:
    from receiver.domain.vocabulary import Category, Priority

    assert list(map(str, client.AlertPriority)) == list(map(str, Priority))
    assert sorted(map(str, client.AlertCategory)) == sorted(map(str, Category))


def test_what_is_posted_and_what_comes_back(stub: Stub) -> None:
    alert = AlertService(stub.url + "/behind/", "t0ken\n").create_system_alert(**CPU, labels={"port": 80})  # type: ignore[arg-type, dict-item]
    path, headers, body = stub.came[0]
    assert path == "/behind/api/v1/alerts/system"
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer t0ken", "application/json")
    assert len(headers["Idempotency-Key"]) == 32
    assert json.loads(body) == CPU | {"labels": {"port": "80"}}
    assert (alert.id, alert.status, alert.priority, alert.notification_count) == (7, "active", "blocker", 1)
    assert alert.metadata == {"a": 1, "recommendations": ["Look: top", "Think."]}


def test_url_and_token_come_from_the_environment(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTSAGE_URL", stub.url)
    monkeypatch.setenv("ALERTSAGE_TOKEN", "from-env")
    assert AlertService().create_system_alert(**CPU).id == 7  # type: ignore[arg-type]
    assert stub.came[0][1]["Authorization"] == "Bearer from-env"


class Odd:
    """Cannot even be written."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Colour(Enum):
    RED = "red"


def test_any_value_is_told_as_far_as_it_goes(stub: Stub) -> None:
    circle: dict[str, Any] = {}
    circle["again"] = circle
    metadata = {
        "decimal": Decimal("1.5"),
        "nan": float("nan"),
        "when": datetime(2026, 11, 20, 8, tzinfo=UTC),
        "colour": Colour.RED,
        "odd": Odd(),
        "bytes": b"\xff",
        "set": {1},
        "lone": "\ud800",
        "class": KeyError,
        "circle": circle,
        3: "three",
        "many": list(range(100_000)),
    }
    AlertService(stub.url).create_alert(Alert("t", "Title", metadata=metadata))  # type: ignore[arg-type]
    told = json.loads(stub.came[0][2])["metadata"]
    assert told["decimal"] == 1.5
    assert (told["nan"], told["when"], told["colour"]) == (None, "2026-11-20T08:00:00+00:00", "red")
    assert (told["odd"], told["lone"], told["class"]) == ("<Odd: RuntimeError>", "?", "KeyError")
    assert (told["set"], told["3"]) == ([1], "three")
    assert len(stub.came[0][2]) < 1_000_000


@pytest.mark.parametrize(
    ("say", "words"),
    [
        ((422, {"detail": "priority: no"}), "it answered 422: priority: no"),
        ((401, {"detail": "this needs a token"}), "it answered 401: this needs a token"),
        ((503, {"detail": "later"}), "it answered 503: later"),
        ((302, b""), "it answered 302: is this alertsage?"),
        ((200, b"<html>"), "it answered 200: is this alertsage?"),
        ((200, {"id": 3}), "KeyError"),
    ],
)
def test_a_refusal_is_a_warning(stub: Stub, caplog: pytest.LogCaptureFixture, say: Any, words: str) -> None:
    stub.answers = [say] * 3
    service = AlertService(stub.url, "s3cret")
    for _ in range(3):
        alert = service.create_system_alert(**CPU)  # type: ignore[arg-type]
        assert (alert.id, alert.resource, alert.metadata["recommendations"]) == (None, "web-1", [])
    (said,) = caplog.records  # once for each reason
    assert words in said.getMessage()
    assert "s3cret" not in said.getMessage()
    assert len(stub.came) == 3


def test_a_server_whose_database_is_away_keeps_it(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    stub.answers = [(202, {"id": None, "detail": "safe"})]
    assert AlertService(stub.url).create_system_alert(**CPU).id is None  # type: ignore[arg-type]
    assert caplog.records == []


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://127.0.0.1:none", "http://[::1", "http://a b/", "\0"])
def test_a_wrong_url_is_a_warning(url: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTSAGE_URL", closed_port())
    assert AlertService(url).create_system_alert(**CPU).id is None  # type: ignore[arg-type]
    assert len(caplog.records) == 1


def test_a_reset_is_tried_once_more_under_the_same_key(stub: Stub) -> None:
    stub.answers = ["reset"]
    assert AlertService(stub.url).create_system_alert(**CPU).id == 7  # type: ignore[arg-type]
    assert len({headers["Idempotency-Key"] for _, headers, _ in stub.came}) == 1
    assert len(stub.came) == 2
    stub.answers = ["reset", "reset", "reset"]
    assert AlertService(stub.url).create_system_alert(**CPU).id is None  # type: ignore[arg-type]
    assert len(stub.came) == 4


@pytest.mark.parametrize("say", ["hang", "drip"])
def test_a_slow_server_costs_one_timeout(stub: Stub, say: str, caplog: pytest.LogCaptureFixture) -> None:
    stub.answers = [say] * 5
    service = AlertService(stub.url, timeout=0.3, pause=1.0)
    with within(0.6):
        assert service.create_system_alert(**CPU).id is None  # type: ignore[arg-type]
    with within(0.2):
        for _ in range(50):
            service.create_system_alert(**CPU)  # type: ignore[arg-type]
    assert len(stub.came) == 1
    assert len(caplog.records) == 1
    stub.answers = []
    time.sleep(1.0)
    assert service.create_system_alert(**CPU).id == 7  # type: ignore[arg-type]
    assert service.create_system_alert(**CPU).id == 7  # type: ignore[arg-type]


def test_a_name_that_cannot_be_looked_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(3))
    with within(0.8):
        assert AlertService("http://x.example.org", timeout=0.3).create_system_alert(**CPU).id is None  # type: ignore[arg-type]


def test_many_threads_find_out_that_it_is_away_while_one_asks(stub: Stub) -> None:
    service = AlertService(stub.url, timeout=0.4, pause=0.3)
    stub.answers = ["hang"] * 50
    service.create_system_alert(**CPU)  # type: ignore[arg-type]
    time.sleep(0.3)  # it may be asked again
    threads = [threading.Thread(target=service.create_system_alert, kwargs=CPU) for _ in range(20)]
    with within(1.2):
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    assert len(stub.came) == 2


def test_threads_share_a_service(stub: Stub) -> None:
    service, ids = AlertService(stub.url, timeout=10), []
    threads = [
        threading.Thread(target=lambda: ids.append(service.create_system_alert(**CPU).id))  # type: ignore[arg-type]
        for _ in range(30)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert ids == [7] * 30


def test_nobody_there_is_a_warning_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    service = AlertService(closed_port())
    assert service.acknowledge_alert(1, "ada") is None
    assert service.get_alert(1) is None
    assert service.list("priority:critical") == []
    patterns = service.get_alert_patterns(days=7)
    assert (patterns["total_alerts"], len(patterns["hourly_distribution"])) == (0, 24)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "ConnectionRefusedError" in caplog.records[0].getMessage()


def test_it_raises_when_asked_to(stub: Stub) -> None:
    stub.answers = [(409, {"detail": "ben acknowledged it"})]
    with pytest.raises(AlertsageError, match="ben acknowledged it") as caught:
        AlertService(stub.url, raise_errors=True).acknowledge_alert(1, "ada")
    assert caught.value.status == 409
    with pytest.raises(AlertsageError, match="ConnectionRefusedError"):
        AlertService(closed_port(), raise_errors=True).create_system_alert(**CPU)  # type: ignore[arg-type]


class Telling(logging.Handler):
    """A logging handler that tells alertsage of every record."""

    def __init__(self, service: AlertService) -> None:
        super().__init__()
        self.service, self.calls = service, 0

    def emit(self, record: logging.LogRecord) -> None:
        self.calls += 1
        self.service.create_application_error_alert(record.levelname, record.getMessage(), source=record.name)


@pytest.fixture
def telling(stub: Stub) -> Iterator[Telling]:
    handler = Telling(AlertService(stub.url))
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def test_a_logging_handler_that_tells_of_everything_does_not_recurse(stub: Stub, telling: Telling) -> None:
    stub.answers = [(422, {"detail": "no"})] * 5
    logging.getLogger("shop").error("boom")
    assert telling.calls == 2  # what was logged, and the warning about it
    assert len(stub.came) == 1
    logging.getLogger("shop").error("boom")
    assert len(stub.came) == 2


def test_nor_when_the_way_to_the_server_logs(stub: Stub, telling: Telling, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = socket.create_connection

    def watched(*arguments: Any, **named: Any) -> socket.socket:
        logging.getLogger("instrumented").error("a connection")
        return usual(*arguments, **named)

    monkeypatch.setattr(socket, "create_connection", watched)
    assert telling.service.create_system_alert(**CPU).id == 7  # type: ignore[arg-type]
    assert len(stub.came) == 1


def test_a_broken_logging_handler_breaks_nothing() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("broken")

    handler = Broken()
    client.log.addHandler(handler)
    try:
        assert AlertService(closed_port()).create_system_alert(**CPU).id is None  # type: ignore[arg-type]
    finally:
        client.log.removeHandler(handler)


def test_strange_arguments_break_nothing(stub: Stub) -> None:
    service = AlertService(stub.url)
    assert service.create_application_error_alert(None, Odd(), source=None).id == 7  # type: ignore[arg-type]
    assert service.create_availability_alert(Odd()).id == 7  # type: ignore[arg-type]
    assert service.suppress_alert(1, "ada", "x", "soon") is None  # type: ignore[arg-type]
    assert service.update_alert(Alert("t", "T")) is None
    assert Alert("t", "T", metadata=None).metadata == {"recommendations": []}  # type: ignore[arg-type]


LARGE: list[Any] = [
    {f"k{i}": "x" * 1000 for i in range(5000)},
    {f"k{i}": "\0" * 60_000 for i in range(20)},
    {f"{i}" + "k" * 290: i for i in range(9000)},
    {"rows": [{"name": "é" * 100, "n": 10**300}] * 9000},
    {"\ud800": "\U0001f389" * 60_000, "more": ["\U0001f389" * 60_000] * 10},
]


@pytest.mark.parametrize("metadata", LARGE)
def test_whatever_is_large_does_not_cost_the_alert(stub: Stub, metadata: Any) -> None:
    large = Alert("t", "T", "m" * 10**6, metadata=metadata, related_logs="/var/log/x", labels={"team": "shop"})
    assert AlertService(stub.url).create_alert(large).id == 7
    body = stub.came[0][2]
    told = json.loads(body)
    assert len(body) < 2**20
    assert (told["title"], told["related_logs"], told["labels"]) == ("T", "/var/log/x", {"team": "shop"})
    assert "<left out>" in json.dumps(told["metadata"])


def test_large_labels_and_recommendations_keep_their_form(stub: Stub) -> None:
    service = AlertService(stub.url)
    many = {f"k{i}": "v" * 500 for i in range(5000)}
    service.create_availability_alert("db", labels=many, links=many, recommendations=["r" * 60_000] * 50, metadata=many)
    told = json.loads(stub.came[0][2])
    assert len(stub.came[0][2]) < 2**20
    assert told["resource"] == "db"
    assert all(isinstance(text, str) for name in ("labels", "links") for text in told[name].values())
    assert all(isinstance(text, str) for text in told["recommendations"])
    assert isinstance(told["metadata"], dict)


def test_of_a_long_stack_trace_the_end_is_kept(stub: Stub) -> None:
    stack = "Traceback\n" + "  frame\n" * 100_000 + "ValueError: this is what happened"
    AlertService(stub.url).create_application_error_alert("ValueError", "x", stack)
    told = json.loads(stub.came[0][2])["stack_trace"]
    assert told.startswith("Traceback")
    assert told.endswith("ValueError: this is what happened")


def test_at_the_end_of_the_stack(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    service = AlertService(stub.url)

    def exhausted(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(client._Plain, "value", exhausted)
    assert service.create_system_alert(**CPU).id is None  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks there")
def test_a_forked_child_does_not_wait_for_a_lock_that_nobody_holds(stub: Stub) -> None:
    service = AlertService(stub.url)
    with service._lock:  # as another thread of the parent may
        child = os.fork()
        if child == 0:
            os._exit(0 if service.create_system_alert(**CPU).id == 7 else 1)  # type: ignore[arg-type]
    for _ in range(500):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0
            return
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    pytest.fail("the child waits for ever")


@pytest.mark.parametrize(("hours", "told"), [(2, "120m"), (0.001, "1m"), (0, "0m"), (-1, "-60m")])
def test_a_suppression_of_no_time_is_not_made_one(stub: Stub, hours: float, told: str) -> None:
    AlertService(stub.url).suppress_alert(7, "ada", "work", duration_hours=hours)
    assert json.loads(stub.came[0][2])["duration"] == told


def test_acts_say_who_and_why(stub: Stub) -> None:
    service = AlertService(stub.url)
    service.acknowledge_alert(alert_id=7, acknowledged_by="ada", notes="looking")
    service.resolve_alert(alert_id=7, resolved_by="ada", resolution_notes="index")
    service.suppress_alert(alert_id=7, suppressed_by="ada", reason="work", duration_hours=1.5)
    alert = service.get_alert(7)
    assert alert is not None
    service.update_alert(alert)
    alert.metadata["b"] = [1]
    service.update_alert(alert, "ada")
    told = [(path.removeprefix("/api/v1/alerts/7"), body and json.loads(body)) for path, _, body in stub.came]
    assert told == [
        ("/acknowledge", {"who": "ada", "note": "looking"}),
        ("/resolve", {"who": "ada", "note": "index"}),
        ("/suppress", {"who": "ada", "reason": "work", "duration": "90m"}),
        ("", b""),
        ("/metadata", {"who": "ada", "metadata": {"b": [1]}}),
    ]


def test_at_the_end_of_a_program(tmp_path: Path) -> None:
    import subprocess

    program = (
        "import atexit\nfrom receiver.client import AlertService\n"
        f"service = AlertService({closed_port()!r})\n"
        "atexit.register(lambda: service.create_availability_alert('x'))\n"
        "class Late:\n    def __del__(self): service.create_availability_alert('y')\nlate = Late()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
