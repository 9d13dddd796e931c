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
    assert found.message == "CPU: 92%. CPU is at 92% (threshold: 80%, exceeded by 15.0%)."


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


@pytest.mark.parametrize(
    ("expr", "metric", "sign", "threshold"),
    [
        ("backup_seconds < time() - 90000", "backup_seconds", ">", 90000),
        ("time() - 3600 > last_seen_seconds", "last_seen_seconds", ">", 3600),
        ("time() - last_seen_seconds > 3600", "last_seen_seconds", ">", 3600),
        ("leader == 1 and lag > 30", "lag", ">", 30),
        ("a > 0 unless b > 7", "a", ">", 0),
        ("(queue > 100) * on (instance) group_left (name) info", "queue", ">", 100),
        ("label_replace(a > 4, 'x', '$1', 'y', '(.*)')", "a", ">", 4),
    ],
)
def test_the_comparison_that_fires_is_found_where_it_stands(expr, metric, sign, threshold):
    reading = read(graph(expr))
    assert reading is not None
    assert (reading.metric, reading.sign, reading.threshold) == (metric, sign, threshold)


def test_a_part_of_an_expression_is_never_taken_for_the_whole():
    assert read(graph("a" * 8192 + " > 5")) is None
    assert read(graph("a > 5 * " + "1" * 400)) is not None


@pytest.mark.parametrize(
    ("expr", "unit"),
    [
        ("a / b > 0.8", "ratio"),
        ("load / cpus > 2", None),
        ("100 * a / b > 80", "percent"),
        ("round(100 * (1 - a / b)) > 80", "percent"),
        ("100 - idle_percent > 80", "percent"),
        ("a_percent > 80", "percent"),
        ("job:errors:ratio_rate5m > 0.1", "ratio"),
        ("free_bytes < 10", "bytes"),
        ("free_bytes / 1024 / 1024 < 10", None),
        ("x_seconds * 1000 > 300", "milliseconds"),
        ("(cert_expiry_timestamp_seconds - time()) / 86400 < 14", "days"),
        ("rate(x_bytes_total[5m]) > 10", "bytes_per_second"),
        ("rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m]) > 1", "seconds"),
        ("rate(io_time_seconds_total[5m]) / rate(io_total[5m]) > 0.1", "seconds"),
        ("histogram_quantile(0.9, rate(x_seconds_bucket[5m])) > 1", "seconds"),
        ("increase(restarts_total[1h]) > 5", "count"),
        ("rate(samples_duplicate_timestamp_total[5m]) > 5", "per_second"),
        ("up == 0", "state"),
        ("things > 5", None),
    ],
)
def test_units(expr, unit):
    assert view("X", expr).unit == unit


@pytest.mark.parametrize(
    ("expr", "told", "value"),
    [
        ("deadlocks > 10", "14.5 deadlocks on 10.42.3.17:9090, above threshold of 10.", 14.5),
        ("deadlocks > 10", "Deadlocks on db_1:9090.", None),
        ("deadlocks > 10", "Deadlocks on db at 10.1.2.30:9090.", None),
        ("http_errors > 10", "401 Unauthorized spike", None),
        ("queue > 5", "more than 20 for the last 30 minutes", None),
        ("queue > 5", "used 8 of a maximum of 100", 8),
        ("queue > 5", "queue on mq:15672 (Value:7)", 7),
        ("queue > 5", "(current value: 7) VALUE = 7 LABELS = map[a:99 b:98]", 7),
        ("a_percent > 80", "above 90% (93%)", 93),
        ("a_percent > 80", "it was 91 percent", 91),
        ("a / b > 0.05", "is at 7.5%", 0.075),
        ("a / b > 0.05", "VALUE = 0.075", 0.075),
        ("a / b > 0.05", "VALUE = 75", None),
        ("x_seconds > 300", "took 6 minutes", 360),
        ("x_seconds > 300", "is 1h 2m 3s old", 3723),
        ("x_seconds * 1000 > 300", "took 1.5s", 1500),
        ("latency > 100", "has been 136ms during the last 30m", 136),
        ("x_bytes > 1000", "is at 5KiB", 5120),
        ("x_bytes > 1000", "is at 5kB", 5000),
        ("lag > 300", "consumer lag is 4.5k", 4500),
        ("kafka_lag > 5", "Consumers of orders-17 are 3 behind", None),
        ("restarts > 3", "see https://x.example.org/9?v=12 now", None),
    ],
)
def test_numbers_that_name_limit_or_date_something_are_not_the_value(expr, told, value):
    found = view("X", expr, {"description": told}, queue="orders-17", instance="db-1:9090").value
    assert found == (None if value is None else pytest.approx(value))


