"""Real Prometheus -> real Alertmanager -> alertsage -> scraped by the same Prometheus."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.monitoring import Link, Metric, Prometheus, alertmanager, eventually, metric, prometheus
from tests.servers import Server, ask, running

RULES = """
groups:
- name: test
  rules:
  - alert: HostHighCpu
    expr: 'max by (host) (test_cpu_percent) > 80'
    labels: {severity: warning}
    annotations:
      summary: 'CPU of {{ $labels.host }} is high'
      description: 'CPU is at {{ $value | printf "%.0f" }}%'
  - alert: Watchdog
    expr: vector(1)
    labels: {severity: none}
"""
CONFIG = """
lifecycle: {repeat_within: 1s, late_within: 2s, expiry_grace: 15m}
"""


@dataclass
class Stage:
    """Everything that takes part."""

    server: Server
    prometheus: Prometheus
    metric: Metric
    link: Link
    upstream: str
    """Alertmanager."""

    def cpu(self, value: float | None) -> None:
        """Set the metric; None takes it away."""
        self.metric.text = "" if value is None else f'test_cpu_percent{{host="web-1"}} {value}\n'

    def alerts(self, query: str = "alertname=HostHighCpu") -> list[dict[str, Any]]:
        """What the API lists."""
        status, page = self.server.get(f"/api/v1/alerts?{query}")
        assert status == 200, page
        found: list[dict[str, Any]] = page["alerts"]
        return found

    def becomes(self, status: str) -> dict[str, Any]:
        """The alert, once it has that status."""

        def look() -> dict[str, Any] | None:
            found = self.alerts()
            return found[0] if found and found[0]["status"] == status else None

        return eventually(look)

    def changes(self, alert: dict[str, Any]) -> list[str]:
        """Its audit trail in words."""
        _, whole = self.server.get(f"/api/v1/alerts/{alert['id']}")
        return [change["kind"] for change in whole["changes"]]


@pytest.fixture
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Prometheus (through a link that can be cut) -> Alertmanager -> alertsage -> Prometheus."""
    receiver = getattr(request, "param", {})
    with ExitStack() as stack:
        server = stack.enter_context(running(tmp_path, CONFIG))
        shown = stack.enter_context(metric())
        manager = stack.enter_context(alertmanager(tmp_path, server.url + "/webhook/alertmanager", **receiver))
        link = Link(manager)
        stack.callback(link.close)
        own = int(server.url.rsplit(":", 1)[1])
        scraped = {"app": shown.port, "alertsage": own}
        watching = stack.enter_context(prometheus(tmp_path, scraped, RULES, link.port))
        yield Stage(server, watching, shown, link, f"http://127.0.0.1:{manager}")


def test_a_rule_fires_is_explained_repeats_resolves_and_is_counted(stage):
    stage.cpu(92)
    alert = stage.becomes("active")
    assert (alert["threshold"], alert["value"], alert["direction"]) == (80, 92, "above")
    assert alert["overage_percent"] == pytest.approx(15)
    assert (alert["title"], alert["metric"]) == ("CPU of web-1 is high", "test_cpu_percent")
    assert alert["labels"]["host"] == "web-1"
    eventually(lambda: stage.alerts()[0]["notification_count"] >= 2)
    assert len(stage.alerts()) == 1

    open_now = 'sum(max without (instance, job) (alertsage_alerts{status="active"}))'
    eventually(lambda: stage.prometheus.value(open_now) == 1)
    named = 'max by (alertname) (alertsage_alerts_by_name{alertname="HostHighCpu"})'
    eventually(lambda: stage.prometheus.value(named) == 1)
    beat = 'time() - max(alertsage_heartbeat_last_seen_timestamp_seconds{alertname="Watchdog"}) < 60'
    eventually(lambda: stage.prometheus.value(beat) is not None)

    stage.cpu(20)
    alert = stage.becomes("resolved")
    assert alert["ended_at"] is not None
    assert stage.changes(alert) == ["opened", "resolved"]
    eventually(lambda: stage.prometheus.value(open_now) == 0)
    assert len(stage.alerts()) == 1


def test_a_link_cut_until_the_alert_expires_upstream_and_then_back_opens_it_again(stage):
    stage.cpu(92)
    alert = stage.becomes("active")
    stage.link.cut()
    assert stage.becomes("resolved")["id"] == alert["id"]
    stage.link.mend()
    again = stage.becomes("active")
    assert again["id"] == alert["id"]
    assert again["started_at"] == alert["started_at"]
    assert stage.changes(again) == ["opened", "resolved", "reopened"]


@pytest.mark.parametrize("stage", [{"send_resolved": False}], indirect=True)
def test_without_resolves_firing_anew_is_a_reopened_change(stage):
    stage.cpu(92)
    alert = stage.becomes("active")
    stage.cpu(20)
    eventually(lambda: ask(stage.upstream + "/api/v2/alerts?filter=alertname=HostHighCpu")[1] == [])
    seen = stage.alerts()[0]["last_seen_at"]
    stage.cpu(93)
    eventually(lambda: len(stage.changes(alert)) > 1)
    assert stage.changes(alert) == ["opened", "reopened"]
    assert stage.alerts()[0]["status"] == "active"
    assert stage.alerts()[0]["last_seen_at"] > seen
