"""`alertsage replay`: what other rules would make of the alerts that are stored, beside a running server."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from receiver.store.tables import metadata
from tests import engines
from tests.monitoring import eventually
from tests.sentry import event, hook, issue
from tests.servers import Server, firing, resolved, running, webhook
from tests.test_db import command
from tests.views import graph

OTHER = """
- id: staging
  because: nobody is woken for staging
  when: label.env = staging
  set: {priority: low, expire_after: 12h}
- id: ours
  when: name = DiskFull
  set: {category: business}
"""
ADVICE = """
- {id: disk-nearly-full, when: name = DiskFull, say: {text: 'Ask {owner|"somebody"} about {mountpoint}.'}}
- {id: first, rank: 900, when: metric = node_filesystem_avail_bytes, say: {text: 'Before all else.'}}
- {id: look-at-the-expression, rank: 950, when: name = Slow, say: {text: Look.}}
"""
DISK = "node_filesystem_avail_bytes / node_filesystem_size_bytes * 100 < 5"


def other(folder: Path, adjust: str = OTHER, advice: str = ADVICE, more: str = "") -> None:
    """Another configuration, new.yaml, with rules of its own."""
    (folder / "other" / "recommendations").mkdir(parents=True, exist_ok=True)
    (folder / "other" / "adjust.yaml").write_text(adjust)
    (folder / "other" / "recommendations" / "a.yaml").write_text(advice)
    (folder / "new.yaml").write_text(f"rules: {{folder: other}}\n{more}")


def disk(host: str, env: str = "production", **more: str) -> dict[str, Any]:
    """A full disk on that host."""
    told = {"summary": f"/var on {host} is full"}
    alert = firing("DiskFull", annotations=told, instance=host, env=env, mountpoint="/var", severity="critical", **more)
    return alert | {"generatorURL": graph(DISK)}


def post(server: Server, *alerts: dict[str, Any]) -> None:
    """One webhook."""
    assert server.post("/webhook/alertmanager", webhook(*alerts))[0] == 200


def replayed(folder: Path, *words: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lines of `replay --json`, and its summary."""
    done = command(folder, "replay", "--json", *words)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = map(json.loads, done.stdout.splitlines())
    return lines, last["summary"]


def rows(folder: Path) -> dict[str, Counter[str]]:
    """Everything that is stored."""
    url = engines.address(folder)
    return {name: Counter(map(repr, engines.ask(url, f"SELECT * FROM {name}"))) for name in metadata.tables}


