"""The pages of the live enrichers cannot lie: settings and defaults are those of the code, examples run."""

import json
import re
from dataclasses import MISSING, Field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from enrichers import Bytes
from enrichers.live import LIVE
from receiver.data import data
from receiver.plugins import load_enrichers
from receiver.settings import load
from receiver.settings.units import format_duration, format_size
from tests.monitoring import eventually
from tests.servers import firing, running, webhook
from tests.stub import Reply, stub

PAGES = {name: (Path(__file__).parent.parent / "docs" / "enrichers" / f"{name}.md").read_text() for name in LIVE}
CONFIGS = [
    (name, number, text)
    for name, page in PAGES.items()
    for number, text in enumerate(re.findall(r"```yaml config\n(.*?)```", page, re.DOTALL))
]
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def shown(field: "Field[Any]") -> str:
    """A default as the pages write it."""
    if field.default_factory is not MISSING:
        return "`{}`"
    value = field.default
    if value is MISSING:
        return "needed"
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    if isinstance(value, Bytes):
        return f"`{format_size(value)}`"
    return "none" if value is None else f"`{'[' + ', '.join(value) + ']' if isinstance(value, tuple) else value}`"


@pytest.mark.parametrize("name", LIVE)
def test_every_setting_is_documented_with_its_default(name: str) -> None:
    table = PAGES[name].partition("## Settings")[2]
    assert dict(ROW.findall(table)) == {field.name: shown(field) for field in fields(LIVE[name]) if field.init}


@pytest.mark.parametrize("name", LIVE)
def test_config_yaml_shows_how_to_switch_it_on(name: str, tmp_path: Path) -> None:
    commented = re.search(rf"^  # {name}:\n((?:  #   .*\n)+)", data("config.yaml").read_text(), re.MULTILINE)
    assert commented
    (tmp_path / "services.csv").write_text("namespace,service,owner,tier\na,b,c,gold\n")
    block = "".join(line.replace("  # ", "  ", 1) + "\n" for line in commented[0].splitlines())
    (tmp_path / "config.yaml").write_text(f"enrichers:\n{block}")
    assert name in {enricher.name for enricher in load_enrichers(load(tmp_path / "config.yaml", {}))}


def alert_after(folder: Path, page: str, config: str, alert: dict, **replies: Reply) -> dict[str, Any]:
    """The alert that a webhook makes under a configuration of a page, whose servers all are a stub."""
    for file, text in re.findall(r"```\w+ file=(\S+)\n(.*?)```", PAGES[page], re.DOTALL):
        (folder / file).write_text(text)
    names = re.findall(r"^  (\w+):", config, re.MULTILINE)
    with stub(**replies) as service:
        local = re.sub(r"http://(?:prometheus|loki|elasticsearch|logs)\.example\.org(?::\d+)?", service.url, config)
        with running(folder, local.replace("token_file: /run/secrets/prometheus-token", "token: t")) as server:
            server.post("/webhook", webhook(alert))

            def done() -> dict[str, Any] | None:
                found: dict[str, Any] = server.get("/api/v1/alerts/1")[1]
                return found if {run["enricher"] for run in found["enrichers"]} >= set(names) else None

            return eventually(done)


def outcomes(alert: dict[str, Any]) -> dict[str, str]:
    """How each enricher fared, with its words where there are any."""
    return {run["enricher"]: run["detail"] or run["outcome"] for run in alert["enrichers"]}


VECTOR = {
    "status": "success",
    "data": {"resultType": "vector", "result": [{"metric": {"cpu": "0"}, "value": [1, "92"]}]},
}


