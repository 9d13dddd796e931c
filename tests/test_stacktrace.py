"""What an error's chain of exceptions becomes, and how urgent an application's error is."""

from dataclasses import replace
from typing import Any

import pytest

from enrichers import Context, Impact
from enrichers.stacktrace import LONGEST, stacktrace
from receiver.domain.enrichment import AlertView
from receiver.domain.priority import of_alert
from receiver.domain.rules import Book
from receiver.sources.sentry.event import exceptions, kept

CONTEXT = Context(now=0, rules=Book())


def frame(file: str, line: int = 1, in_app: bool = False, **more: Any) -> dict[str, Any]:
    """A frame as Sentry writes it."""
    return {"filename": file, "lineno": line, "function": "f", "in_app": in_app} | more


def event(*values: Any) -> dict[str, Any]:
    """An event with a chain of exceptions, oldest first."""
    return {"exception": {"values": list(values)}}


def raised(kind: str, *frames: Any, value: str = "v") -> dict[str, Any]:
    """One exception."""
    return {"type": kind, "value": value, "stacktrace": {"frames": list(frames)}}


def view(told: dict[str, Any], **fields: Any) -> AlertView:
    """An alert with that event."""
    raw = {"exceptions": exceptions(told, frozenset())}
    plain = AlertView("s", "sentry", "issue:1", "E", {"level": "error"}, {}, "", 0, raw=raw)
    return replace(plain, **fields)


def facts(told: dict[str, Any]) -> dict[str, Any]:
    """What the enricher says."""
    added = stacktrace(view(told), CONTEXT)
    return {} if added is None else dict(added.facts)


@pytest.mark.parametrize(
    ("frames", "useful"),
    [
        ([frame("lib.py", 1), frame("app.py", 2, True), frame("lib.py", 3)], "app.py:2 in f"),
        ([frame("app.py", 1, True), frame("app.py", 2, True)], "app.py:2 in f"),
        ([frame("lib.py", 1), frame("lib.py", 2)], "lib.py:2 in f"),
        ([{"abs_path": "/x/y.js", "function": None, "lineno": None}], "/x/y.js"),
        ([{}], "?"),
    ],
)
def test_the_useful_frame_is_the_last_of_the_applications_own(frames: list[Any], useful: str) -> None:
    assert facts(event(raised("E", *frames)))["frame"] == useful


def test_the_raised_exception_is_the_last_and_the_others_caused_it() -> None:
    told = facts(event(raised("KeyError", frame("a.py", 1, True)), raised("StockError", frame("b.py", 2, True))))
    assert told["frame"] == "b.py:2 in f"
    assert told["caused_by"] == ["KeyError: v at a.py:1 in f"]
    assert told["stacktrace"].splitlines() == [
        "StockError: v",
        "  > b.py:2 in f",
        "caused by KeyError: v",
        "  > a.py:1 in f",
    ]


@pytest.mark.parametrize(
    "told",
    [
        {"stacktrace": {"frames": [frame("m.py", 5, True)]}},
        {
            "exception": None,
            "threads": {"values": [{}, {"crashed": True, "stacktrace": {"frames": [frame("m.py", 5)]}}]},
        },
        {"exception": [raised("E", frame("m.py", 5))]},
        {"exception": {"values": [{"value": "a message", "stacktrace": {"frames": [frame("m.py", 5)]}}]}},
    ],
)
def test_a_stack_is_found_wherever_it_is(told: dict[str, Any]) -> None:
    assert facts(told)["frame"] == "m.py:5 in f"


@pytest.mark.parametrize("told", [{}, {"exception": None}, {"exception": {"values": None}}, {"exception": "x"}])
def test_without_a_stack_nothing_is_said(told: dict[str, Any]) -> None:
    assert facts(told) == {}


def test_a_trace_is_bounded() -> None:
    deep = raised("E" * 5000, *[frame("f" * 900, n, context_line="x" * 9000) for n in range(900)], value="v" * 9000)
    told = facts(event(*[deep] * 40))
    assert len(told["stacktrace"]) <= LONGEST + 1
    assert len(told["stacktrace"].splitlines()) <= 120
    assert len(str(view(event(*[deep] * 40)).raw)) < 1_000_000


def test_sensitive_parts_are_kept_only_when_named() -> None:
    told = {
        "request": {"url": "https://x/", "headers": [["X", "planted"]], "cookies": "planted", "data": {"a": "planted"}},
        "extra": {"a": "planted"},
        "contexts": {"response": {"status_code": 500, "headers": {"X": "planted"}, "data": "planted"}},
        "title": "t",
    }
    assert "planted" not in str(kept(told, frozenset()))
    assert kept(told, frozenset())["request"] == {"url": "https://x/"}
    assert kept(told, frozenset())["contexts"] == {"response": {"status_code": 500}}
    assert kept(told, frozenset({"data"}))["request"]["data"] == {"a": "planted"}
    assert kept(told, frozenset({"data"}))["contexts"]["response"]["data"] == "planted"
    with_vars = event(raised("E", frame("a.py", vars={"a": "planted"})))
    assert "planted" not in str(exceptions(with_vars, frozenset()))
    assert "planted" in str(exceptions(with_vars, frozenset({"vars"})))


@pytest.mark.parametrize(
    ("kind", "users", "errors", "level", "priority"),
    [
        ("ValueError", "unknown", None, "error", "medium"),
        ("ValueError", "unknown", 5, "error", "medium"),
        ("ValueError", "unknown", 6, "error", "high"),
        ("ValueError", 10, 1, "error", "medium"),
        ("ValueError", 11, 1, "error", "critical"),
        ("DatabaseError", "unknown", 1, "error", "critical"),
        ("django.db.DatabaseGone", 0, 1, "error", "critical"),
        ("ValueError", "unknown", 1, "fatal", "high"),
        ("ValueError", 11, 1, "fatal", "critical"),
        ("DatabaseError", 50, 50, "warning", "low"),
        ("ValueError", 50, 50, "info", "info"),
        ("ValueError", 50, 50, "debug", "info"),
        ("ValueError", "unknown", 1, "odd", "medium"),
    ],
)
def test_an_applications_error_is_as_urgent_as_its_impact(
    kind: str, users: Any, errors: int | None, level: str, priority: str
) -> None:
    told = {"error_type": kind} | ({} if errors is None else {"error_count": errors})
    alert = view({}, labels={"level": level}, facts=told, impact=Impact(users, "x"))
    found, terms = of_alert(alert)
    assert found == priority
    assert terms
    assert terms[-1].effect


def test_unknown_impact_is_said_to_be_unknown() -> None:
    _, terms = of_alert(view({}, facts={"error_type": "E"}))
    assert ("affected users", "unknown") in [(term.rule, term.input) for term in terms]


def test_a_test_is_nobodys_trouble_and_a_severity_is_a_severity() -> None:
    assert of_alert(view({}, facts={"test": True}))[0] == "info"
    assert of_alert(view({}, labels={"level": "error", "severity": "critical"}))[0] == "critical"
