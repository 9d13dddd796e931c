"""What happened to alerts, whichever they are, in the order of time."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, TextClause, literal, select, text, tuple_, union_all

from receiver.domain.times import Instant, rfc3339
from receiver.domain.vocabulary import Kind
from receiver.store import codec, own
from receiver.store.tables import LATER, REOPENED, alert, change, content

Position = tuple[Instant, int, int]
"""Of a Change in the feed: when, its alert, its number there."""
_PLACE = (change.c.at, change.c.alert_id, change.c.seq)
_Place = tuple[ColumnElement[Any], ...]
_opening = change.alias("opening")
_OPENED = (
    select(_opening.c.kind).where(_opening.c.alert_id == alert.c.id, _opening.c.seq == 1).scalar_subquery()
    == Kind.OPENED.value
)
"""Of an alert. A join would cost PostgreSQL its sense of how few rows are wanted."""
_Part = tuple[FromClause, _Place, ColumnElement[bool] | TextClause]
_PARTS: tuple[_Part, ...] = (
    (alert, (alert.c.created_at, alert.c.id, literal(1)), _OPENED),
    (change, _PLACE, text(REOPENED)),
    (change, _PLACE, text(LATER)),
)
"""All Changes, each part in the order of an index of its own."""
_TOLD = (
    *(change.c.alert_id, change.c.seq, change.c.at, change.c.kind, change.c.who, change.c.why),
    *(change.c.status.label("after"), change.c.via, change.c.detail),
    *(alert.c.name, alert.c.source, alert.c.priority, alert.c.category, alert.c.status, content.c.title),
    content.c.added,
)


def changes(
    connection: Connection, since: Instant, after: Position | None, limit: int
) -> tuple[list[dict[str, Any]], Position | None]:
    """The Changes made at that moment or later and behind that position, oldest first, at most `limit` of them.

    With each its alert as it is now, in few words. The position is that of the last one, None when no more follow.
    """
    told = union_all(*(_first(part, since, after, limit + 1) for part in _PARTS)).subquery()
    wanted = (
        select(*_TOLD)
        .join(told, (told.c.alert_id == change.c.alert_id) & (told.c.seq == change.c.seq))
        .join(alert, alert.c.id == change.c.alert_id)
        .join(content, content.c.alert_id == change.c.alert_id)
        .order_by(*_PLACE)
        .limit(limit + 1)
    )
    rows = connection.execute(wanted).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return [_shape(row) for row in rows[:limit]], None if last is None else (last.at, last.alert_id, last.seq)


def _first(part: _Part, since: Instant, after: Position | None, most: int) -> Any:
    """The first of one part of all Changes behind that position, as (alert_id, seq)."""
    rows, place, which = part
    at, alert_id, seq = place
    begin = since if after is None else max(since, after[0])
    wanted = select(alert_id.label("alert_id"), seq.label("seq")).select_from(rows).where(which, at >= begin)
    if after is not None:
        wanted = wanted.where(tuple_(*place) > tuple_(*after))
    return select(wanted.order_by(*place).limit(most).subquery())


def _shape(row: Any) -> dict[str, Any]:
    added = codec.json(row.added) if row.added else {}
    return {
        "seq": row.seq,
        "at": rfc3339(row.at),
        "kind": row.kind,
        "who": row.who,
        "why": row.why,
        "via": row.via or own.via(row.who),
        "after": row.after or None,
        "altered": codec.json(row.detail) if row.detail else {},
        "alert": {
            "id": row.alert_id,
            "name": row.name,
            "title": added.get("title") or row.title,
            "source": row.source,
            "priority": row.priority,
            "category": row.category,
            "status": row.status,
        },
    }
