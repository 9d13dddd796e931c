"""A user's enrichers, whatever they do: intake does not notice, and the alert names each outcome."""

import time
from pathlib import Path

from enrichers.shipped import SHIPPED
from tests import engines
from tests.monitoring import eventually
from tests.servers import Server, firing, resolved, running, start, webhook

PLUGINS = """
import asyncio, os, time
from pathlib import Path

def good(alert, context):
    return {"facts": {"good": alert.id, "episodes": len(context.history.episodes)}, "links": [{"title": "x", "url": "https://x.example.org"}]}

def sleeps(alert, context):
    time.sleep(60)

def raises(alert, context):
    raise RuntimeError("boom\\x1b[31m " + alert.name)

def junk(alert, context):
    return {"prio": "critical"}

async def blocks(alert, context):
    time.sleep(60)

async def waits(alert, context):
    await asyncio.sleep(60)

class Speechless(Exception):
    def __str__(self):
        raise ValueError("no words")

def speechless(alert, context):
    raise Speechless()

async def says_nothing(alert, context):
    return None

async def leaves_the_loop(alert, context):
    raise SystemExit(3)

def leaves(alert, context):
    raise SystemExit(3)

def meddles(alert, context):
    alert.priority, alert.labels = "low", {}
    alert.facts["mine"] = 1

def says_much(alert, context):
    return {
        "facts": {"much": 1},
        "recommendations": [{"text": "x"}],
        "links": [{"title": "l", "url": "https://x.example.org"}],
        "priority": "low",
        "category": "security",
    }


def raises_priority(alert, context):
    return {"priority": "critical", "title": "told by a plugin"}

def after(alert, context):
    return {"facts": {"saw": sorted(alert.facts)}}

def dies(alert, context):
    with Path("deaths").open("a") as file:
        file.write("x")
    os._exit(9)
"""


def config(*names: str, budget: str = "20s", lease: str = "25s") -> str:
    """These functions as enrichers, half a second each."""
    own = "".join(f"  {name}: {{use: './plugins.py:{name}', timeout: 500ms}}\n" for name in names)
    return f"enrich: {{budget: {budget}, lease: {lease}, workers: 4}}\nenrichers:\n{own}"


def outcomes(server: Server, alert: int, count: int) -> dict[str, dict]:
    """How the deferred enrichers of an alert fared, once `count` of them have."""

    def look() -> dict[str, dict] | None:
        _, found = server.get(f"/api/v1/alerts/{alert}")
        runs = {run["enricher"]: run for run in found["enrichers"] if run["enricher"] not in SHIPPED}
        return runs if len(runs) >= count else None

    return eventually(look, 40)


def write_plugins(folder: Path) -> None:
    """plugins.py in that folder."""
    (folder / "plugins.py").write_text(PLUGINS)


def test_slow_raising_and_junk_enrichers_are_named_and_intake_does_not_notice(tmp_path):
    write_plugins(tmp_path)
    names = ("good", "sleeps", "raises", "junk", "blocks", "waits", "leaves", "after")
    with running(tmp_path, config(*names)) as server:
        slowest = 0.0
        for number in range(40):
            began = time.monotonic()
            assert server.post("/webhook", webhook(firing("Down", host=f"h{number}")))[0] == 200
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.05)
        assert slowest < 0.5
        runs = outcomes(server, 1, len(names))
        told = {name: run["outcome"] for name, run in runs.items()}
        assert told == {
            "good": "ok",
            "sleeps": "timed out",
            "raises": "failed",
            "junk": "failed",
            "blocks": "timed out",
            "waits": "timed out",
            "leaves": "failed",
            "after": "ok",
        }
        assert "boom" in runs["raises"]["detail"]
        assert '"prio" is not a field' in runs["junk"]["detail"]
        assert runs["sleeps"]["ms"] > 400
        _, alert = server.get("/api/v1/alerts/1")
        assert alert["facts"]["good"] == 1
        assert "good" in alert["facts"]["saw"]
        assert (alert["status"], alert["notification_count"]) == ("active", 1)
        _, metrics = server.get("/metrics")
        assert 'alertsage_enricher_runs_total{enricher="sleeps",outcome="timed out"}' in metrics
        # four runs hang: from then on it is skipped, which the alert says
        skipped = outcomes(server, 20, len(names))["sleeps"]
        assert skipped["outcome"] in ("skipped", "timed out")
        assert server.stop() == 0


def test_what_an_enricher_raises_ends_neither_the_loop_nor_the_chain(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("leaves_the_loop", "speechless", "says_nothing", "after")) as server:
        server.post("/webhook", webhook(firing("Down", host="a")))
        runs = outcomes(server, 1, 4)
        assert {name: (run["outcome"], run["detail"]) for name, run in runs.items()} == {
            "leaves_the_loop": ("failed", "RuntimeError: SystemExit: 3"),
            "speechless": ("failed", "Speechless"),
            "says_nothing": ("nothing", None),
            "after": ("ok", None),
        }


