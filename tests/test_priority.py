"""How urgent, and why: every priority comes with its terms."""

import pytest

from receiver.domain.priority import SEVERITIES
from receiver.domain.vocabulary import Category, Priority
from tests.views import view


@pytest.mark.parametrize(
    ("severity", "priority"),
    [
        ("critical", "critical"),
        ("page", "critical"),
        ("error", "high"),
        ("high", "high"),
        ("warning", "medium"),
        ("WARNING", "medium"),
        ("info", "info"),
        ("none", "info"),
    ],
)
def test_the_senders_severity_is_the_base(severity, priority):
    found = view("NodeDown", severity=severity)
    assert found.priority == priority
    assert (found.priority_terms[0].rule, found.priority_terms[0].input) == ("severity", severity)


@pytest.mark.parametrize(
    ("labels", "told"), [({}, "no severity label"), ({"severity": "sev1"}, 'severity "sev1" is unknown')]
)
def test_an_unknown_or_missing_severity_is_medium_and_said_so(labels, told):
    found = view("NodeDown", **labels)
    assert found.priority is Priority.MEDIUM
    assert found.priority_terms[0].input == told


@pytest.mark.parametrize("severity", [*SEVERITIES, "odd"])
def test_evidence_raises_by_one_step_at_most(severity):
    plain = view("HostCpu", "cpu_percent > 20", {"description": "at 21%"}, severity=severity)
    far = view("HostCpu", "cpu_percent > 20", {"description": "at 99%"}, severity=severity)
    assert plain.priority is not None
    assert far.priority is not None
    assert 0 <= far.priority.rank - plain.priority.rank <= 1
    assert far.priority_terms[-1].effect.startswith("raised") == (far.priority is not plain.priority)


def test_over_by_half_raises_and_a_little_less_does_not():
    assert view("HostCpu", "load > 10", {"description": "value: 15.1"}, severity="warning").priority is Priority.HIGH
    assert view("HostCpu", "load > 10", {"description": "value: 15"}, severity="warning").priority is Priority.MEDIUM


def test_saturation_raises():
    nearly = view("HostCpu", "cpu_percent > 80", {"description": "at 96%"}, severity="warning")
    assert (nearly.priority, nearly.priority_terms[-1].rule) == (Priority.HIGH, "saturation")


@pytest.mark.parametrize("category", [Category.PERFORMANCE, Category.BUSINESS])
def test_slow_or_fewer_is_at_most_high(category):
    found = view("Anything", category=str(category), severity="critical")
    assert found.priority is Priority.HIGH
    assert found.priority_terms[-1].rule == "category"


def test_unknown_impact_is_unknown():
    assert view("Down").impact is None
