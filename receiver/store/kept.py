"""What is kept of alerts, slice by slice, so that they can be described once more."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from enrichers.chain import SENDER
from receiver.domain.times import Instant, Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority
from receiver.store import codec
from receiver.store.tables import alert, content

SLICE = 500
_ALERT = (
    *(
        "id",
        "source",
        "fingerprint",
        "name",
        "category",
        "priority",
        "started_at",
        "last_seen_at",
        "ended_at",
        "episodes",
    ),
    *("notification_count", "predecessor", "expire_after"),
)
_CONTENT = ("kind", "title", "message", "generator_url", "labels", "annotations", "detail", "raw", "added")


@value
class Kept:
    """One stored alert: its last firing sighting, and what was made of it."""

    id: int
    source: str
    kind: str
    fingerprint: str
    name: str
    title: str
    message: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    generator_url: str
    raw: Mapping[str, Any]
    started_at: Instant
    last_seen_at: Instant
    firing: bool
    episodes: tuple[Instant, ...]
    notification_count: int
    predecessor: int | None
    category: Category
    priority: Priority
    """As it was last described: of an open alert the one in force may be higher, because that only rises."""
    expire_after: Span
    detail: Mapping[str, Any]
    """The description as `codec.described` gives it."""
    told: tuple[frozenset[str], tuple[str, ...], int]
    """What its sender said in its own structure: names of single values and of facts, and how many links."""
    added: Mapping[str, Any]
    """What deferred enrichers added."""


def kept(connection: Connection, since: Instant, before: int | None, most: int = SLICE) -> list[Kept]:
    """Up to `most` alerts seen since that moment, newest first, with an id below `before`."""
    columns = [*(alert.c[name] for name in _ALERT), *(content.c[name] for name in _CONTENT)]
    wanted = select(*columns).join(content, content.c.alert_id == alert.c.id).where(alert.c.last_seen_at >= since)
    if before is not None:
        wanted = wanted.where(alert.c.id < before)
    rows = connection.execute(wanted.order_by(alert.c.id.desc()).limit(most)).mappings()
    return [_kept(row) for row in rows]


def _kept(row: Mapping[Any, Any]) -> Kept:
    detail = codec.described(row["detail"])
    return Kept(
        **{
            name: row[name]
            for name in ("id", "source", "kind", "fingerprint", "name", "title", "message", "generator_url")
        },
        **{name: row[name] for name in ("started_at", "last_seen_at", "notification_count", "predecessor")},
        labels=codec.json(row["labels"]),
        annotations=codec.json(row["annotations"]),
        raw=codec.json(codec.unpack(row["raw"])),
        firing=row["ended_at"] is None,
        episodes=tuple(map(int, row["episodes"].split(","))) if row["episodes"] else (),
        category=Category(row["category"]),
        priority=Priority(detail.get("priority") or row["priority"]),
        expire_after=row["expire_after"],
        detail=detail,
        told=codec.said_by(SENDER, row["detail"]),
        added=codec.json(row["added"]) if row["added"] else {},
    )