def test_what_another_book_would_change_is_told_alert_by_alert_and_nothing_is_touched(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        post(server, *(disk(f"h{number}") for number in range(3)), disk("s", env="staging"), firing("Down", host="d"))
        post(server, resolved(disk("h0"), "2026-11-24T00:00:00Z"))
        other(tmp_path)
        before = rows(tmp_path)
        lines, summary = replayed(tmp_path, "--config", "new.yaml")
        assert rows(tmp_path) == before
        assert {name: summary[name] for name in ("alerts", "changed", "category", "priority", "raised")} == {
            "alerts": 5, "changed": 4, "category": 4, "priority": 4, "raised": 0,
        }  # fmt: skip
        assert (summary["lowered"], summary["expire_after"], summary["recommendations"]) == (4, 1, 4)
        by_title = {line["title"]: line for line in lines}
        staging, usual = by_title["/var on s is full"], by_title["/var on h0 is full"]
        assert staging["priority"] == {"before": "critical", "after": "low"}
        assert staging["expire_after"] == {"before": "3d", "after": "12h"}
        assert usual["priority"] == {"before": "critical", "after": "high"}  # business is at most high
        assert usual["category"] == {"before": "system", "after": "business"}
        assert "expire_after" not in usual
        advice = usual["recommendations"]
        assert [said["text"] for said in advice["added"]][:2] == ["Before all else.", "Ask somebody about /var."]
        assert "disk-nearly-full" in {said["rule"] for said in advice["removed"]}
        shown = server.get(f"/api/v1/alerts/{usual['id']}")[1]
        assert (shown["priority"], shown["category"]) == ("critical", "system")


def test_many_alerts_read_well(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        for first in range(0, 1200, 200):  # more than a slice
            post(server, *(disk(f"host-{number}") for number in range(first, first + 200)))
        post(server, disk("s", env="staging"), firing("Down", host="d", severity="warning"))
        other(tmp_path)
        done = command(tmp_path, "replay", "--config", "new.yaml", "--since", "1h")
        lines = done.stdout.splitlines()
        assert (done.returncode, done.stderr) == (0, "")
        assert lines[0] == "DiskFull: 1,200 alerts, e.g. 1200: /var on host-1199 is full"
        assert lines[1:3] == ["    priority critical -> high", "    category system -> business"]
        assert "    + Before all else.  [first]" in lines
        assert lines[lines.index("") + 1].startswith("DiskFull: 1 alert, e.g. 1201: ")
        end = next(place for place, line in enumerate(lines) if line.startswith("1,202 alerts seen since "))
        assert lines[end].endswith(", 1,201 would change")
        assert [line.split(None, 1)[1] for line in lines[end + 1 :]] == [
            "1,201 (0 up, 1,201 down)",
            "1,201",
            "1",
            "1,201",
        ]
        limited = replayed(tmp_path, "--config", "new.yaml", "--limit", "2")[1]
        assert (limited["alerts"], limited["changed"]) == (2, 1)
        assert replayed(tmp_path, "--config", "new.yaml", "--since", "0s")[1]["alerts"] == 0


def test_without_another_configuration_what_is_stored_is_compared_with_the_present_rules(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        post(server, disk("a"), disk("s", env="staging"))
        assert replayed(tmp_path)[1]["changed"] == 0
        other(tmp_path)
        lines, summary = replayed(tmp_path, "--present", "new.yaml")
        assert (summary["alerts"], summary["changed"], summary["recommendations"]) == (2, 2, 0)
        assert {line["priority"]["after"] for line in lines} == {"high", "low"}
        assert "would be judged otherwise than they were" in command(tmp_path, "replay", "--present", "new.yaml").stdout


@pytest.mark.parametrize("kind", ["sentry", "grafana", "generic"])
def test_what_other_senders_said_is_as_it_was(tmp_path: Path, kind: str) -> None:
    config = """
sources:
  sentry: {kind: sentry}
  grafana: {kind: grafana}
  generic:
    kind: generic
    mapping: {name: n, title: t, message: m, subject: s, users: u, priority: p, facts: {f: f}, links: {L: l}}
"""
    nodata = firing("DatasourceError", rulename="Queue", severity="warning")
    bodies: dict[str, list[Any]] = {
        "sentry": [
            hook("created", issue=issue(metadata={"type": "DatabaseTimeout"}, userCount=40)),
            hook("triggered", event=event(exception={"values": [{"type": "DatabaseTimeout"}]})),
        ],
        "grafana": [webhook(nodata) | {"version": "1", "orgId": 1}],
        "generic": [
            {"n": "Odd", "t": "It is odd", "s": "thing", "u": 12, "p": "low", "f": "fact", "l": "https://x.org"},
        ],
    }  # fmt: skip
    advice = {"sentry": "DatabaseTimeout, /api/orders/{id}, shop@1.2.3", "grafana": "DatasourceError, Queue, -"}
    same = "- {id: same, rank: 900, when: name =~ '.+', say: {text: '{name}, {subject}, {fact.f|fact.release|\"-\"}'}}"
    other(tmp_path, "- {id: c, when: name =~ '.+', set: {category: security}}", same, config)
    with running(tmp_path, config) as server:
        for body in bodies[kind]:
            assert server.post(f"/webhook/{kind}", body)[0] == 200
        assert replayed(tmp_path)[1]["changed"] == 0
        lines, _ = replayed(tmp_path, "--config", "new.yaml")
        assert {line["category"]["after"] for line in lines} == {"security"}
        said = [line["recommendations"]["added"][0]["text"] for line in lines]
        assert said == [advice.get(kind, "Odd, thing, fact")]
        # and once that other one has been in force, the way back is as good
        assert (tmp_path / "config.yaml").write_text((tmp_path / "new.yaml").read_text())
        assert server.post("/-/reload", b"")[0] == 200
        for body in bodies[kind]:
            server.post(f"/webhook/{kind}", body)
        (tmp_path / "old.yaml").write_text(config)
        assert replayed(tmp_path)[1]["changed"] == 0
        back, _ = replayed(tmp_path, "--config", "old.yaml")
        assert [line["category"]["after"] for line in back] == [line["category"]["before"] for line in lines]


def test_what_deferred_enrichers_added_counts_and_none_runs(tmp_path: Path) -> None:
    config = "enrichers: {own: {use: './own.py:own'}}\n"
    (tmp_path / "own.py").write_text(
        "import pathlib\n\n\ndef own(alert, context):\n"
        "    with pathlib.Path('ran').open('a') as ran:\n        ran.write('x')\n"
        "    return {'priority': 'high', 'facts': {'owner': 'Ann'}}\n"
    )
    advice = "- {id: owned, when: fact.owner = Ann, rank: 900, say: {text: 'Ask {fact.owner}.'}}"
    adjust = "- {id: a, when: name = Down, set: {priority: low}}\n- {id: b, when: name = Up, set: {priority: critical}}"
    other(tmp_path, adjust, advice, config)
    with running(tmp_path, config) as server:
        post(server, firing("Down", severity="warning"), firing("Up", severity="warning"))
        eventually(lambda: len(server.get("/api/v1/alerts?priority=high")[1]["alerts"]) == 2)
    lines, summary = replayed(tmp_path, "--config", "new.yaml")
    assert (tmp_path / "ran").read_text() == "xx"
    assert (summary["priority"], summary["recommendations"]) == (1, 2)
    assert [line.get("priority") for line in lines] == [{"before": "high", "after": "critical"}, None]
    assert {line["recommendations"]["added"][0]["text"] for line in lines} == {"Ask Ann."}


def test_a_source_that_the_other_configuration_does_not_name_is_told(tmp_path: Path) -> None:
    other(tmp_path, more="sources: {elsewhere: {kind: alertmanager}}\n")
    with running(tmp_path) as server:
        post(server, firing("Down", env="staging"))
        assert replayed(tmp_path, "--config", "new.yaml")[1]["of_unknown_sources"] == {"alertmanager": 1}
        done = command(tmp_path, "replay", "--config", "new.yaml")
        assert "1 of source alertmanager, which that configuration does not name" in done.stdout


def test_mistakes_are_told_and_nothing_is_made(tmp_path: Path) -> None:
    done = command(tmp_path, "replay")
    assert done.returncode == 2
    assert ("is not there" in done.stderr) or ("holds nothing of alertsage yet" in done.stderr)
    assert not [file for file in tmp_path.iterdir() if ".db" in file.name]
    done = command(tmp_path, "replay", "--since", "7")
    assert (done.returncode, "write a duration, e.g. 7s" in done.stderr) == (2, True)
    other(tmp_path, "- {id: x}")
    done = command(tmp_path, "replay", "--config", "new.yaml")
    assert (done.returncode, "adjust.yaml:1: x: has no when" in done.stderr) == (2, True)
    assert command(tmp_path, "replay", "--limit", "0").returncode == 2
