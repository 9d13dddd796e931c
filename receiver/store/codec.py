"""Rows to lifecycle states and back. The order of columns here is the order in `statements`."""

import zlib
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json

from enrichers.chain import Outcome
from receiver.domain.alert import Alert, Change
from receiver.domain.vocabulary import Category, Priority, Status
from receiver.store.plan import Content

STATE = (
    "id",
    "source",
    "fingerprint",
    "created_at",
    "status",
    "started_at",
    "latest_start",
    "last_seen_at",
    "last_firing_at",
    "ended_at",
    "last_end",
    "closed_at",
    "resolved_by",
    "suppressed_until",
    "notification_count",
    "recent",
    "episodes",
    "change_count",
    "predecessor",
    "expire_after",
    "priority",
    "category",
    "name",
    "heartbeat",
    "digest",
    "silenced",
    "silence_at",
)
"""The columns of a state, in the order of Alert's fields."""
TOUCHED = (
    "started_at",
    "latest_start",
    "last_seen_at",
    "last_firing_at",
    "ended_at",
    "last_end",
    "closed_at",
    "notification_count",
    "recent",
    "expire_after",
)
"""All that a sighting which is no Change can alter."""
CONTENT = ("kind", "title", "message", "generator_url", "labels", "annotations", "detail", "raw")
"""The columns of what is shown of an alert, all that the writer writes of it."""

_STATUS = {str(status): status for status in Status}
_PRIORITY = {str(priority): priority for priority in Priority}
_CATEGORY = {str(category): category for category in Category}


def state(row: Sequence[Any]) -> Alert:
    """The lifecycle state in a row of STATE columns."""
    values = list(row)
    values[4] = _STATUS[row[4]]
    values[15] = _recent(row[15])
    values[16] = tuple(map(int, row[16].split(","))) if row[16] else ()
    values[20:22] = _PRIORITY[row[20]], _CATEGORY[row[21]]
    values[23], values[25] = bool(row[23]), bool(row[25])
    return Alert(*values)


def row(alert: Alert) -> tuple[Any, ...]:
    """The values of the STATE columns."""
    return (
        alert.id,
        alert.source,
        alert.fingerprint,
        alert.created_at,
        alert.status.value,
        alert.started_at,
        alert.latest_start,
        alert.last_seen_at,
        alert.last_firing_at,
        alert.ended_at,
        alert.last_end,
        alert.closed_at,
        alert.resolved_by,
        alert.suppressed_until,
        alert.notification_count,
        _recent_text(alert),
        ",".join(map(str, alert.episodes)),
        alert.change_count,
        alert.predecessor,
        alert.expire_after,
        alert.priority.value,
        alert.category.value,
        alert.name,
        alert.heartbeat,
        alert.digest,
        alert.silenced,
        alert.silence_at,
    )


def touched(alert: Alert) -> tuple[Any, ...]:
    """The id, then the values of the TOUCHED columns."""
    return (
        alert.id,
        alert.started_at,
        alert.latest_start,
        alert.last_seen_at,
        alert.last_firing_at,
        alert.ended_at,
        alert.last_end,
        alert.closed_at,
        alert.notification_count,
        _recent_text(alert),
        alert.expire_after,
    )


def change(made: Change) -> tuple[Any, ...]:
    """The values of a Change's columns."""
    return (made.alert_id, made.seq, made.at, made.kind.value, made.who, made.why)


def content(shown: Content) -> tuple[Any, ...]:
    """The values of the CONTENT columns."""
    return (
        shown.kind,
        shown.title,
        shown.message,
        shown.generator_url,
        shown.labels_json,
        shown.annotations_json,
        shown.detail_json,
        shown.raw,
    )


def _recent(text: str) -> tuple[tuple[bool, int, int], ...]:
    if not text:
        return ()
    seen = []
    for entry in text.split(";"):
        firing, start, at = entry.split(",")
        seen.append((firing == "1", int(start), int(at)))
    return tuple(seen)


def _recent_text(alert: Alert) -> str:
    return ";".join([f"{firing:d},{start},{at}" for firing, start, at in alert.recent])


def json(text: str | bytes) -> Any:
    """Read JSON that we wrote."""
    return from_json(text)


def pack(document: bytes) -> bytes:
    """The document, deflated when it is long enough for that to be worth its time."""
    return zlib.compress(document, 1) if len(document) > 2048 else document


def unpack(blob: bytes) -> bytes:
    """What `pack` packed: JSON text never begins with zlib's first byte."""
    return zlib.decompress(blob) if blob[:1] == b"\x78" else blob


def packed(outcome: Outcome) -> tuple[Any, ...]:
    """How one enricher fared, as it is stored: its names would take more room than it does."""
    short = (outcome.enricher, outcome.outcome, outcome.ms)
    return short if outcome.detail is None else (*short, outcome.detail)


def unpacked(outcome: Sequence[Any]) -> dict[str, Any]:
    """How one enricher fared, in API form."""
    return dict(zip(("enricher", "outcome", "ms", "detail"), (*outcome, None), strict=False))
