"""Which alerts a query finds, in its order, page by page.

A page is walked in chunks: first the candidates, from an index or by sorting, then, of these alone, what only their
content can tell. So a page looks at a bounded number of alerts, whatever is sought, and others get their turn between.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
    union_all,
)

from receiver.domain.search import Sort
from receiver.domain.vocabulary import Priority
from receiver.store.queries import AlertQuery, Position
from receiver.store.tables import alert, content
from receiver.store.terms import conditions, engine_of, fits

LOOKED_AT = 6_000
"""Alerts whose content one page looks at."""
FEW = 5_000
"""So many candidates of the label index are sorted; with more, going through the list in its order is quicker."""
Listed = Select[Any] | CompoundSelect[Any]
FIRST_CHUNK, CHUNK = 500, 4_000
SORTED = 3_000
"""Alerts whose content one page looks at where all that is asked for is sorted first: once."""


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
        self._connection, self._query = connection, query
        self._left = look_at if query.sort in _INDEXED else min(look_at, SORTED)
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
        asked, wanted = self._asked, self._query.limit + 1
        if not asked.content and not asked.patterns:
            rows = self._connection.execute(self._candidates(priorities, after, wanted))
            yield from [Position(row.key, row.id) for row in rows]
            return
        indexed = self._query.sort in _INDEXED
        size, most = (FIRST_CHUNK, CHUNK) if indexed else (SORTED, SORTED)
        while True:
            size = min(size, most, self._left)
            end, hits = self._chunk(self._candidates(priorities, after, size), size)
            yield from hits
            if end is None:
                return
            if len(hits) >= wanted:
                after = hits[-1]
                continue
            after, self._left = end, self._left - size
            if self._left <= 0:
                self.stopped = end
                return
            size *= 4

    def _chunk(
        self, candidates: Select[Any] | CompoundSelect[Any], size: int
    ) -> tuple[Position | None, list[Position]]:
        """The first of the candidates whose content is what is sought; and the last candidate, if there may be more."""
        asked, here = self._asked, candidates.cte("candidate")
        labels = content.c.labels if asked.patterns else literal_column("''", String)
        fitting = select(here.c.id, here.c.key, labels.label("labels")).join(content, content.c.alert_id == here.c.id)
        if asked.named:
            fitting = fitting.join(alert, alert.c.id == here.c.id)
        fitting = fitting.where(*self._engine.looked_up(content.c.alert_id, select(here.c.id)), *asked.content)
        fitting = fitting.order_by(here.c.key.desc(), here.c.id.desc())
        if not asked.patterns:
            fitting = fitting.limit(self._query.limit + 1)
        full = select(func.count()).select_from(here).scalar_subquery() == size
        last = (
            select(here.c.id, here.c.key, cast(null(), String).label("labels"))
            .where(full)
            .order_by(here.c.key, here.c.id)
            .limit(1)
        )
        told = union_all(select(fitting.subquery()), select(last.subquery()))
        end, hits = None, list[Position]()
        for number, key, labels_json in self._connection.execute(told):
            if labels_json is None:
                end = Position(key, number)
            elif not asked.patterns or fits(asked.patterns, labels_json):
                hits.append(Position(key, number))
        return end, sorted(hits, reverse=True)

    # --- candidates -------------------------------------------------------------------------------------------------

    def _candidates(self, priorities: Sequence[str], after: Position | None, most: int) -> Listed:
        """(id, key) of the next ones of which the row and the index tell that they may be what is sought, in order."""
        asked, sort = self._asked, self._query.sort
        whole = sort is Sort.NEWEST and not asked.narrow
        if sort not in _INDEXED or whole or self._in_index or asked.ids is not None:
            return self._sorted(priorities, after).limit(most)
        return self._merged(priorities, after, most)

    def _merged(self, priorities: Sequence[str], after: Position | None, most: int) -> CompoundSelect[Any]:
        """From the index by status and priority, which has each pair of them newest first."""
        key = Priority(priorities[0]).rank if self._query.sort is Sort.PRIORITY else 0
        behind = [] if after is None else [alert.c.id < after.id]
        branches = [
            select(alert.c.id.label("id"), literal_column(str(key), Integer).label("key")).where(
                alert.c.status == status, alert.c.priority == priority, *self._asked.row, *behind
            )
            for status, priority in product(self._asked.statuses, priorities)
        ]
        return self._engine.merged(branches, most)

    def _sorted(self, priorities: Sequence[str], after: Position | None) -> Select[Any]:
        """By id, which the table and the label index are ordered by, or by sorting all that is asked for."""
        asked, sort = self._asked, self._query.sort
        key = _key(sort)
        listed = select(alert.c.id.label("id"), key.label("key")).where(*asked.on_row)
        position: ColumnElement[Any] = alert.c.id
        if self._in_index:
            listed, position = self._engine.indexed(listed, asked.labels)
        if asked.ids is not None:
            listed = listed.where(self._engine.within(alert.c.id, asked.ids))
        if sort is Sort.PRIORITY:
            listed = listed.where(alert.c.priority.in_(priorities))
        if sort in _INDEXED:
            return listed.where(*([] if after is None else [position < after.id])).order_by(position.desc())
        if after is not None:
            listed = listed.where(or_(key < after.key, and_(key == after.key, position < after.id)))
        return listed.order_by(key.desc(), position.desc())


_INDEXED = (Sort.NEWEST, Sort.PRIORITY)
"""Walked in the order of an index (by priority: one priority after the other); any other sorts all that there is."""


def _key(sort: Sort) -> ColumnElement[int]:
    if sort is Sort.NEWEST:
        return literal_column("0", Integer)
    if sort is Sort.PRIORITY:
        return case({one.value: one.rank for one in Priority}, value=alert.c.priority)
    return alert.c[sort.value]
