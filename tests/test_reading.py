"""What is read from a rule's PromQL and from annotations, and how it is worded."""

import time

import pytest

from enrichers.promql import read
from enrichers.subject import subject
from enrichers.units import figure
from tests.views import graph, view


@pytest.mark.parametrize(
    ("expr", "metric", "sign", "threshold"),
    [
        ("node_load1 > 8", "node_load1", ">", 8),
        ("8 < node_load1", "node_load1", ">", 8),
        ("up == 0", "up", "==", 0),
        ("up{job='api'} != 1", "up", "!=", 1),
        ("errors_total > bool 5", "errors_total", ">", 5),
        ("(errors_total) >= (5 * 60)", "errors_total", ">=", 300),
        ("disk_free_bytes < 10 * 1024 ^ 3", "disk_free_bytes", "<", 10 * 2**30),
        ("temp < -5", "temp", "<", -5),
        ("rate(errors_total[5m]) > 3 and rate(requests_total[5m]) > 0", "errors_total", ">", 3),
        ("requests_total > 0 and errors_total / requests_total > 0.1", "errors_total", ">", 0.1),
        ("a > 5 or b > 7", "a", ">", 5),
        ("a > 5 unless b > 7", "a", ">", 5),
        ("avg by (x) (cpu_percent > 80)", "cpu_percent", ">", 80),
        ("histogram_quantile(0.99, sum by (le) (rate(http_seconds_bucket[5m]))) > 1", "http_seconds_bucket", ">", 1),
        ("predict_linear(disk_free[1h], 4 * 3600) < 0", "disk_free", "<", 0),
        ("absent(up{job='api'})", "up", None, None),
        ("replicas_wanted != replicas_there", "replicas_wanted", "!=", None),
        ('{__name__="odd"} > 2', "odd", ">", 2),
        ("vector(1)", None, None, None),
        ("a > 1 / 0", "a", ">", None),
    ],
)
def test_expressions(expr, metric, sign, threshold):
    reading = read(graph(expr))
    assert reading is not None
    assert (reading.metric, reading.sign, reading.threshold) == (metric, sign, threshold)


@pytest.mark.parametrize(
    "url", ["", "http://p/graph", graph("a > "), graph("(" * 5000), "http://p/?g0.expr=%zz", "x" * 99999]
)
def test_what_is_no_expression_says_nothing(url):
    assert read(url) is None


def test_a_hostile_expression_is_not_read_for_long():
    began = time.perf_counter()
    for hostile in ("+".join(["a"] * 2000), "(" * 4000 + "a" + ")" * 4000, "a and " * 1500 + "a", "-" * 8000 + "a"):
        read(graph(hostile))
    assert time.perf_counter() - began < 0.5


@pytest.mark.parametrize(
    ("expr", "told", "value", "over"),
    [
        ("cpu_percent > 80", "CPU is at 92%", 92, 15.0),
        ("cpu_percent > 80", "CPU above 80% for 10m", None, None),
        ("cpu_percent > 80", "host web-92 is busy", None, None),
        ("cpu_percent > 80", "see http://x/92 and port :9100", None, None),
        ("1 - free / size > 0.8", "disk is 92% full", 0.92, 15.0),
        ("free / size < 0.2", "only 15% left", 0.15, 25.0),
        ("free / size * 100 < 20", "has only 15.0% available space left", 15, 25.0),
        ("http_seconds > 1", "Value: 5.23", 5.23, 423.0),
        ("http_seconds > 1", "p95 is 1500ms", 1.5, 50.0),
        ("lag_seconds > 30", "VALUE = 4.5e+01", 45, 50.0),
        ("temp < 0", "temperature is -3", -3, None),
        ("up == 0", "value 0", 0, None),
        ("pods_missing > 0", "value: 3", 3, None),
        ("jobs_failed >= 1", "value: 3", 3, None),
    ],
)
def test_the_value_is_taken_only_when_it_convinces(expr, told, value, over):
    found = view("X", expr, {"description": told}, instance="web-1:9100")
    assert (found.value, found.overage_percent) == (value, over)


def test_a_level_is_told_as_in_one_breath():
    found = view(
        "HostHighCpu", "cpu_percent > 80", {"summary": "CPU of web-1 is high", "description": "CPU: 92%"}, host="web-1"
    )
    assert found.title == "CPU of web-1 is high"
    assert found.message == "CPU: 92% CPU is at 92% (threshold: 80%, exceeded by 15.0%)."


def test_states_and_counts_are_never_exceeded_by():
    for expr, told in (("up == 0", "value 0"), ("pods_missing > 0", "value: 3"), ("jobs_failed >= 1", "value: 3")):
        assert "exceeded" not in view("X", expr, {"description": told}).message


@pytest.mark.parametrize(
    ("annotations", "labels", "title"),
    [
        ({"summary": "It burns"}, {"instance": "a"}, "It burns"),
        ({}, {"instance": "a"}, "Down on a"),
        ({}, {}, "Down"),
        ({"title": "T"}, {}, "T"),
    ],
)
def test_titles(annotations, labels, title):
    assert view("Down", "", annotations, **labels).title == title


@pytest.mark.parametrize(
    ("labels", "selected", "about"),
    [
        ({"namespace": "shop", "pod": "p-1", "instance": "exporter:8080"}, {}, "shop/p-1"),
        ({"mountpoint": "/var", "instance": "db-1:9100"}, {}, "/var on db-1:9100"),
        ({"instance": "db-1:9100", "job": "node"}, {}, "db-1:9100"),
        ({"job": "node"}, {}, "node"),
        ({"severity": "page"}, {"job": "api"}, "api"),
        ({"severity": "page"}, {}, None),
    ],
)
def test_the_thing_affected(labels, selected, about):
    assert subject(labels, selected) == about


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.153, "ratio", "15.3%"),
        (92.0, "percent", "92%"),
        (10 * 2**30, "bytes", "10.0 GiB"),
        (0.25, "seconds", "250 ms"),
        (5.23, "seconds", "5.23 s"),
        (259200, "seconds", "3 days"),
        (1500, "milliseconds", "1.5 s"),
        (3.2, "per_second", "3.2/s"),
        (71, "celsius", "71 °C"),
        (12345, None, "12,345"),
        (1e300, "seconds", "1e+300 s"),
    ],
)
def test_figures_for_people(value, unit, text):
    assert figure(value, unit) == text
