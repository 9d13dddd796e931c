"""Rules of the user's own in a running server: put in force, shown, lasting."""

from pathlib import Path
from typing import Any

from tests.monitoring import eventually
from tests.servers import firing, running, webhook
from tests.test_adjust import adjusted


def stored(server: Any, host: str) -> dict[str, Any]:
    """Post the alert of that host (again); how it is stored."""
    body = webhook(firing("Down", "2026-11-23T06:40:41.347Z", host=host, severity="warning"))
    assert server.post("/webhook", body)[0] == 200
    (found,) = server.get(f"/api/v1/alerts?label.host={host}")[1]["alerts"]
    return found  # type: ignore[no-any-return]


def test_it_sets_both_ways_at_opening_and_only_raises_what_is_open(tmp_path: Path) -> None:
    folder = adjusted(tmp_path / "mine", "[]")
    rule = "- {id: down, because: we know better, when: name = Down, set: {priority: PRIORITY, category: database}}"
    with running(tmp_path, "rules: {folder: mine}\n") as server:

        def put_in_force(priority: str) -> None:
            (folder / "adjust.yaml").write_text(rule.replace("PRIORITY", priority))
            assert server.post("/-/reload", b"")[0] == 200

        assert stored(server, "a")["priority"] == "medium"
        put_in_force("low")
        assert [stored(server, host)["priority"] for host in ("a", "b")] == ["medium", "low"]
        kept = stored(server, "a")
        assert (kept["category"], kept["provenance"]["category"]) == ("database", "rule:down")
        assert [(term["rule"], term["effect"]) for term in kept["priority_terms"][-2:]] == [
            ("rule:down", "set to low"),
            ("only rises while open", "stays medium"),
        ]
        put_in_force("critical")
        assert [stored(server, host)["priority"] for host in ("a", "b", "c")] == ["critical"] * 3
        changes = server.get(f"/api/v1/alerts/{kept['id']}")[1]["changes"]
        assert [change["kind"] for change in changes] == ["opened", "escalated"]
        metrics = server.get("/metrics")[1]
        assert 'category="database",priority="critical",source="alertmanager",status="active"} 3.0' in metrics


def test_what_a_rule_lets_expire_sooner_does(tmp_path: Path) -> None:
    rules = "- {id: brief, when: label.host = a, set: {expire_after: 1s}}"
    adjusted(tmp_path / "mine", rules)
    with running(tmp_path, "rules: {folder: mine}\nlifecycle: {expiry_grace: 0s}\n") as server:
        for host in ("a", "b"):
            stored(server, host)
        eventually(lambda: server.get("/api/v1/alerts?label.host=a")[1]["alerts"][0]["status"] == "expired", 20)
        assert server.get("/api/v1/alerts?label.host=b")[1]["alerts"][0]["status"] == "active"


SIX_LINES = """- id: heartbeat
  when: name = "Down"
  say: {text: 'Call the one who knows {host}.'}
  examples:
    matches: [ {name: Down, labels: {host: a}} ]
    ignores: [ {name: Up, labels: {host: a}} ]
"""


def test_six_lines_over_a_shipped_rule_and_a_broken_book(tmp_path: Path) -> None:
    mine = tmp_path / "mine" / "recommendations" / "mine.yaml"
    mine.parent.mkdir(parents=True)

    def advice() -> set[tuple[str, str]]:
        return {(said["rule"], said["text"]) for said in stored(server, "a")["recommendations"]}

    with running(tmp_path, "rules: {folder: mine}\n") as server:
        ours = ("heartbeat", "Call the one who knows a.")
        assert ours not in advice()
        mine.write_text(SIX_LINES)
        assert server.post("/-/reload", b"") == (200, {"reloaded": True, "needs_restart": []})
        assert ours in advice()
        assert server.post("/webhook", webhook(firing("Watchdog", severity="none")))[0] == 200
        (watchdog,) = server.get("/api/v1/alerts?alertname=Watchdog")[1]["alerts"]
        assert "heartbeat" not in {said["rule"] for said in watchdog["recommendations"]}  # the shipped one is gone
        for file, text, told in (
            (
                mine,
                SIX_LINES.replace("when: name", "when: nmae"),
                "mine.yaml:2: heartbeat.when: 'nmae' cannot be tested",
            ),
            (tmp_path / "mine" / "adjust.yaml", "- id: a\n  when: ]\n", "adjust.yaml:2: is not YAML"),
            (mine.parent / "more.yaml", "- {id: x, when: name = X}", "more.yaml:1: x: has no say"),
        ):
            before = file.read_text() if file.exists() else ""
            file.write_text(text)
            status, answer = server.post("/-/reload", b"")
            assert (status, told in answer["detail"]) == (400, True), answer
            assert ours in advice()
            file.write_text(before)
        assert server.post("/-/reload", b"")[0] == 200
