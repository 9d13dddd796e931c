"""Alertmanager's payloads, good and otherwise, and parsing them."""

import json
from typing import Any

from receiver.domain.sighting import Sighting, Sightings
from receiver.domain.times import SECOND
from receiver.errors import Refused
from receiver.sources import Bounds, SourceContext
from receiver.sources.reading import read

NOW = 1_800_000_000 * SECOND
START = "2026-11-23T06:40:41.347Z"
BOUNDS = Bounds(alerts=20, values=5_000, labels=30, label_size=400, annotation_size=1_000)
MISSING = object()


def alert(**fields: Any) -> dict[str, Any]:
    """A good firing alert with these fields instead; MISSING leaves one out."""
    whole = {
        "status": "firing",
        "labels": {"alertname": "DiskFull", "instance": "db-1:9100"},
        "annotations": {"summary": "The disk is full."},
        "startsAt": START,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=up",
        "fingerprint": "0123456789abcdef",
    } | fields
    return {name: value for name, value in whole.items() if value is not MISSING}


def webhook(*alerts: Any, **fields: Any) -> dict[str, Any]:
    """A webhook around these alerts, with these fields of the group instead."""
    whole = {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "ops",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example.org",
        "alerts": list(alerts),
    } | fields
    return {name: value for name, value in whole.items() if value is not MISSING}


def parse(document: Any, bounds: Bounds = BOUNDS) -> Sightings:
    """Parse a body: bytes as they are, anything else as JSON."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read({}, body, SourceContext("am", "alertmanager", bounds), NOW)


def one(**fields: Any) -> Sighting:
    """The Sighting of one alert with these fields."""
    (sighting,) = parse(webhook(alert(**fields))).alerts
    return sighting


def reason(**fields: Any) -> str:
    """Why an alert with these fields is quarantined while its neighbour is taken."""
    told = parse(webhook(alert(), alert(**fields)))
    assert len(told.alerts) == 1
    (bad,) = told.quarantined
    assert bad.index == 1
    return bad.reason


def refusal(document: Any, bounds: Bounds = BOUNDS) -> Refused:
    """The refusal of a whole body: at once, or after what could not be read was kept aside."""
    try:
        told = parse(document, bounds)
    except Refused as refused:
        return refused
    assert told.refusal
    assert not told.alerts
    return Refused(told.refusal)
