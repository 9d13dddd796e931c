"""What alertsage understands of Alertmanager's webhooks."""

import json
import time

import pytest

from receiver.domain.sighting import Sightings, Starts
from receiver.domain.times import parse_rfc3339
from receiver.sources import Bounds
from receiver.sources.fingerprint import fingerprint
from tests.payloads import MISSING, NOW, START, alert, one, parse, reason, webhook

# --- what is taken --------------------------------------------------------------------------------------------------


def test_a_firing_alert_becomes_a_sighting_with_everything_it_says() -> None:
    sighting = one()
    assert (sighting.source, sighting.kind, sighting.fingerprint) == ("am", "alertmanager", "0123456789abcdef")
    assert sighting.firing
    assert sighting.labels == {"alertname": "DiskFull", "instance": "db-1:9100"}
    assert sighting.annotations == {"summary": "The disk is full."}
    assert sighting.starts_at == parse_rfc3339(START)
    assert sighting.ends_at is None
    assert sighting.generator_url == "http://prometheus.example.org/graph?g0.expr=up"


def test_the_end_of_a_firing_alert_is_not_believed_whatever_it_is() -> None:
    for ends in ("2026-11-23T07:00:00Z", "never", 5, None, MISSING):
        assert one(endsAt=ends).ends_at is None


def test_a_resolved_alert_has_its_end() -> None:
    assert one(status="resolved", endsAt="2026-11-23T07:00:00Z").ends_at == parse_rfc3339("2026-11-23T07:00:00Z")


@pytest.mark.parametrize("ends", [MISSING, None, "", "0001-01-01T00:00:00Z"])
def test_a_resolved_alert_without_an_end_ended_now(ends: object) -> None:
    assert one(status="resolved", endsAt=ends).ends_at == NOW


@pytest.mark.parametrize("starts", [MISSING, None, "", "0001-01-01T00:00:00Z"])
def test_an_alert_without_a_start_started_now(starts: object) -> None:
    assert one(startsAt=starts).starts_at == NOW


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("2026-11-23T06:40:41.347123999Z", "2026-11-23T06:40:41.347123Z"),
        ("2026-11-23T08:40:41.347+02:00", START),
        ("2026-11-23T06:40:41Z", "2026-11-23T06:40:41.000Z"),
    ],
)
def test_times_have_any_precision_and_any_offset(written: str, same: str) -> None:
    assert one(startsAt=written).starts_at == parse_rfc3339(same)


@pytest.mark.parametrize("sent", [MISSING, None, ""])
def test_a_missing_fingerprint_is_computed_from_the_labels(sent: object) -> None:
    assert one(fingerprint=sent, labels={"alertname": "Watchdog", "x": ""}).fingerprint == "003b0a0f7d3fa569"


def test_labels_without_a_value_are_no_labels() -> None:
    assert one(labels={"alertname": "A", "empty": ""}).labels == {"alertname": "A"}


def test_an_alert_needs_no_name_and_no_annotations() -> None:
    sighting = one(labels={"job": "x"}, annotations=None)
    assert (sighting.name, sighting.annotations) == ("", {})
    assert one(annotations=MISSING).annotations == {}


def test_what_is_kept_of_other_fields_is_bounded_and_says_what_is_missing() -> None:
    told = parse(
        webhook(
            alert(big="x" * 100_000, nested={"a": ["y" * 20_000]}, small="s"),
            receiver="ops",
            huge="\u20ac" * 100_000,
            groupLabels={f"l{n}": "x" * 90 for n in range(200)},
        ),
        Bounds(),
    )
    raw = told.alerts[0].raw
    assert len(json.dumps(raw)) < 16 * 1024
    assert (raw["small"], raw["startsAt"], raw["group"]["receiver"]) == ("s", START, "ops")
    assert raw["left_out"] == "too large to keep: big, nested"
    assert raw["group"]["left_out"] == "too large to keep: groupLabels, huge"


def test_very_many_other_fields_take_no_time() -> None:
    fields = {f"field{n}": n for n in range(100_000)}
    began = time.monotonic()
    raw = parse(webhook(alert(**fields), **fields), Bounds()).alerts[0].raw
    assert time.monotonic() - began < 3
    assert len(json.dumps(raw)) < 32 * 1024  # spaces included
    assert raw["left_out"].endswith("more")


def test_a_field_nested_too_deep_makes_its_alert_bad() -> None:
    assert "nested" in reason(extra=json.loads("[" * 150 + "]" * 150))


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_numbers_that_no_store_takes_become_null(number: bytes) -> None:
    body = json.dumps(webhook(alert(extra=["@"]), x="@")).encode().replace(b'"@"', number)
    raw = parse(body).alerts[0].raw
    assert (raw["extra"], raw["group"]["x"]) == ([None], None)


