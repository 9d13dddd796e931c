"""Which alerts a query lists, as SQL: the only reads that differ between databases."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, FromClause, Select, and_, cast, exists, func, or_, select

from receiver.store.labels import number, token
from receiver.store.queries import AlertQuery
from receiver.store.tables import alert, content, label_index, label_row


def narrowed(listed: Select[Any], query: AlertQuery, dialect: str) -> Select[Any]:
    """A SELECT from alert and content, narrowed to the query's conditions and in its order; its limit is not set."""
    engine = _POSTGRES if dialect == "postgresql" else _SQLITE
    present = [(name, value) for name, value in query.labels if value]
    wanted, position = engine.indexed(listed, present) if present else (listed, alert.c.id)
    wanted = wanted.order_by(position.desc())
    if query.before is not None:
        wanted = wanted.where(position < query.before)
    for values, stored in (
        (query.statuses, alert.c.status),
        (query.sources, alert.c.source),
        (query.priorities, alert.c.priority),
        (query.categories, alert.c.category),
    ):
        if values:
            wanted = wanted.where(stored.in_(values))
    if query.text:
        sought = f"%{_escaped(query.text)}%"
        added = [engine.added(name) for name in ("title", "message")]
        fields = (content.c.title, content.c.message, alert.c.name, *added)
        wanted = wanted.where(or_(*(engine.like(field, sought) for field in fields)))
    # What the index finds is only a candidate: it is checked against its own labels.
    return wanted.where(*[engine.has(place, *pair) for place, pair in enumerate(query.labels)])


class _Sqlite:
    """The index is read in the order of the list, so that a page costs the same wherever it lies."""

    def indexed(self, listed: Select[Any], present: list[tuple[str, str]]) -> tuple[Select[Any], ColumnElement[Any]]:
        matched = " AND ".join(token(name, value) for name, value in present)
        wanted = listed.join(label_index, label_index.c.rowid == alert.c.id)
        return wanted.where(label_index.c.alert_label.op("MATCH")(matched)), label_index.c.rowid

    def has(self, place: int, name: str, value: str) -> ColumnElement[bool]:
        pair = func.json_each(content.c.labels).table_valued("key", "value", name=f"pair_{place}")
        if not value:
            return ~exists(select(1).select_from(pair).where(pair.c.key == name, pair.c.value != ""))
        return exists(select(1).select_from(pair).where(and_(pair.c.key == name, pair.c.value == value)))

    def added(self, name: str) -> ColumnElement[str]:
        return func.json_extract(content.c.added, f"$.{name}")

    def like(self, field: ColumnElement[str], sought: str) -> ColumnElement[bool]:
        return field.like(sought, escape="\\")


class _Postgres:
    """As on SQLite: the rows of a token are in the order of the list, several tokens are merged in it."""

    def indexed(self, listed: Select[Any], present: list[tuple[str, str]]) -> tuple[Select[Any], ColumnElement[Any]]:
        first, *more = [(label_row.alias(f"label_{place}"), number(*pair)) for place, pair in enumerate(present)]
        position = first[0].c.alert_id
        wanted = self._joined(listed, *first, alert.c.id)
        for rows, sought in more:
            wanted = self._joined(wanted, rows, sought, position)
        return wanted, position

    def _joined(self, listed: Select[Any], rows: FromClause, sought: int, position: ColumnElement[Any]) -> Select[Any]:
        return listed.join(rows, and_(rows.c.alert_id == position, rows.c.token == sought))

    def has(self, place: int, name: str, value: str) -> ColumnElement[bool]:
        del place
        return func.coalesce(func.json_extract_path_text(cast(content.c.labels, JSON), name), "") == value

    def added(self, name: str) -> ColumnElement[str]:
        return func.json_extract_path_text(cast(content.c.added, JSON), name)

    def like(self, field: ColumnElement[str], sought: str) -> ColumnElement[bool]:
        return field.ilike(sought, escape="\\")


_SQLITE, _POSTGRES = _Sqlite(), _Postgres()


def _escaped(sought: str) -> str:
    return sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
