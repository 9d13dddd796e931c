"""What patterns are counted from, read slice by slice.

Rows come as JSON arrays, one a column: a row at a time would cost the event loop more than all of the counting
(docs/performance.md), and the database makes them while the interpreter is free.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
)

from receiver.domain.hygiene import Reading
from receiver.domain.patterns import Open, Times
from receiver.domain.times import Instant
from receiver.domain.vocabulary import OPEN, Priority, Status
from receiver.store import codec
from receiver.store.beginnings import BEGINNINGS
from receiver.store.rows import on_postgres
from receiver.store.tables import alert, content

SLICE = 10_000
"""Times that are read at once: some 20 ms of the database, as many of the interpreter."""
_OPEN = tuple(sorted(status.value for status in OPEN))


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which alerts count: every condition must hold, one without values always does."""

    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL. Heartbeats are no trouble."""
        columns = (alert.c.name, alert.c.source, alert.c.category, alert.c.priority)
        asked = (self.names, self.sources, self.categories, self.priorities)
        return [~alert.c.heartbeat, *[c.in_(sought) for c, sought in zip(columns, asked, strict=True) if sought]]


def known_since(connection: Connection, kept_since: Instant) -> Instant | None:
    """Since when nothing that counts has been deleted; None when there is no alert at all.

    `kept_since` is how far back closed alerts are kept by their age; beyond `max_closed` the first ones go first.
    """
    closed = [status.value for status in Status if not status.open]
    first_open, first_closed = (
        min(filter(None, (_eldest(connection, (status,)) for status in statuses)), default=None)
        for statuses in (_OPEN, closed)
    )
    first = first_closed or first_open
    if first is None:
        return None
    if first_open is not None and first_open < first and not _gone(connection, first[0]):
        first = first_open  # the first one that closed is not the first one that there was
    return max(kept_since, first[1])


def _gone(connection: Connection, before: int) -> bool:
    """Whether alerts with smaller numbers have been deleted, as far as can be seen: all numbers are there, or not."""
    there = connection.scalar(select(func.count()).select_from(alert).where(alert.c.id < before))
    return there != before - 1


def _eldest(connection: Connection, statuses: Sequence[str]) -> tuple[int, Instant] | None:
    first = min(filter(None, connection.execute(_firsts(tuple(statuses))).one()), default=0)
    row = connection.execute(select(alert.c.id, alert.c.created_at).where(alert.c.id == first)).first()
    return None if row is None else (row.id, row.created_at)


@cache
def _firsts(statuses: tuple[str, ...]) -> Select[*tuple[int | None, ...]]:
    """The smallest numbers, each found in the index that has them in order within a status and priority."""
    firsts = [
        select(func.min(alert.c.id)).where(alert.c.status == status, alert.c.priority == priority.value)
        for status in statuses
        for priority in Priority
    ]
    return select(*(one.scalar_subquery() for one in firsts))


def longest_open(connection: Connection, narrow: Narrow, most: int) -> list[Open]:
    """The alerts that have been open for the longest."""
    columns = (alert.c.id, alert.c.name, alert.c.subject, alert.c.priority, alert.c.status, alert.c.started_at)
    wanted = select(*columns).where(alert.c.status.in_(_OPEN), *narrow.conditions())
    rows = connection.execute(wanted.order_by(alert.c.started_at, alert.c.id).limit(most))
    return [Open(*row) for row in rows]


def counts(connection: Connection, since: Instant, until: Instant, narrow: Narrow) -> dict[str, int]:
    """How many times each name began."""
    found: Counter[str] = Counter()
    for stream in BEGINNINGS:
        counted = select(alert.c.name, func.count().label("n")).select_from(stream.rows)
        within = (stream.at >= since, stream.at < until, stream.which, *narrow.conditions())
        grouped = counted.where(*within).group_by(alert.c.name).subquery()
        names, numbers = _read(_texts(connection, grouped, ("name", "n")))
        found.update(dict(zip(names, numbers, strict=True)))
    return dict(found)


Texts = Sequence[str | None]
"""JSON arrays, one a column."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a time stands among the others: all openings come before all reopenings."""

    stream: int
    """In BEGINNINGS."""
    at: Instant
    alert: int = 0
    seq: int = 0