@pytest.mark.parametrize(
    "url", [None, 7, ["http://x"], MISSING, "http://x/" + "y" * 1_000, "javascript:alert(1)", "data:text/html,x"]
)
def test_a_generator_url_that_is_no_web_address_or_very_long_is_left_out(url: object) -> None:
    assert one(generatorURL=url).generator_url == ""


@pytest.mark.parametrize("start", [None, "", MISSING, "0001-01-01T00:00:00Z"])
def test_a_firing_without_a_start_proves_no_new_episode(start: object) -> None:
    told = one(startsAt=start)
    assert (told.starts, told.mark) == (Starts.EVENT, 0)
    assert one().starts is Starts.EPISODE


def test_a_long_annotation_is_cut_and_says_so() -> None:
    cut = one(annotations={"description": "x" * 5_000, "summary": "short"}).annotations
    assert cut["description"] == "x" * 1_000 + "…[cut]"
    assert cut["summary"] == "short"


def test_unknown_fields_are_kept_as_they_were_sent() -> None:
    told = parse(
        webhook(alert(silenceURL="http://s", extra={"a": [1, 2]}), notification_reason="repeat interval elapsed")
    )
    raw = told.alerts[0].raw
    assert raw["silenceURL"] == "http://s"
    assert raw["extra"] == {"a": [1, 2]}
    assert raw["startsAt"] == START
    assert raw["group"]["notification_reason"] == "repeat interval elapsed"
    assert raw["group"]["groupKey"] == '{}:{alertname="DiskFull"}'
    assert "labels" not in raw
    assert "alerts" not in raw["group"]
    assert "commonLabels" not in raw["group"]


def test_the_receiver_is_named_as_it_was_configured() -> None:
    told = parse(webhook(alert(), receiver=r"ops\.pager \(primary\)\+1 \\ back"))
    assert told.alerts[0].raw["group"]["receiver"] == r"ops.pager (primary)+1 \ back"


@pytest.mark.parametrize(("sent", "counted"), [(3, 3), (0, 0), (MISSING, 0), (-1, 0), ("3", 0), (None, 0), (2.5, 0)])
def test_alerts_that_the_sender_left_out_are_counted(sent: object, counted: int) -> None:
    assert parse(webhook(alert(), truncatedAlerts=sent)).truncated == counted


def test_a_webhook_without_alerts_says_nothing() -> None:
    assert parse(webhook()) == Sightings(())


@pytest.mark.parametrize("left_out", ["version", "groupKey", "receiver", "groupLabels", "externalURL", "status"])
def test_no_field_of_the_group_is_needed(left_out: str) -> None:
    assert len(parse(webhook(alert(), **{left_out: MISSING})).alerts) == 1


# --- text that no store takes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udc00", "\\uD83D x"])
def test_what_no_store_takes_is_replaced_wherever_it_is(bad: str) -> None:
    document = webhook(
        alert(labels={"alertname": "A", "n@me": "v@lue"}, annotations={"summary": "s@"}, extra={"k@": ["@"]}),
        receiver="r@",
    )
    (sighting,) = parse(json.dumps(document).replace("@", bad).encode()).alerts
    everything = json.dumps([dict(sighting.labels), dict(sighting.annotations), sighting.raw], ensure_ascii=False)
    assert everything.count("\ufffd") == 6
    assert "\0" not in everything
    everything.encode()


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    assert one(annotations={"summary": "a \\u0000 b"}).annotations["summary"] == "a \\u0000 b"


def test_a_pair_of_surrogates_is_one_character() -> None:
    body = json.dumps(webhook(alert(annotations={"summary": "\U0001f600"}))).encode()
    assert b"\\ud83d" in body
    assert parse(body).alerts[0].annotations["summary"] == "\U0001f600"


# --- the fingerprint ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, "cbf29ce484222325"),
        ({"alertname": "Watchdog"}, "003b0a0f7d3fa569"),
        ({"alertname": "Watchdog", "cluster": "prod-eu1", "severity": "none"}, "ae960ca015778bf7"),
        ({"severity": "none", "cluster": "prod-eu1", "alertname": "Watchdog", "gone": ""}, "ae960ca015778bf7"),
    ],
)
def test_the_fingerprint_is_alertmanagers_own(labels: dict[str, str], expected: str) -> None:
    assert fingerprint(labels) == expected


def test_the_fingerprint_tells_names_from_values_and_sorts_by_bytes() -> None:
    assert fingerprint({"a": "bc"}) != fingerprint({"ab": "c"})
    wide = {"\U0001f600": "1", "\uffee": "2"}
    assert fingerprint(wide) == fingerprint(dict(reversed(wide.items())))
