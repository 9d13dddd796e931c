"""What is said of exceptions that real SDKs have told, as Sentry's event alerts pass them on."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.servers import explain_json

RECORDED = Path(__file__).parent / "recordings" / "sentry-sdk"
FRAMES = {
    "zero_division": ("ZeroDivisionError", "s01_zero_division.py:6 in price_per_unit", None, "error-wrong-value"),
    "chained_exception": ("StockError", "s02_chained.py:11 in reserve", None, "error-in-the-code"),
    "flask_request.1": (
        "IndexError",
        "s05_flask.py:15 in checkout",
        "POST http://localhost/checkout/c-9",
        "error-missing-key",
    ),
    "session.1": ("KeyError", "s07_session.py:8 in <module>", None, "error-missing-key"),
    "same_error_twice.1": ("ValueError", "s10_same_error_twice.py:4 in parse", None, "error-wrong-value"),
    "store_sdk_1_14": ("KeyError", "old_store.py:3 in <genexpr>", None, "error-missing-key"),
    "store_raven_6_10": ("KeyError", "app/raven_store.py:4 in <genexpr>", None, "error-missing-key"),
    "node_error.2": ("TypeError", "/srv/shop/js/node_err.js:3 in parseCart", None, "error-nothing-there"),
    "browser_error": (
        "TypeError",
        "file:///srv/shop/js/browser_err.mjs:5 in render",
        None,
        "error-nothing-there",
    ),
}


def event_of(name: str) -> dict[str, Any]:
    """The event that was recorded."""
    told = (RECORDED / f"{name}.decoded").read_text()
    if name.startswith("store_"):
        return dict(json.loads(told))
    lines = told.splitlines()
    at = next(number for number, line in enumerate(lines) if json.loads(line).get("type") == "event")
    return dict(json.loads(lines[at + 1]))


@pytest.mark.parametrize("name", FRAMES)
def test_the_line_the_endpoint_and_what_to_do(name: str, tmp_path: Path) -> None:
    kind, frame, endpoint, rule = FRAMES[name]
    event = event_of(name) | {"issue_id": "7", "web_url": "https://sentry.example.org/7"}
    body = {"action": "triggered", "data": {"event": event, "triggered_rule": "r"}, "actor": {"type": "application"}}
    (tmp_path / "body.json").write_text(json.dumps(body))
    (said,) = explain_json(str(tmp_path / "body.json"))
    facts = said["facts"]
    assert (facts["error_type"], facts["frame"], facts.get("endpoint")) == (kind, frame, endpoint)
    ids = [one["rule"] for one in said["recommendations"]]
    assert ids.count(rule) >= 2
    assert set(ids) <= {rule, "error-in-the-code"}
    assert any(frame in one["text"] for one in said["recommendations"])


def test_every_recording_is_tried() -> None:
    assert {path.stem for path in RECORDED.glob("*.decoded")} == set(FRAMES)