def test_the_annotation_value_wins():
    found = view("X", "queue > 5", {"value": "7", "description": "value: 9"})
    assert found.value == 7


@pytest.mark.parametrize(
    ("expr", "told", "sentence"),
    [
        ("queue > 5", "", "It fires when queue is above 5."),
        ("count(up == 0) > 3", "", "It fires when the count of up is above 3."),
        ("errors_total / requests_total > 0.05", "VALUE = 0.1", "Now at 10% (threshold: 5%, exceeded by 100.0%)."),
        (
            "node_filesystem_avail_bytes / size * 100 < 5",
            "2% left",
            "Free space is at 2% (threshold: 5%, below it by 60.0%).",
        ),
        (
            "100 - node_filesystem_avail_bytes / size * 100 > 85",
            "at 90%",
            "Used space is at 90% (threshold: 85%, exceeded by 5.9%).",
        ),
        (
            "time() - last_seen_seconds > 60",
            "VALUE = 90",
            "The time since last_seen_seconds is at 1 minute and 30 seconds",
        ),
        (
            "time() - last_seen_seconds > 864000",
            "VALUE = 941234",
            "The time since last_seen_seconds is at 11 days (thresh",
        ),
        (
            "(x509_not_after - time()) / 60 / 60 / 24 <= 21",
            "",
            "It fires when the time left until x509_not_after is at most 21 d",
        ),
        (
            "3 <= round((probe_ssl_expiry - time()) / 86400, 0.1) < 20",
            "VALUE = 14.75",
            "The time left until probe_ssl_expiry is at 14.75 days (threshold: 20 days",
        ),
        ("restarts >= 3", "", "It fires when restarts is at least 3."),
        ("count(up == 0) > 3", "Value: 6", "The count of up is at 6 (threshold: 3)."),
        (
            "increase(failed_logins_total[5m]) > 5",
            "Value: 9",
            "The increase of failed_logins_total is at 9 (threshold: 5).",
        ),
        (
            "increase(failed_logins_total[5m]) > 20",
            "45 logins",
            "The increase of failed_logins_total is at 45 (threshold: 20, ex",
        ),
        ("rate(node_pressure_memory_stalled_seconds_total[5m]) > 0.1", "Value: 0.2", "The rate of node_pressure"),
        ("up == 0", "", "up is 0: it is down."),
        ("up == 0", "Gone", ""),
        ("mode == 3", "", "It fires when mode is 3."),
        ("vault_initialized != 1", "", "It fires when vault_initialized is not 1."),
        ("errors > 0", "", "It fires when errors is above 0."),
        ("errors > 0", "Some", ""),
        ("absent(up{job='a'})", "", "Nothing reports up."),
        ("kube_warning{reason='x'}", "", "It fires while kube_warning is there."),
    ],
)
def test_the_sentence_that_the_reading_adds(expr, told, sentence):
    message = view("X", expr, {"description": told}).message
    assert message.startswith(f"{told}. {sentence}" if told and sentence else told or sentence)
    assert sentence or message == told


@pytest.mark.parametrize(
    ("expr", "labels", "about"),
    [
        ("sum by (environment, bosh_deployment, bosh_job_name) (x) > 1",
         {"service": "cf", "environment": "prod", "bosh_deployment": "d", "bosh_job_name": "router"}, "router"),
        ("sum by (job, couchdb_cluster) (x) > 1", {"job": "couchdb", "couchdb_cluster": "eu"}, "eu"),
        ("sum by (job) (x) > 1", {"job": "api", "service": "s"}, "api"),
        ("sum by (region) (x) > 1", {"region": "eu", "service": "metrics"}, "eu"),
        ("sum by (namespace, pod) (x) > 1", {"namespace": "n", "pod": "p", "team": "t"}, "n/p"),
        ("histogram_quantile(0.9, sum by (handler, le) (rate(x_bucket[5m]))) > 1", {"handler": "/a", "instance": "i"},
         "/a"),
        ("sum(x) > 1", {"service": "shop"}, "shop"),
        ('sum(x{role_name="admin"}) > 1', {"service": "shop"}, "admin"),
        ("topk(3, x) > 1", {"instance": "i"}, "i"),
        ("kube_x > 1", {"topic": "observability", "node": "n-1"}, "n-1"),
        ("kafka_x > 1", {"topic": "orders", "instance": "i"}, "orders"),
        ("x > 1", {"namespace": "$namespace", "instance": "i"}, "i"),
        ("x > 1", {"pod": "{{ $labels.pod }}", "job": "j"}, "j"),
        ("x > 1", {"kubernetes_pod_name": "p", "kubernetes_namespace": "n"}, "n/p"),
    ],
)  # fmt: skip
def test_the_thing_is_what_the_expression_keeps_not_what_the_rule_puts_on(expr, labels, about):
    assert view("X", expr, **labels).subject == about


