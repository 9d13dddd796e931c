"""The shipped enrichers, each by what it adds."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enrichers import Context, History
from enrichers.chain import provenance
from enrichers.runbook import Runbook
from receiver.domain.rules import Book
from receiver.domain.times import DAY, HOUR
from tests.views import BOOK, CHAIN, Shipped, describe, explained, sighting, view

NOW = 1000 * DAY


@pytest.mark.parametrize(
    ("name", "expr", "category"),
    [
        ("PostgresqlTooManyConnections", "", "database"),
        ("RedisMemoryHigh", "", "database"),
        ("HostOutOfMemory", "", "system"),
        ("KubePodNotReady", "", "availability"),
        ("TargetDown", "up == 0", "availability"),
        ("ApiLatencyHigh", "", "performance"),
        ("SslCertificateExpired", "", "security"),
        ("OrdersDropped", "", "business"),
        ("HighErrorRate", "", "application"),
        ("Zzz", "", "application"),
        ("Odd", "node_memory_MemFree_bytes < 1", "system"),
        ("DDoSDetected", "", "security"),
        ("LicenseExpired", "", "business"),
        ("KubeContainerRestarting", "", "application"),
        ("VarnishCacheHitRateLow", "", "performance"),
        ("ConfigReloadFailed", "blackbox_exporter_config_last_reload_successful == 0", "application"),
        ("SecretsOperatorDeployment", "kube_deployment_status_replicas_unavailable > 0", "availability"),
        ("HostNetworkErrors", "node_network_receive_errs_total > 1", "system"),
        ("", "pg_stat_activity_count > 100", "database"),
    ],
)
def test_categories(name, expr, category):
    assert view(name, expr).category == category


def test_the_label_category_wins_when_it_is_one_of_ours():
    assert view("HostOutOfMemory", category="Business").category == "business"
    assert view("HostOutOfMemory", category="team-a").category == "system"


@pytest.mark.parametrize(
    ("annotations", "url"),
    [
        ({"runbook_url": "https://r/x"}, "https://r/x"),
        ({"runbook": "http://r/y"}, "http://r/y"),
        ({"runbook_url": "javascript:alert(1)"}, "https://base/My%20Alert%2F1"),
        ({"runbook_url": "https://r/<script>"}, "https://base/My%20Alert%2F1"),
        ({"runbook_url": "see the wiki"}, "https://base/My%20Alert%2F1"),
        ({}, "https://base/My%20Alert%2F1"),
    ],
)
def test_runbooks(annotations, url):
    chain = [Shipped("runbook", Runbook("https://base/"))]
    found = describe(chain, sighting("My Alert/1", "", annotations), Context(now=0, rules=Book())).view
    assert [link.url for link in found.links] == [url]
    assert found.facts["runbook"] == url


def test_without_a_runbook_nothing_is_said():
    assert "runbook" not in view("X").facts


@pytest.mark.parametrize(
    ("ages", "told"),
    [
        ([0], None),
        ([2 * HOUR, 0], "2nd time in 24 hours"),
        ([6 * DAY, 5 * DAY, 3 * DAY, 0], "4th time in 7 days"),
        ([20 * DAY, 0], "2nd time in 30 days"),
        ([HOUR * n / 60 for n in range(11, -1, -1)], "12th time in 24 hours"),
    ],
)
def test_recurrence(ages, told):
    history = History(tuple(NOW - int(age) for age in ages), len(ages))
    assert explained(sighting(), history=history, now=NOW).view.facts.get("recurrence") == told


@pytest.mark.parametrize(
    "told",
    [
        sighting("SomethingOdd", "widgets_stuck > 12", None, instance="app-3:8080"),
        sighting("SomethingOdd", "", None, instance="app-3:8080"),
        sighting("SomethingOdd"),
        sighting("", "", None, job="x"),
        sighting("TargetDown", "up == 0", None, instance="app-3:8080", job="api"),
        sighting("NodeFilesystemFull", "node_filesystem_avail_bytes < 1", None, instance="app-3:8080", mountpoint="/"),
    ],
)
def test_every_alert_gets_advice_that_names_its_own_thing(told):
    said = explained(told).view.recommendations
    thing = told.labels.get("instance", "").partition(":")[0] or told.name or told.labels["job"]
    assert 2 <= len(said) <= 4
    assert any(thing in f"{one.text} {one.command}" for one in said)
    assert all("{" not in one.text for one in said)
    assert all(one.rule for one in said)


def test_a_heartbeat_is_no_trouble():
    said = view("Watchdog", "vector(1)", None, severity="none").recommendations
    assert said[0].rule == "heartbeat"
    assert "Nothing to do" in said[0].text


def test_a_failing_enricher_is_an_outcome_and_the_others_go_on():
    def broken(alert, context):
        raise KeyError(alert.name)

    described = describe([Shipped("broken", broken), *CHAIN], sighting(), Context(now=0, rules=BOOK))
    assert (described.outcomes[0].outcome, described.outcomes[0].detail) == ("failed", "KeyError: 'Down'")
    assert described.view.priority is not None
    assert {outcome.outcome for outcome in described.outcomes[1:]} <= {"ok", "nothing"}


def test_who_said_what_is_kept():
    described = explained(sighting("X", "up == 0", {"runbook_url": "https://r/x"}))
    told = provenance(described.said)
    assert told["category"] == "category"
    assert told["facts"]["runbook"] == "runbook"
    assert set(told["recommendations"]) == {"recommendations"}


def test_a_trouble_with_severity_none_gets_real_advice():
    said = view("TaskFailed", "connect_failed_tasks > 0", None, severity="none", pod="connect-0").recommendations
    assert "heartbeat" not in {one.rule for one in said}
    assert len(said) >= 2


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(["", "TargetDown", "Odd", "KubePodCrashLooping", "HighCpu", "QueueGrowing"]),
    expr=st.sampled_from(["", "up == 0", "things > 5", "sum(a) / sum(b) > 0.5", "kafka_consumergroup_lag > 9"]),
    labels=st.dictionaries(
        st.sampled_from(["instance", "pod", "namespace", "job", "tunnel", "queue"]),
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
    ),
)
def test_every_alert_gets_two_to_four_recommendations_without_open_blanks(name, expr, labels):
    said = explained(sighting(name, expr, None, **labels)).view.recommendations
    assert 2 <= len(said) <= 4
    for one in said:
        assert not re.search(r"\{[a-z_.|]+\}", re.sub("|".join(map(re.escape, labels.values())) or "^$", "", one.text))
        assert one.text
