"""deploy/prometheus: the rules about alertsage itself fire when they should, and name metrics that there are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import running

REPO = Path(__file__).parent.parent
RULES = REPO / "deploy" / "prometheus" / "alertsage.yaml"


def test_the_rules_pass_their_own_tests() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    for words in (["check", "rules", RULES], ["test", "rules", RULES.with_name("alertsage_test.yaml")]):
        ran = subprocess.run([promtool, *words], capture_output=True, text=True, check=False, timeout=60)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.only("sqlite")
def test_the_rules_name_metrics_that_are_there(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        page = server.get("/metrics")[1]
    told = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    told |= {f"{name}_bucket" for name in told}
    used = set(re.findall(r"\balertsage_[a-z_]+", RULES.read_text()))
    assert used - {"alertsage_"} <= told


def test_every_alert_is_explained() -> None:
    page = (REPO / "docs" / "operations.md").read_text()
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    assert len(alerts) > 10
    assert [alert for alert in alerts if f"`{alert}`" not in page] == []