@pytest.mark.parametrize(
    ("expr", "labels", "query"),
    [
        ("up == 0", {"job": "a", "instance": "b:1"}, 'up{instance="b:1"}'),
        ("sum by (job) (rate(x[5m])) / sum by (job) (rate(y[5m])) > 1", {"job": "a", "pod": "p"},
         'sum by (job) (rate(x{job="a"}[5m])) / sum by (job) (rate(y{job="a"}[5m]))'),
        ("sum(rate(x[5m])) > 1", {"job": "a"}, "sum(rate(x[5m]))"),
        ("max without (pod) (x) > 1", {"pod": "p", "namespace": "n"}, 'max without (pod) (x{namespace="n"})'),
        ("x > 1 and y > 2", {"pod": "p", "namespace": "n"}, 'x{pod="p",namespace="n"}'),
        ("absent(up{job='a'})", {"job": "a"}, 'up{job="a"}'),
        ("time() - x > 60", {"instance": "i"}, 'time() - x{instance="i"}'),
        ("max_over_time(x[1h:5m] offset 2m) > 1", {"instance": "i"}, 'max_over_time(x{instance="i"}[1h:5m] offset 2m)'),
        ("x - x offset 1h > 5", {"instance": "i"}, 'x{instance="i"} - x{instance="i"} offset 1h'),
        ("a / on (pod) group_left (node) b > 1", {"pod": "p"}, 'a{pod="p"} / on (pod) group_left (node) b{pod="p"}'),
        (r'x{a=~"b\\.c"} > 1', {"instance": 'q"\\'}, r'x{a=~"b\\.c",instance="q\"\\"}'),
        ("topk(5, x) > 1", {"instance": "i"}, 'topk(5, x{instance="i"})'),
        ("quantile(0.9, x) by (job) > 1", {"job": "a"}, 'quantile by (job) (0.9, x{job="a"})'),
        ('{__name__="odd"} > 2', {"instance": "i"}, '{__name__="odd",instance="i"}'),
        ("x @ 100 > 1", {"instance": "i"}, None),
        ('x{namespace="$namespace"} > 1', {"instance": "i"}, None),
        ("x > 1", {"instance": "i" * 301}, "x"),
    ],
)  # fmt: skip
def test_the_query_shows_what_is_measured_for_the_alerts_own_series(expr, labels, query):
    found = view("X", expr, **labels).facts.get("promql")
    assert found == query
    assert found is None or read(graph(found)) is not None


@pytest.mark.parametrize(
    ("labels", "metric", "about"),
    [
        ({"pod": "node-exporter-x", "namespace": "monitoring", "instance": "web-1:9100"}, "node_load1", "web-1:9100"),
        (
            {"pod": "checkout-1", "namespace": "shop", "instance": "ksm:8080"},
            "kube_pod_status_phase",
            "shop/checkout-1",
        ),
        ({"exported_pod": "checkout-1", "exported_namespace": "shop", "pod": "ksm"}, "kube_x", "shop/checkout-1"),
        ({"severity": "page", "team": "a", "tunnel": "eu-7"}, None, "eu-7"),
    ],
)
def test_the_thing_is_what_the_metric_is_about_not_who_reports_it(labels, metric, about):
    assert subject(labels, {}, metric) == about


@pytest.mark.parametrize(
    "text", ["a" * 4000, "1 " * 2000, "a." * 2000, "1d " * 1300, "is at " * 700, "1:" * 2000, " " * 4000]
)
def test_hostile_annotations_are_not_read_for_long(text):
    began = time.perf_counter()
    view("X", "queue > 5", dict.fromkeys(("description", "message", "summary", "title"), f"{text} 3x"), instance="a1")
    assert time.perf_counter() - began < 0.25
