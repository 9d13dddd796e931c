"""Which open alerts a silence ought to hold and does not, or the other way round; and putting that right.

Candidates are found by readers in slices; the writer judges each again in its own transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, select, text

from receiver.domain.alert import Alert, Change
from receiver.domain.matchers import Matcher, fit
from receiver.domain.silences import InForce, Silence, settle
from receiver.domain.times import Instant
from receiver.domain.vocabulary import OPEN
from receiver.domain.windows import State
from receiver.store import codec, silences
from receiver.store.queries import AlertQuery
from receiver.store.rows import change_each, labels_of
from receiver.store.search import narrowed
from receiver.store.tables import alert, alert_count, content

SLICE = 200
FEW = 5_000
"""Open alerts that are looked through one by one: so few are found sooner than through the label index, which knows the
closed ones, too."""
_OPEN = tuple(sorted(status.value for status in OPEN))
_HUSHED = text("hushed_by > 0 AND status IN ('active', 'acknowledged', 'suppressed')")  # as the index says it

Place = tuple[int, int]
"""How far a search has come: a part of it, and the last alert in that."""
BEGIN: Place = (0, 0)


def holders(connection: Connection) -> list[int]:
    """The numbers of the silences that hold open alerts."""
    return list(connection.execute(select(alert.c.hushed_by).where(_HUSHED).distinct()).scalars())


def held(connection: Connection, by: Silence | int, after: int, now: Instant) -> tuple[list[int], int | None]:
    """Among the next SLICE alerts that a silence holds: those that it ought not to; and the last one's id.

    A bare number is a silence that is not active any more: it ought to hold none. None for the id when it was all.
    """
    number = by if isinstance(by, int) else by.id
    wanted = select(alert.c.id).where(_HUSHED, alert.c.hushed_by == number, alert.c.id > after)
    rows = list(connection.execute(wanted.order_by(alert.c.id).limit(SLICE)).scalars())
    last = rows[-1] if len(rows) == SLICE else None
    if isinstance(by, int) or by.state(now) is not State.ACTIVE:
        return rows, last
    labels = labels_of(connection, rows)
    return [one for one in rows if not by.fits(codec.json(labels.get(one, "{}")))], last


def open_alerts(connection: Connection) -> int:
    """How many alerts are open."""
    count = select(func.sum(alert_count.c.n)).where(alert_count.c.status.in_(_OPEN))
    return int(connection.execute(count).scalar() or 0)


def fitting(
    connection: Connection, matchers: Sequence[Matcher], place: Place, *, indexed: bool, free: bool
) -> tuple[list[int], Place | None]:
    """Among the next open alerts: those that fit all of the matchers, the newest first, and how far that was.

    None for the place when it was all. `free` leaves out those that a silence holds already. `indexed` asks the label
    index, for matchers that name label pairs.
    """
    pairs = tuple(matcher.pair for matcher in matchers if matcher.pair) if indexed else ()
    part, before = place
    query = AlertQuery(
        statuses=_OPEN if pairs else _OPEN[part : part + 1], labels=pairs, limit=SLICE, before=before or None
    )
    listed: Select[Any] = select(alert.c.id, content.c.labels).join(content, content.c.alert_id == alert.c.id)
    if free:
        listed = listed.where(alert.c.hushed_by == 0)
    rows = connection.execute(narrowed(listed, query, connection.dialect.name).limit(SLICE)).all()
    found = [row.id for row in rows if fit(matchers, codec.json(row.labels))]
    if len(rows) == SLICE:
        return found, (part, rows[-1].id)
    return found, None if pairs or part + 1 == len(_OPEN) else (part + 1, 0)


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
