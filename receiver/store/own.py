"""What is shown of alerts that programs tell of by themselves: what they told beside the description is kept raw."""

from typing import Any

from sqlalchemy import Connection, case, select

from enrichers.chain import SENDER
from receiver.domain.forms import OWN
from receiver.store import codec
from receiver.store.tables import content, delivery

TOLD = case((content.c.kind == OWN, content.c.raw)).label("own")
"""NULL for all other alerts: what their senders wrote is large, and no list shows it."""
NONE: dict[str, Any] = {"metadata": {}, "related_logs": None, "notification_channels": []}
"""What other senders tell under these names."""


def show(shown: dict[str, Any], blob: bytes | None) -> None:
    """Put what the sender told into an alert in API form, under what people added to its metadata since."""
    told = {} if blob is None else codec.json(codec.unpack(blob))
    added = shown.get("metadata") or {}
    shown |= NONE | {name: told[name] for name in NONE if name in told}
    shown["metadata"] = shown["metadata"] | added
    if given := told.get("recommendations"):
        empty = {"command": None, "link": None, "rule": None, "careful": False}
        shown["recommendations"] = [{"text": text} | empty for text in given]
        shown["provenance"] = shown["provenance"] | {"recommendations": [SENDER] * len(given)}


def delivered(connection: Connection, source: str, key: str) -> tuple[int, bytes] | None:
    """The alert that a delivery became, and the checksum of what it said; None when it is not known (any more)."""
    wanted = select(delivery.c.alert_id, delivery.c.said).where(delivery.c.source == source, delivery.c.key == key)
    row = connection.execute(wanted).first()
    return None if row is None or row.alert_id is None else (row.alert_id, row.said)


def via(who: str) -> str:
    """The interface over which a Change came that says nothing of it itself."""
    if who.startswith("source:"):
        return "api" if who == f"source:{OWN}" else "webhook"
    return "alertsage"
