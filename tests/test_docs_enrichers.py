"""docs/enrichers.md cannot lie: its files and configurations are run as a reader would run them."""

import http.server
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

from enrichers import AlertView, Context, Enrichment
from enrichers.shipped import SHIPPED
from tests.monitoring import eventually
from tests.servers import firing, running, webhook

PAGE = (Path(__file__).parent.parent / "docs" / "enrichers.md").read_text()
FILES = dict(re.findall(r"```python file=(\S+)\n(.*?)```", PAGE, re.DOTALL))
OWNER, DEPLOYS, SHIPPED_SETTINGS = re.findall(r"```yaml config\n(.*?)```", PAGE, re.DOTALL)


def alert_after(folder: Path, config: str, **labels: str) -> dict:
    """The alert that a webhook makes under that configuration, once every enricher has run."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with running(folder, config) as server:
        assert server.post("/webhook", webhook(firing("Down", **labels)))[0] == 200
        own = [name for name in re.findall(r"^  (\w+):", config, re.MULTILINE) if name not in SHIPPED]

        def done() -> dict | None:
            _, found = server.get("/api/v1/alerts/1")
            return found if {run["enricher"] for run in found["enrichers"]} >= set(own) else None

        return eventually(done, 15)


def test_the_five_line_example(tmp_path):
    alert = alert_after(tmp_path, OWNER, namespace="shop")
    assert alert["facts"]["owner"] == "team-checkout"
    assert alert["provenance"]["facts"]["owner"] == "owner"
    assert alert["enrichers"][-1]["outcome"] == "ok"


def test_the_five_line_example_with_nothing_to_say(tmp_path):
    alert = alert_after(tmp_path, OWNER, namespace="elsewhere")
    assert alert["enrichers"][-1]["outcome"] == "nothing"


def test_the_async_example_with_settings(tmp_path):
    with deployments([{"version": "v42", "at": time.time() - 60}]) as port:
        alert = alert_after(tmp_path, DEPLOYS.replace("8099", str(port)), job="api")
    assert alert["facts"]["deployed"] == "v42", alert["enrichers"]
    assert any("v42" in one["text"] for one in alert["recommendations"])
    assert {"title": "Deployments", "url": f"http://127.0.0.1:{port}/deploys/api"} in alert["links"]


def test_the_settings_of_shipped_enrichers(tmp_path):
    alert = alert_after(tmp_path, SHIPPED_SETTINGS)
    assert alert["facts"]["runbook"] == "https://runbooks.example.org/Down"
    assert "recurrence" not in {run["enricher"] for run in alert["enrichers"]}


def test_every_field_of_the_interface_is_named():
    for kind in (AlertView, Context, Enrichment):
        for field in fields(kind):
            assert f"`{field.name}`" in PAGE, f"{kind.__name__}.{field.name} is not documented"
    for name in SHIPPED:
        assert f"`{name}`" in PAGE


@contextmanager
def deployments(answer: object) -> Iterator[int]:
    """A deployment service that knows one answer."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