def beginning(since: Instant) -> Place:
    """The place before all times from that moment on."""
    return Place(0, since)


def times(connection: Connection, after: Place, until: Instant, narrow: Narrow) -> Texts:
    """The next SLICE times of that place's stream that began before `until`.

    They are still to be read (`read_times`), which is better done in a thread.
    """
    asked = {"at": after.at, "number": after.alert, "seq": after.seq, "until": until}
    return tuple(connection.execute(_slice(after.stream, narrow, on_postgres(connection)), asked).one())


def following(texts: Texts, place: Place, since: Instant) -> Place | None:
    """The place after what `times` found there, of all that began since that moment; None when that was the last of it.

    Read off the ends of the columns of whole numbers, before all of it is read.
    """
    numbers, moments, *_, seqs = texts
    if numbers is not None and numbers.count(",") == SLICE - 1:
        at, number, seq = (int(str(told).rsplit(",", 1)[1].strip(" ]")) for told in (moments, numbers, seqs))
        return Place(place.stream, at, number, seq)
    return Place(place.stream + 1, since) if place.stream + 1 < len(BEGINNINGS) else None


def read_times(texts: Texts) -> Times:
    """What `times` found."""
    return Times(*_read(texts)[:-1])


_COLUMNS = ("alert_id", "at", "before", "traits", "name", "kind", "subject", "ended", "acted", "seq")
"""In the order of the fields of Times, and what tells one from the others of its alert."""


@lru_cache(maxsize=20)
def _slice(stream: int, narrow: Narrow, postgres: bool) -> Select[*tuple[str, ...]]:
    """The statement, made once: SQLAlchemy takes longer to make it than the database for a thousand rows."""
    began = BEGINNINGS[stream]
    at, number, seq = (bindparam(name, type_=BigInteger) for name in ("at", "number", "seq"))
    same = or_(began.alert_id > number, and_(began.alert_id == number, began.seq > seq))
    within = (began.at >= at, began.at < bindparam("until"), began.which, or_(began.at > at, same))
    rows = began.told().where(*within, *narrow.conditions())
    ordered = rows.order_by(began.at, began.alert_id, began.seq).limit(SLICE)
    return _gathered(ordered.subquery(), _COLUMNS, postgres=postgres)


def _texts(connection: Connection, rows: FromClause, names: Sequence[str]) -> Texts:
    """These columns of the rows, in their order."""
    return tuple(connection.execute(_gathered(rows, names, on_postgres(connection))).one())


def _gathered(rows: FromClause, names: Sequence[str], postgres: bool) -> Select[*tuple[str, ...]]:
    gather = func.json_agg if postgres else func.json_group_array
    columns: list[ColumnElement[str]] = [cast(gather(rows.c[name]), Text) for name in names]
    return select(*columns)


def _read(texts: Texts) -> list[list[Any]]:
    return [codec.json(told) if told else [] for told in texts]


def readings(connection: Connection, ids: Sequence[int]) -> list[Reading]:
    """The figures of these alerts."""
    names = ("value", "threshold", "direction", "unit", "metric")
    if on_postgres(connection):
        told = cast(content.c.detail, JSON)
        found = [func.json_extract_path(told, literal(name)).label(name) for name in names]
    else:
        found = [func.json_extract(content.c.detail, f"$.{name}").label(name) for name in names]
    rows = select(content.c.alert_id, *found).where(content.c.alert_id.in_(ids)).order_by(content.c.alert_id)
    return [
        Reading(*one) for one in zip(*_read(_texts(connection, rows.subquery(), ("alert_id", *names))), strict=True)
    ]
