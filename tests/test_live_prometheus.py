"""The enricher `prometheus`, against a real Prometheus; what a real one does not do is a stub's."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from enrichers import Impact
from enrichers.live.trend import Limit, trend
from tests.live import each, loaded, refused, run
from tests.monitoring import Metric, Prometheus, eventually, metric, needed, prometheus
from tests.stub import Reply, stub
from tests.views import view

CPU = "max by (host) (test_cpu_percent) > 80"
PAGE = f"""
test_cpu_percent{{host="web-1",cpu="0"}} 92
test_cpu_percent{{host="web-1",cpu="1"}} 40
test_cpu_percent{{host="we\\"b,cpu=~\\".*",cpu="1"}} 7
test_queue{{queue="a",pod="p1"}} 30
test_queue{{queue="a",pod="p2"}} 90
test_active_users{{host="web-1"}} 12
test_active_users{{host="web-2"}} 5
test_backup_timestamp_seconds{{job_name="nightly"}} {time.time() - 7200:.0f}
test_free_percent{{host="db",disk="a"}} 3
test_free_percent{{host="db",disk="b"}} 50
test_none_total 0
"""


@dataclass
class Stage:
    """A Prometheus with hours behind it, and what it scrapes."""

    prometheus: Prometheus
    metric: Metric


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """`test_load` rose from 20 to 95 within the last three hours, and was over 80 for the last of them."""
    folder = tmp_path_factory.mktemp("prometheus")
    now = int(time.time())
    lines = ["# TYPE test_load gauge"]
    for minutes in range(200, -1, -1):
        level = 95 if minutes < 60 else 20 + (200 - minutes) * 0.35
        lines.append(f'test_load{{host="web-1"}} {level} {now - minutes * 60}')
    (folder / "past.txt").write_text("\n".join([*lines, "# EOF", ""]))
    promtool = str(Path(needed("prometheus")).with_name("promtool"))
    make = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "past.txt"), str(folder / "tsdb")]
    subprocess.run(make, check=True, capture_output=True)
    with metric() as shown:
        shown.text = PAGE
        with prometheus(folder, {"app": shown.port}) as running_one:
            eventually(lambda: running_one.value("test_none_total") is not None)
            yield Stage(running_one, shown)


def config(url: str, more: str = "") -> str:
    """The enricher with that server."""
    return f"  prometheus:\n    url: {url}\n{more}"


def test_the_value_now_and_what_makes_it_up(stage: Stage, tmp_path: Path) -> None:
    added, outcome = run(tmp_path, config(stage.prometheus.url), view(expr=CPU, host="web-1"))
    assert outcome.outcome == "ok", outcome
    assert added.facts["value_now"].startswith("92% at ")
    assert added.facts["top_series"] == ["cpu=0: 92%", "cpu=1: 40%"]
    asked = 'max by (host) (test_cpu_percent{host="web-1"})'
    assert added.facts["prometheus_asked"] == f"{stage.prometheus.url}: {asked}"
    assert (added.value, added.overage_percent, added.impact) == (92, 15, None)


def test_a_value_that_the_sender_told_stays(stage: Stage, tmp_path: Path) -> None:
    alert = view(expr=CPU, annotations={"description": "CPU is at 85%"}, host="web-1")
    assert alert.value == 85
    added, _ = run(tmp_path, config(stage.prometheus.url), alert)
    assert (added.value, added.overage_percent) == (None, None)
    assert added.facts["value_now"].startswith("92% at ")


def test_the_trend_of_the_last_hours(stage: Stage, tmp_path: Path) -> None:
    added, _ = run(tmp_path, config(stage.prometheus.url), view(expr="test_load > 80", host="web-1"))
    words = added.facts["trend"]
    assert words.startswith(("rising ▁", "jumped at "))
    assert ", 95 at " in words
    assert "above 80 since " in words
    short, _ = run(
        tmp_path, config(stage.prometheus.url, "    trend: 30m\n"), view(expr="test_load > 80", host="web-1")
    )
    assert short.facts["trend"].startswith("steady ▁")
    assert short.facts["trend"].endswith("above 80 all the time")
    none, _ = run(tmp_path, config(stage.prometheus.url, "    trend: 0s\n"), view(expr="test_load > 80", host="web-1"))
    assert "trend" not in none.facts


@pytest.mark.parametrize(
    ("expr", "labels", "told"),
    [
        ("sum by (queue) (test_queue) > 10", {"queue": "a"}, ("120 at ", ["pod=p2: 90 (75%)", "pod=p1: 30 (25%)"])),
        ("min by (host) (test_free_percent) < 5", {"host": "db"}, ("3% at ", ["disk=a: 3%", "disk=b: 50%"])),
        ("test_free_percent < 5", {"host": "db"}, ("the lowest of 2 series", ["disk=a: 3%", "disk=b: 50%"])),
        ("test_queue > 10", {"queue": "a"}, ("the highest of 2 series", ["pod=p2: 90", "pod=p1: 30"])),
        ("100 - avg by (host) (test_free_percent) > 10", {"host": "db"}, ("73.5% at ", ["disk=a: 3", "disk=b: 50"])),
        ("sum(test_queue) / sum(test_cpu_percent) > 0.5", {}, ("86.33% at ", ["pod=p2: 90", "pod=p1: 30"])),
        ("test_cpu_percent > 80", {"host": 'we"b,cpu=~".*'}, ("7% at ", None)),
        ("test_cpu_percent > 80", {"host": 'we"b,cpu=~".*'}, ("no longer above 80%", None)),
        ('absent(test_gone{job="x"})', {"job": "x"}, ("no such series now", None)),
        ("test_none_total / test_none_total > 1", {}, ("no figure now: Prometheus answers nan", None)),
        ("time() - test_backup_timestamp_seconds > 3600", {"job_name": "nightly"}, ("2 hours", None)),
        ("test_backup_timestamp_seconds < time() - 3600", {"job_name": "nightly"}, ("2 hours", None)),
    ],
)
def test_shapes_of_rules(stage: Stage, tmp_path: Path, expr: str, labels: dict[str, str], told: tuple) -> None:
    now, top = told
    added, outcome = run(tmp_path, config(stage.prometheus.url), view(expr=expr, **labels))
    assert outcome.outcome == "ok", outcome
    assert now in added.facts["value_now"]
    assert added.facts.get("top_series") == top


def test_more_series_than_are_listed_are_not_counted(stage: Stage, tmp_path: Path) -> None:
    for series, told in ((1, "the highest of more than 1 series"), (2, "the highest of 2 series")):
        alert = view(expr="test_queue > 10", queue="a")
        added, _ = run(tmp_path, config(stage.prometheus.url, f"    series: {series}\n"), alert)
        assert added.facts["value_now"].endswith(told)


def test_a_senders_own_query_is_never_asked(tmp_path: Path) -> None:
    with stub() as service:
        alert = view(queue="a")
        alert.facts["query"] = "sum(test_queue)"
        _, outcome = run(tmp_path, config(service.url), alert)
    assert (outcome.outcome, service.asked) == ("nothing", [])


def test_users_hit_come_with_their_source_and_are_never_0_when_unknown(stage: Stage, tmp_path: Path) -> None:
    users = "    users: 'sum(test_active_users{host=\"{host}\"})'\n"
    url = stage.prometheus.url
    added, _ = run(tmp_path, config(url, users), view(host="web-1"))
    assert added.impact == Impact(12, f'{url}: sum(test_active_users{{host="web-1"}})')
    for host in ("elsewhere", '"} or vector(1) #'):
        added, outcome = run(tmp_path, config(url, users), view(host=host))
        assert (added.impact, outcome.outcome) == (None, "nothing")
    added, outcome = run(tmp_path, config(url, users), view(pod="without-a-host"))
    assert (added.impact, outcome.outcome) == (None, "nothing")


def test_what_fails_takes_nothing_from_what_does_not(stage: Stage, tmp_path: Path) -> None:
    users = "    users: 'test_active_users'\n"
    added, outcome = run(tmp_path, config(stage.prometheus.url, users), view(expr=CPU, host="web-1"))
    assert outcome.outcome == "ok"
    assert added.facts["value_now"].startswith("92%")
    why = "users: the query gives 2 series, not one: put sum() or count() around it"
    assert added.facts["prometheus_problems"] == [why]
    _, outcome = run(tmp_path, config(stage.prometheus.url, "    users: 'sum('\n"), view(host="x"))
    assert outcome.outcome == "failed"
    assert "/api/v1/query answered 400 Bad Request: invalid parameter" in outcome.detail


def test_only_servers_that_the_settings_name_are_asked(stage: Stage, tmp_path: Path) -> None:
    alert = view(expr=CPU, host="web-1")
    assert alert.facts["prometheus"] == "http://prometheus.example.org"
    alert.facts["prometheus"] = (told := "http://127.0.0.1:1/evil")
    with stub(any=Reply('{"status": "success", "data": {"resultType": "vector", "result": []}}')) as service:
        alert.facts["prometheus"] = service.url
        for text in (config(stage.prometheus.url), f"  prometheus: {{servers: ['{stage.prometheus.url}']}}\n"):
            run(tmp_path, text, alert)
        assert service.asked == []
        alert.facts["prometheus"] = told
        added, _ = run(tmp_path, f"  prometheus: {{servers: {{'{told}': '{service.url}'}}}}\n", alert)
        assert added.facts["value_now"] == "no such series now"
        assert {path.rpartition("/")[2] for path in service.paths} == {"query", "query_range"}


def test_a_storm_of_one_alert_asks_once(stage: Stage, tmp_path: Path) -> None:
    answer = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "92"]}]}}
    with stub(any=Reply(json.dumps(answer), wait=0.2)) as service:
        chain = loaded(tmp_path, config(service.url, "    trend: 0s\n"))
        said = asyncio.run(each(chain, *(view(expr=CPU, host="web-1") for _ in range(10))))
    assert all(added.facts["value_now"].startswith("92%") for ((added, _),) in said)
    assert len(service.asked) == 2  # the value, and what makes it up


SERIES = '{"status": "success", "data": {"resultType": "vector", "result": %s}}'


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply("", wait=2), "did not answer within 0.3 s"),
        (Reply("<html>", 502), "answered 502 Bad Gateway: <html>"),
        (Reply('{"status":"error","error":"too many"}', 422), "answered 422 Unprocessable Entity: too many"),
        (Reply("", 302, {"Location": "/login"}), "answered 302 Found; redirects are not followed"),
        (Reply("<html>"), "answered what is not JSON: <html>"),
        (Reply(b"\xff"), "answered what is not UTF-8 text (byte 0)"),
        (Reply("[1]"), "answered what is not Prometheus' form: [1]"),
        (Reply(SERIES % "[1]"), "answered what is not Prometheus' form: "),
        (Reply(SERIES % '[{"value": 1}]'), "answered samples that are not of Prometheus' form"),
        (Reply("x" * 4096, endless=True), "answered more than 2048 bytes (answer_size)"),
    ],
)
def test_whatever_it_answers_is_a_plain_sentence(tmp_path: Path, reply: Reply, told: str) -> None:
    more = "    patience: 300ms\n    answer_size: 2KiB\n    trend: 0s\n"
    with stub(any=reply) as service:
        _, outcome = run(tmp_path, config(service.url, more), view(expr=CPU, host="web-1"))
    assert outcome.outcome == "failed"
    assert told in outcome.detail
    assert outcome.detail.startswith(service.url)


@pytest.mark.parametrize("expr", ["", "time() > 1", "x{" + "a" * 3000 + '="b"} > 1'])
def test_an_alert_without_a_query_asks_nothing(tmp_path: Path, expr: str) -> None:
    with stub() as service:
        _, outcome = run(tmp_path, config(service.url), view(expr=expr, host="web-1"))
        alert = view(expr=CPU, host="web-1")
        alert.facts["promql"] = ["not", "a", "text"]
        run(tmp_path, config(service.url), alert)
        alert.facts["promql"] = "sum(" * 500
        run(tmp_path, config(service.url), alert)
    assert (outcome.outcome, service.asked) == ("nothing", [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", ": names no server: set url, or servers"),
        (
            "{url: 'prometheus:9090'}",
            ".url: must be an address that begins with http:// or https:// and names a server",
        ),
        ("{url: 'http://p:9090/graph?g0.expr=up'}", ".url: must not hold ? or #"),
        ("{url: 'http://p', trend: 30d}", ".trend: must be at most 7d"),
        ("{url: 'http://p', series: 100}", ".series: must be at most 20"),
        ("{servers: ['p']}", ".servers.p: must be an address that begins with http:// or https://"),
        ("{url: 'http://p', userz: up}", '.userz: is not a setting; did you mean "users"?'),
    ],
)
def test_a_wrong_setting_is_told_by_its_line(tmp_path: Path, text: str, told: str) -> None:
    first = refused(tmp_path, f"  prometheus: {text}\n")[0]
    assert first.startswith(f"config.yaml:2: enrichers.prometheus{told}")


T = 1_700_000_000  # 22:13:20


def ramp(*values: float) -> list[tuple[float, float]]:
    """Samples a minute apart."""
    return [(T + 60.0 * number, value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "unit", "limit", "words"),
    [
        ((50, 51, 50, 51), "percent", None, "steady ▁█▁█, 50% at 22:13, 51% at 22:16 UTC"),
        ((0, 0, 0), None, None, "steady ▁▁▁, 0 at 22:13, 0 at 22:15 UTC"),
        (
            (10, 30, 50, 70, 90),
            "percent",
            Limit(60, "above"),
            "rising ▁▃▅▆█, 10% at 22:13, 90% at 22:17 UTC, above 60% since 22:16",
        ),
        ((90, 70, 50, 30, 10), "percent", Limit(60, "above"), "falling █▆▅▃▁, 90% at 22:13, 10% at 22:17 UTC"),
        (
            (5, 5, 5, 90, 91, 90),
            None,
            Limit(1, "above"),
            "jumped at 22:16 ▁▁▁███, 5 at 22:13, 90 at 22:18 UTC, highest 91 at 22:17, above 1 all the time",
        ),
        (
            (90, 90, 90, 5, 5, 5),
            None,
            Limit(10, "below"),
            "dropped at 22:16 ███▁▁▁, 90 at 22:13, 5 at 22:18 UTC, below 10 since 22:16",
        ),
        (
            (10, 90, 10, 90, 10),
            None,
            Limit(10, "equal"),
            "up and down ▁█▁█▁, 10 at 22:13, 10 at 22:17 UTC, highest 90 at 22:14, at 10 since 22:17",
        ),
        ((1, float("nan"), 2**31, float("inf")), "bytes", None, "rising ▁█, 1 Byte at 22:13, 2.0 GiB at 22:15 UTC"),
        ((1,), None, None, None),
        ((), None, None, None),
        ((float("nan"), 1), None, None, None),
    ],
)
def test_a_trend_in_words(values: tuple, unit: str | None, limit: Limit | None, words: str | None) -> None:
    assert trend(ramp(*values), unit, limit) == words
