"""Which open alerts a silence ought to hold and does not, or the other way round; and putting that right.

Candidates are found by readers in slices; the writer judges each again in its own transaction.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, select, text

from receiver.domain.alert import Alert, Change
from receiver.domain.silences import InForce, Silence, settle
from receiver.domain.times import Instant
from receiver.domain.value import value
from receiver.domain.vocabulary import OPEN, Priority
from receiver.domain.windows import State
from receiver.store import codec, silences
from receiver.store.labels import number, token
from receiver.store.rows import change_each, labels_of, on_postgres
from receiver.store.tables import alert, alert_count, content, label_index, label_row

SLICE = 200
"""Alerts put right in one transaction."""
LOOKED_AT = 500
"""Alerts that one read looks at: their labels are read on the event loop."""
FEW = 5_000
"""Open alerts that are looked through one by one: so few are found sooner than through the label index, which knows the
closed ones, too."""
_OPEN = tuple(sorted(status.value for status in OPEN))
_PARTS = tuple((status, priority.value) for status in _OPEN for priority in Priority)
"""Open alerts are looked through part by part, as an index has them."""
_HUSHED = text("hushed_by > 0 AND status IN ('active', 'acknowledged', 'suppressed')")  # as the index says it

Place = tuple[int, int]
"""How far a search has come: a part of it, and the last alert in that."""
BEGIN: Place = (0, 0)


def holders(connection: Connection) -> list[int]:
    """The numbers of the silences that hold open alerts."""
    return list(connection.execute(select(alert.c.hushed_by).where(_HUSHED).distinct()).scalars())


def held(connection: Connection, by: Silence | int, after: int, now: Instant) -> tuple[list[int], int | None]:
    """Among the next LOOKED_AT alerts that a silence holds: those that it ought not to; and the last one's id.

    A bare number is a silence that is not active any more: it ought to hold none. None for the id when it was all.
    """
    number = by if isinstance(by, int) else by.id
    wanted = select(alert.c.id).where(_HUSHED, alert.c.hushed_by == number, alert.c.id > after)
    rows = list(connection.execute(wanted.order_by(alert.c.id).limit(LOOKED_AT)).scalars())
    last = rows[-1] if len(rows) == LOOKED_AT else None
    if isinstance(by, int) or by.state(now) is not State.ACTIVE:
        return rows, last
    labels = labels_of(connection, rows)
    return [one for one in rows if not by.fits(codec.json(labels.get(one, "{}")))], last


def open_alerts(connection: Connection) -> int:
    """How many alerts are open."""
    count = select(func.sum(alert_count.c.n)).where(alert_count.c.status.in_(_OPEN))
    return int(connection.execute(count).scalar() or 0)


@value
class Wanted:
    """Which open alerts are sought."""

    fits: Callable[[Mapping[str, str]], bool]
    """Whether one with these labels is meant."""
    pairs: tuple[tuple[str, str], ...]
    """Label pairs that all of them have, to ask the label index for; without any, all open alerts are looked at."""
    free: bool
    """True to leave out those that a silence holds."""


def fitting(connection: Connection, wanted: Wanted, place: Place) -> tuple[list[int], Place | None]:
    """Among the next LOOKED_AT open alerts: those that are wanted, the newest first, and how far that was.

    None for the place when it was all.
    """
    part, before = place
    listed: Select[Any] = select(alert.c.id, content.c.labels).join(content, content.c.alert_id == alert.c.id)
    if wanted.pairs:
        listed, position = _indexed(connection, listed, wanted.pairs)
        listed = listed.where(alert.c.status.in_(_OPEN))
    else:
        status, priority = _PARTS[part]
        position = alert.c.id
        listed = listed.where(alert.c.status == status, alert.c.priority == priority)
    if wanted.free:
        listed = listed.where(alert.c.hushed_by == 0)
    if before:
        listed = listed.where(position < before)
    rows = connection.execute(listed.order_by(position.desc()).limit(LOOKED_AT)).all()
    found = [row.id for row in rows if wanted.fits(codec.json(row.labels))]
    if len(rows) == LOOKED_AT:
        return found, (part, rows[-1].id)
    return found, None if wanted.pairs or part + 1 == len(_PARTS) else (part + 1, 0)


def _indexed(
    connection: Connection, listed: Select[Any], pairs: Sequence[tuple[str, str]]
) -> tuple[Select[Any], ColumnElement[Any]]:
    """What the label index knows to have all of these pairs, in its own order: candidates."""
    if not on_postgres(connection):
        position: ColumnElement[Any] = label_index.c.rowid
        sought = " AND ".join(token(name, value) for name, value in pairs)
        found = listed.join(label_index, position == alert.c.id)
        return found.where(label_index.c.alert_label.op("MATCH")(sought)), position
    first, *more = [(label_row.alias(f"pair_{place}"), number(*pair)) for place, pair in enumerate(pairs)]
    rows, sought_number = first
    position = rows.c.alert_id
    listed = listed.join(rows, and_(position == alert.c.id, rows.c.token == sought_number))
    for rows, sought_number in more:
        listed = listed.join(rows, and_(rows.c.alert_id == position, rows.c.token == sought_number))
    return listed, position


def put_right(connection: Connection, ids: Iterable[int], now: Instant, why: Mapping[int, str]) -> int:
    """Let the silences that are active now hold these alerts, or none; how many that changed.

    `why` says of silences why they hold no more.
    """
    wanted = list(ids)
    active: InForce = silences.judged_by(connection, now)
    labels = labels_of(connection, wanted)

    def decide(state: Alert) -> Change | None:
        holder = active.holding(codec.json(labels.get(state.id, "{}")), now, state.hushed_by)
        return settle(state, holder, now, why.get(state.hushed_by, ""))

    return len(change_each(connection, wanted, decide))


def briefly(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    """A few words on each of these alerts, in their order."""
    shown = (alert.c.id, alert.c.status, alert.c.priority, alert.c.source, alert.c.name, content.c.title)
    wanted = select(*shown, content.c.labels).join(content, content.c.alert_id == alert.c.id)
    rows = {row.id: row for row in connection.execute(wanted.where(alert.c.id.in_(ids)))}
    return [
        {
            **dict(zip((column.name for column in shown), rows[one], strict=False)),
            "labels": codec.json(rows[one].labels),
        }
        for one in ids
        if one in rows
    ]