@pytest.mark.only("sqlite")
@pytest.mark.parametrize("number", [0, 1])
def test_prometheus(tmp_path: Path, number: int) -> None:
    config = CONFIGS_OF["prometheus"][number]
    alert = firing("HostHighCpu", host="web-1", namespace="shop")
    alert["generatorURL"] = f"http://elsewhere/graph?g0.expr={quote('max by (host) (cpu_percent) > 80')}"
    found = alert_after(tmp_path, "prometheus", config, alert, any=Reply(json.dumps(VECTOR)))
    assert outcomes(found)["prometheus"] == "ok"
    assert found["facts"]["value_now"].startswith("92% at ")
    assert found["facts"]["top_series"] == ["cpu=0: 92%"]
    assert (found["value"], found["overage_percent"]) == (92, 15)
    assert found["provenance"]["value"] == found["provenance"]["facts"]["top_series"] == "prometheus"
    if number == 0:
        assert found["impact"]["users"] == 92
        assert found["impact"]["source"].endswith('sum(shop_sessions_active{namespace="shop"})')


@pytest.mark.only("sqlite")
def test_http_and_loki(tmp_path: Path) -> None:
    answer = json.dumps({"data": {"result": [{"values": [["2", "error: b"], ["1", "error: a"]]}]}})
    alert = firing("Down", namespace="shop", pod="web-1")
    found = alert_after(tmp_path, "http", CONFIGS_OF["http"][0], alert, any=Reply(answer))
    assert found["facts"]["log"] == ["error: b", "error: a"], outcomes(found)
    assert found["provenance"]["facts"]["log"] == "logs"
    assert {"title": "Logs", "url": "https://grafana.example.org/d/logs?var-pod=web-1"} in found["links"]


@pytest.mark.only("sqlite")
def test_http_and_others(tmp_path: Path) -> None:
    hits = {"hits": {"total": {"value": 7}, "hits": [{"_source": {"message": "error: c"}}]}}
    alert = firing("Down", pod="web-1", instance="db-1:9100")
    replies = {"logs-*/_search": Reply(json.dumps(hits)), "tail/db-1/all": Reply("1\n2\n3\n4\n5\n6\n")}
    found = alert_after(tmp_path, "http", CONFIGS_OF["http"][1], alert, **replies)
    assert outcomes(found)["search"] == outcomes(found)["journal"] == "ok"
    assert (found["facts"]["log"], found["facts"]["errors"]) == (["error: c"], 7)
    assert found["facts"]["journal"] == ["2", "3", "4", "5", "6"]


@pytest.mark.only("sqlite")
def test_table(tmp_path: Path) -> None:
    found = alert_after(tmp_path, "table", CONFIGS_OF["table"][0], firing("Slow", namespace="shop", service="checkout"))
    runbook = "https://wiki.example.org/checkout/Slow"
    told = {"owner": "team-pay", "tier": "gold", "contact": "#pay", "runbook": runbook}
    assert told.items() <= found["facts"].items()
    assert {"title": "Runbook", "url": runbook} in found["links"]
    assert found["impact"] == {"users": 50000, "source": "tier gold in services.csv"}


@pytest.mark.only("sqlite")
def test_table_in_yaml(tmp_path: Path) -> None:
    found = alert_after(tmp_path, "table", CONFIGS_OF["table"][1], firing("Slow", job="payment"))
    assert (found["facts"]["owner"], found["facts"]["contact"]) == ("team-pay", ["#pay", "pay@example.org"])
    assert found["impact"] == {"users": "unknown", "source": None}


@pytest.mark.only("sqlite")
@pytest.mark.parametrize(("number", "facts"), [(0, {"order": "4711", "shard": "eu3"}), (1, {"cell": "7"})])
def test_extract(tmp_path: Path, number: int, facts: dict[str, str]) -> None:
    told = {"description": "Order 4711 failed on shard=eu3"}
    alert = firing("Failed", annotations=told, instance="cell-7:80")
    found = alert_after(tmp_path, "extract", CONFIGS_OF["extract"][number], alert)
    assert facts.items() <= found["facts"].items()


CONFIGS_OF = {name: [text for page, _, text in CONFIGS if page == name] for name in LIVE}