def test_the_time_for_what_is_news_counts_from_the_latest_news(tmp_path):
    """The job that waits since the alert opened is the one for its reopening, too."""
    write_plugins(tmp_path)
    settings = config("waits", "good", budget="1500ms").replace("workers: 4", "workers: 1")
    with running(tmp_path, settings + "lifecycle: {late_within: 0s}\n") as server:
        for host in "abcd":  # each takes half a second, so the last one's job waits for the others
            server.post("/webhook", webhook(firing("Down", host=host)))
        time.sleep(1.2)
        last = firing("Down", host="d")
        server.post("/webhook", webhook(resolved(last, "2026-11-23T07:00:00Z")))
        server.post("/webhook", webhook(last | {"startsAt": "2026-11-23T08:00:00Z"}))
        runs = outcomes(server, 4, 2)
        assert (runs["waits"]["outcome"], runs["good"]["outcome"]) == ("timed out", "ok")
        assert "within 0.5 s" in runs["waits"]["detail"]
        assert engines.ask(engines.address(tmp_path), "SELECT count(*) FROM job") == [(0,)]


def test_a_repeat_owes_nothing_and_keeps_what_was_added(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("good") + "lifecycle: {repeat_within: 0s}\n") as server:
        server.post("/webhook", webhook(firing("Down", host="a", annotations={"summary": "one"})))
        outcomes(server, 1, 1)
        server.post("/webhook", webhook(firing("Down", host="a", annotations={"summary": "two"})))
        _, alert = server.get("/api/v1/alerts/1")
        assert (alert["title"], alert["facts"]["good"], alert["notification_count"]) == ("two", 1, 2)


def test_an_enricher_that_changes_the_alert_changes_nothing(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("meddles", "after")) as server:
        server.post("/webhook", webhook(firing("Down", instance="a")))
        outcomes(server, 1, 2)
        _, alert = server.get("/api/v1/alerts/1")
        assert (alert["labels"]["instance"], alert["facts"]["saw"]) == ("a", [])


def test_who_said_what_is_joined_and_a_raise_is_explained(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("raises_priority", "says_much")) as server:
        server.post("/webhook", webhook(firing("Down", instance="a") | {"generatorURL": "http://p/graph?g0.expr=up>1"}))
        outcomes(server, 1, 2)
        _, alert = server.get("/api/v1/alerts/1")
    assert alert["provenance"]["facts"]["expression"] == "expression"
    assert alert["provenance"]["facts"]["much"] == "says_much"
    assert len(alert["provenance"]["recommendations"]) == len(alert["recommendations"])
    assert len(alert["provenance"]["links"]) == len(alert["links"])
    assert alert["provenance"]["recommendations"][-1] == "says_much"
    assert alert["provenance"]["priority"] == "raises_priority"
    assert alert["provenance"]["category"] == "category"
    assert alert["priority_terms"][-1]["effect"] == "raised to critical"
    assert [term["rule"] for term in alert["priority_terms"]].count("only rises while open") == 0


def test_a_deferred_enricher_may_raise_the_priority_as_an_escalation(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("raises_priority")) as server:
        server.post("/webhook", webhook(firing("Down", host="a", severity="warning")))
        outcomes(server, 1, 1)
        _, alert = server.get("/api/v1/alerts/1")
        assert (alert["priority"], alert["title"]) == ("critical", "told by a plugin")
        assert [(c["kind"], c["who"]) for c in alert["changes"]][-1] == ("escalated", "enricher:raises_priority")
        _, page = server.get("/api/v1/alerts?priority=critical")
        assert len(page["alerts"]) == 1


def test_jobs_survive_a_crash_and_a_chain_that_kills_the_process_is_skipped_in_the_end(tmp_path):
    write_plugins(tmp_path)
    settings = config("dies", "good", budget="1s", lease="1100ms")
    server = start(tmp_path, settings)
    server.post("/webhook", webhook(firing("Down", host="a")))
    for _ in range(6):
        try:
            server.process.wait(6)
        except Exception:  # noqa: BLE001 - it lives: the chain was given up
            break
        server = start(tmp_path, settings)
    try:
        runs = outcomes(server, 1, 2)
        assert {run["outcome"] for run in runs.values()} == {"skipped"}
        assert all("never ended" in run["detail"] or "used up" in run["detail"] for run in runs.values())
    finally:
        server.kill()
    assert len((tmp_path / "deaths").read_text()) <= 2
    assert engines.ask(engines.address(tmp_path), "SELECT count(*) FROM job") == [(0,)]


def test_a_bad_enricher_in_a_reload_keeps_the_old_ones(tmp_path):
    write_plugins(tmp_path)
    with running(tmp_path, config("good")) as server:
        (tmp_path / "plugins.py").write_text("def good(alert):\n    return None\n")
        status, answer = server.post("/-/reload", b"")
        assert status == 400
        assert "enrichers.good.use" in answer["detail"]
        server.post("/webhook", webhook(firing("Down", host="a")))
        assert outcomes(server, 1, 1)["good"]["outcome"] == "ok"
        assert "alertsage_last_reload_success 0.0" in server.get("/metrics")[1]
