"""Alertmanager's webhook, payload version 4 of every release (reference: its template/template.go, notify/webhook)."""

from collections.abc import Mapping
from typing import Any

from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.labelled import read
from receiver.sources.text import kind_of


def parse(headers: Mapping[str, str], document: Any, size: int, source: SourceContext, now: Instant) -> Sightings:
    """Read one webhook. Raises Refused (400, 413) for a body that can never be taken."""
    del headers  # nothing in them changes what the body means
    if not isinstance(document, dict):
        raise Refused(f"the body is a JSON {kind_of(document)}, not the object that Alertmanager's webhook sends")
    if document.get("version") == "1" or "orgId" in document:
        raise Refused(
            "this is Grafana's webhook payload (version 1), not Alertmanager's (version 4): post it to /webhook/grafana"
        )
    if not isinstance(document.get("alerts"), list):
        raise Refused(
            'the body has no list "alerts", so it is not Alertmanager\'s own payload;'
            " if webhook_configs has `payload:`, remove it"
        )
    if document.get("version", "4") not in ("4", 4):
        raise Refused(f"payload version {str(document['version'])[:40]!r} is not known; Alertmanager sends version 4")
    return read(document, size, source, now, tell=None)
