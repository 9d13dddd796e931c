"""What alertsage says about alerts and webhooks that it cannot read."""

import json
from typing import Any

import pytest

from receiver.domain.times import SECOND
from tests.payloads import MISSING, alert, parse, reason, refusal, webhook

# --- one bad alert --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("status", "pending", "status"),
        ("status", MISSING, "status"),
        ("status", ["firing"], "status"),
        ("labels", MISSING, "labels"),
        ("labels", ["a"], "labels"),
        ("labels", {"alertname": "A", "code": 5}, "code"),
        ("labels", {"alertname": "A", "code": None}, "code"),
        ("labels", {f"l{n}": "x" for n in range(31)}, "limits.labels"),
        ("labels", {"alertname": "A", "long": "x" * 401}, "limits.label_size"),
        ("labels", {"x" * 401: "A"}, "limits.label_size"),
        ("annotations", "text", "annotations"),
        ("annotations", {"summary": 5}, "summary"),
        ("annotations", {f"a{n}": "x" for n in range(31)}, "limits.labels"),
        ("startsAt", 5, "startsAt"),
        ("startsAt", "yesterday", "startsAt"),
        ("startsAt", {}, "startsAt"),
        ("fingerprint", 5, "fingerprint"),
        ("fingerprint", "f" * 200, "fingerprint"),
    ],
)
def test_a_bad_alert_is_kept_aside_with_a_sentence_that_names_what_is_wrong(
    field: str, value: object, said: str
) -> None:
    assert said in reason(**{field: value})


def test_the_end_of_a_resolved_alert_has_to_be_a_time() -> None:
    assert "endsAt" in reason(status="resolved", endsAt="soon")


@pytest.mark.parametrize("junk", [None, 5, "text", [], True, 1.5])
def test_an_alert_that_is_no_object_is_kept_aside(junk: object) -> None:
    told = parse(webhook(junk, alert()))
    assert (len(told.alerts), told.quarantined[0].index) == (1, 0)
    assert told.quarantined[0].excerpt == json.dumps(junk)


def test_what_is_kept_of_a_bad_alert_is_bounded() -> None:
    told = parse(webhook(alert(), alert(status="x" * 100_000)))
    assert len(told.quarantined[0].excerpt) <= 2048
    assert len(told.quarantined[0].reason) <= 300


def test_reasons_about_long_names_are_short() -> None:
    assert len(reason(labels={"x" * 390: 5})) < 300
    assert len(reason(annotations={"x" * 390: 5})) < 300


# --- the whole body refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not"),
        (b'{"alerts": []} x', "not JSON"),
        (b'{"alerts": [], "n": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"[" * 5_000, "nested"),
        (b"[" * 5_000 + b"]" * 5_000, "nested"),
        (b'{"a": "\\ud800", "b": ' + b"[" * 900 + b"]" * 900 + b"}", "nested"),
        (b"[]", "array"),
        (b"5", "number"),
        (b"null", "null"),
        (b'{"text": "an own payload"}', "remove"),
        (b'{"version": "4", "alerts": {}}', '"alerts"'),
    ],
)
def test_a_body_that_can_never_be_taken_is_refused_in_a_sentence(body: bytes, said: str) -> None:
    refused = refusal(body)
    assert refused.status == 400
    assert said in refused.sentence


@pytest.mark.parametrize("fields", [{"version": "1"}, {"version": MISSING, "orgId": 1}])
def test_grafanas_payload_is_recognised(fields: dict[str, Any]) -> None:
    refused = refusal(webhook(alert(), **fields))
    assert refused.status == 400
    assert "Grafana" in refused.sentence


@pytest.mark.parametrize("version", ["5", "3", 5, ["4"], {}])
def test_an_unknown_version_is_refused(version: object) -> None:
    refused = refusal(webhook(alert(), version=version))
    assert refused.status == 400
    assert "version" in refused.sentence


def test_more_alerts_than_allowed_are_refused_and_told_how_to_send_fewer() -> None:
    refused = refusal(webhook(*[alert()] * 21))
    assert refused.status == 413
    assert "limits.alerts" in refused.sentence
    assert "max_alerts" in refused.sentence


def test_more_values_than_allowed_are_refused() -> None:
    refused = refusal(webhook(alert(extra=[0] * 6_000)))
    assert refused.status == 413
    assert "limits.values" in refused.sentence


def test_a_body_without_one_good_alert_is_refused_with_the_first_reason() -> None:
    refused = refusal(webhook(alert(status="pending"), 5))
    assert refused.status == 400
    assert "pending" in refused.sentence


def test_years_that_no_clock_shows_do_not_get_in() -> None:
    for year in ("0002", "1969", "2201", "9999"):
        told = parse(webhook(alert(), alert(startsAt=f"{year}-06-01T00:00:00Z")))
        assert all(0 < s.starts_at < 7_258_118_400 * SECOND for s in told.alerts)
