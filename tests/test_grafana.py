"""The Grafana dashboard: every query of it returns data from a real Prometheus that scrapes alertsage."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.monitoring import eventually, prometheus
from tests.servers import firing, running, webhook

DASHBOARD = Path(__file__).parent.parent / "deploy" / "grafana" / "alertsage.json"
ENRICHER = "def owner(alert, context):\n    return {'facts': {'owner': 'shop'}}\n"
CONFIG = "enrichers:\n  owner:\n    use: ./own.py:owner\n"


def queries(dashboard: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(title of the panel, expression with its variables filled in)."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"].replace("$source", ".*").replace("[5m]", "[1m]")


def test_every_query_returns_data(tmp_path):
    dashboard = json.loads(DASHBOARD.read_text())
    (tmp_path / "own.py").write_text(ENRICHER)
    with running(tmp_path, CONFIG) as server:
        port = int(server.url.rsplit(":", 1)[1])
        with prometheus(tmp_path, {"alertsage": port}) as scraping:
            for number in range(3):
                alerts = [firing("Down", host=f"h{number}", severity="critical"), firing("Watchdog", severity="none")]
                status, _ = server.post("/webhook", webhook(*alerts, {"status": "nonsense"}))
                assert status == 200
                server.post("/webhook", {"no": "alerts"})
                eventually(lambda: scraping.query("alertsage_enricher_runs_total{enricher='owner'}"))
            empty = {f"{title}: {expression}" for title, expression in queries(dashboard)}

            def all_answer() -> bool:
                for title, expression in queries(dashboard):
                    found = [row for row in scraping.query(expression) if row["value"][1] != "NaN"]
                    if found:
                        empty.discard(f"{title}: {expression}")
                return not empty

            eventually(all_answer, 20) if not all_answer() else None
            assert not empty


def test_every_metric_named_in_the_dashboard_is_documented():
    documented = (DASHBOARD.parent.parent.parent / "docs" / "api.md").read_text()
    used = {word for _, e in queries(json.loads(DASHBOARD.read_text())) for word in _metrics(e)}
    assert {name for name in used if name not in documented} == set()


def _metrics(expression: str) -> set[str]:
    words = "".join(c if c.isalnum() or c == "_" else " " for c in expression).split()
    return {
        word.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for word in words
        if word.startswith("alertsage_")
    }
