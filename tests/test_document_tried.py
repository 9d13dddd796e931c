"""The served document is tried by a program that knows nothing else of alertsage: schemathesis."""

import os
import re
import subprocess
import sys
from pathlib import Path

from receiver.web.routes import ROUTES
from tests.engines import SQLITE
from tests.servers import Server, firing, resolved, running, webhook

REPO = Path(__file__).parent.parent
TOKEN = "t0ken-of-the-server"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def some_alerts(server: Server) -> None:
    """Fifteen open alerts, one that has ended, and one that cannot be read."""
    alerts = [firing(f"A{n % 3}", severity="critical", instance=f"web-{n}", team="shop") for n in range(16)]
    assert server.post("/webhook", webhook(*alerts, {"status": "odd"}))[0] == 200
    assert server.post("/webhook", webhook(resolved(alerts[0], "2026-11-23T07:00:00Z")))[0] == 200


def test_schemathesis_finds_no_fault_in_it(tmp_path: Path, engine: str) -> None:
    with running(tmp_path, f"server: {{token: {TOKEN}}}") as server:
        some_alerts(server)
        command = [SCHEMATHESIS, "--config-file", REPO / "tests/schemathesis.toml", "run", "--no-color"]
        command += ["-H", f"Authorization: Bearer {TOKEN}", f"{server.url}/api/openapi.json"]
        command += ["--phases", "examples,coverage,fuzzing,stateful" if engine == SQLITE else "examples,fuzzing"]
        environment = os.environ | {"PYTHONPATH": str(REPO)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        log = server.log.read_text()
    assert done.returncode == 0, done.stdout + done.stderr
    (generated,) = re.findall(r"(\d+) generated", done.stdout)
    assert int(generated) > 500
    assert f"Selected: {len([route for route in ROUTES if route.operation])}" in done.stdout
    assert "failed\n" not in log, log
    assert "Traceback" not in log, log
