"""Which alerts a query finds, in its order, page by page.

A page is walked in chunks: the candidates of a chunk come from an index (or from the open rows, sorted), and what only
the content can tell is asked of that chunk alone. So a page looks at a bounded number of alerts, whatever is sought.
Both ends of a chunk are places in the order and not numbers of rows: whatever comes or goes meanwhile, each alert that
stays is looked at exactly once.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    case,
    literal_column,
    or_,
    select,
    union_all,
)

from receiver.domain.search import Sort
from receiver.domain.vocabulary import Priority
from receiver.store.queries import AlertQuery, Position
from receiver.store.tables import alert, content
from receiver.store.terms import conditions, engine_of, fits

LOOKED_AT = 20_000
"""Alerts whose content one page looks at."""
FEW = 5_000
"""So many candidates of the label index are sorted; with more, going through the list in its order is quicker."""
FIRST_CHUNK, CHUNK, CHUNK_OF_PATTERNS = 500, 8_000, 1_000
Range = tuple[Position | None, Position | None]
"""Behind the first place, up to and with the second one."""


def found(connection: Connection, query: AlertQuery, look_at: int = LOOKED_AT) -> tuple[list[int], Position | None]:
    """The ids of a page, and where the next one begins; None at the end.

    A page is short, or empty, when so many alerts were looked at and there are more.
    """
    walk = _Walk(connection, query, look_at)
    hits: list[Position] = []
    for hit in walk.hits():
        if len(hits) == query.limit:
            return [one.id for one in hits], hits[-1]
        hits.append(hit)
    return [one.id for one in hits], walk.stopped


class _Walk:
    """One walk through the list."""

    def __init__(self, connection: Connection, query: AlertQuery, look_at: int) -> None:
        self._connection, self._query, self._left = connection, query, look_at
        self._engine = engine_of(connection.dialect.name)
        self._asked = conditions(query.search, connection.dialect.name)
        self._in_index = False
        self.stopped: Position | None = None
        """Where it stopped before the end, because it had looked at enough."""

    def hits(self) -> Iterator[Position]:
        """The places of what is found, in order."""
        asked, sort = self._asked, self._query.sort
        if not asked.statuses or not asked.priorities or asked.ids == []:
            return
        if asked.labels and asked.ids is None:
            self._in_index = sort is Sort.NEWEST and not asked.narrow
            if not self._in_index:
                asked.ids = self._few()
        # By priority: one priority after the other, each newest first.
        by_priority = sort is Sort.PRIORITY
        segments = [[one] for one in asked.priorities] if by_priority else [asked.priorities]
        after = self._query.after
        for segment in segments:
            if by_priority and after is not None and Priority(segment[0]).rank > after.key:
                continue
            inside = after is None or not by_priority or Priority(segment[0]).rank == after.key
            yield from self._segment(segment, after if inside else None)
            if self.stopped is not None:
                return

    def _few(self) -> list[int] | None:
        """The candidates of the label index, if they are few."""
        listed = self._connection.execute(self._engine.candidates(self._asked.labels).limit(FEW + 1))
        ids = list(listed.scalars())
        return ids if len(ids) <= FEW else None

    def _segment(self, priorities: Sequence[str], after: Position | None) -> Iterator[Position]:
        asked = self._asked
        size, most = FIRST_CHUNK, CHUNK_OF_PATTERNS if asked.patterns else CHUNK
        if not asked.content and not asked.patterns:
            rows = self._connection.execute(self._candidates(priorities, (after, None), self._query.limit + 1))
            yield from (Position(row.key, row.id) for row in rows)
            return
        while True:
            size = min(size, most, self._left)
            ends = self._candidates(priorities, (after, None), size).offset(size - 1).limit(1)
            end = self._connection.execute(ends).first()
            until = None if end is None else Position(end.key, end.id)
            yield from self._chunk(priorities, (after, until))
            if until is None:
                return
            after, size, self._left = until, size * 4, self._left - size
            if self._left <= 0:
                self.stopped = until
                return

    def _chunk(self, priorities: Sequence[str], within: Range) -> Iterator[Position]:
        """What is found between these places."""
        asked = self._asked
        here = self._candidates(priorities, within, None).subquery("candidate")
        wanted = (
            select(here.c.id, here.c.key, content.c.labels)
            .join(content, content.c.alert_id == here.c.id)
            .join(alert, alert.c.id == here.c.id)
            .where(*asked.content)
            .order_by(here.c.key.desc(), here.c.id.desc())
        )
        if not asked.patterns:
            wanted = wanted.limit(self._query.limit + 1)
        for row in self._connection.execute(wanted):
            if fits(asked.patterns, row.labels):
                yield Position(row.key, row.id)

    # --- candidates -------------------------------------------------------------------------------------------------

    def _candidates(self, priorities: Sequence[str], within: Range, most: int | None) -> Select[Any]:
        """(id, key) of what the row and the index tell of, in order; `most` bounds what has to be read for it."""
        asked, sort = self._asked, self._query.sort
        if self._in_index or asked.ids is not None or sort not in (Sort.NEWEST, Sort.PRIORITY):
            return self._sorted(priorities, within).limit(most)
        if sort is Sort.NEWEST and not asked.narrow:
            return self._sorted(priorities, within).limit(most)
        key = str(Priority(priorities[0]).rank) if sort is Sort.PRIORITY else "0"
        branches = [
            select(alert.c.id, literal_column(key, Integer).label("key"))
            .where(alert.c.status == status, alert.c.priority == priority, *asked.row, *_between(alert.c.id, within))
            .order_by(alert.c.id.desc())
            .limit(most)
            .subquery()
            for status, priority in product(asked.statuses, priorities)
        ]
        merged = union_all(*map(select, branches)).subquery()
        return select(merged.c.id, merged.c.key).order_by(merged.c.id.desc()).limit(most)

    def _sorted(self, priorities: Sequence[str], within: Range) -> Select[Any]:
        asked, key = self._asked, _key(self._query.sort)
        listed = select(alert.c.id, key.label("key")).select_from(alert)
        position: ColumnElement[Any] = alert.c.id
        if self._in_index:
            listed, position = self._engine.indexed(listed, asked.labels)
        if asked.ids is not None:
            listed = listed.where(self._engine.within(asked.ids))
        listed = listed.where(*asked.on_row)
        if self._query.sort is Sort.NEWEST:
            return listed.where(*_between(position, within)).order_by(position.desc())
        if self._query.sort is Sort.PRIORITY:  # within one priority
            listed = listed.where(alert.c.priority.in_(priorities))
            return listed.where(*_between(position, within)).order_by(position.desc())
        return listed.where(*_around(key, within)).order_by(key.desc(), position.desc())


def _key(sort: Sort) -> ColumnElement[int]:
    if sort is Sort.NEWEST:
        return literal_column("0", Integer)
    if sort is Sort.PRIORITY:
        return case({one.value: one.rank for one in Priority}, value=alert.c.priority)
    return alert.c[sort.value]


def _between(position: ColumnElement[Any], within: Range) -> list[ColumnElement[bool]]:
    after, until = within
    bounds = [] if after is None else [position < after.id]
    return bounds if until is None else [*bounds, position >= until.id]


def _around(key: ColumnElement[Any], within: Range) -> list[ColumnElement[bool]]:
    after, until = within
    bounds: list[ColumnElement[bool]] = []
    if after is not None:
        bounds.append(or_(key < after.key, and_(key == after.key, alert.c.id < after.id)))
    if until is not None:
        bounds.append(or_(key > until.key, and_(key == until.key, alert.c.id >= until.id)))
    return bounds
