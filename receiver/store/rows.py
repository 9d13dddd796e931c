"""A few Alerts at a time, through SQLAlchemy Core: for acts, sweeps and finished jobs (storms go through `batch`)."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic_core import to_json
from sqlalchemy import BigInteger, Connection, Dialect, Row, cast, delete, extract, func, insert, select, update

from receiver.domain import times
from receiver.domain.alert import Alert, Change
from receiver.domain.history import is_note
from receiver.domain.times import Instant
from receiver.store import codec, postgres_sql, sqlite_sql
from receiver.store.batch import Bucket, bucket, counted
from receiver.store.labels import number, tokens
from receiver.store.sqlite_sql import DELETE_LABELS
from receiver.store.tables import alert, content, label_row

_STATE = [alert.c[name] for name in codec.STATE]

Decide = Callable[[Alert], Change | None]
"""Alters an Alert and returns the Change that it made, or alters nothing."""
Move = tuple[Bucket | None, Bucket | None]
"""The counts that an Alert belonged to and belongs to now."""


def peek(connection: Connection, alert_id: int) -> Alert | None:
    """The lifecycle state of an Alert, to be read only; None when there is none."""
    row = connection.execute(select(*_STATE).where(alert.c.id == alert_id)).first()
    return codec.state(row) if row is not None else None


def load(connection: Connection, ids: Iterable[int]) -> list[Alert]:
    """The lifecycle states of these Alerts, as far as they exist: nobody else changes them before the commit."""
    states = map(codec.state, rows_of(connection, ids, _LOCK if on_postgres(connection) else _FIND))
    return sorted(states, key=lambda state: state.id)


def rows_of(connection: Connection, ids: Iterable[int], statement: str) -> Sequence[Row[*tuple[Any, ...]]]:
    """What a statement of the engine's own finds, whose only parameter is a list of ids: any number of them."""
    listed = sorted(ids)
    parameter = listed if on_postgres(connection) else to_json(listed).decode()
    return connection.exec_driver_sql(statement, (parameter,)).all()


HERE = {True: "= ANY($1::int8[])", False: "IN (SELECT value FROM json_each(?))"}
"""A condition on ids for `rows_of`, on PostgreSQL and on SQLite."""
IN_ORDER = 'ORDER BY source COLLATE "C", fingerprint COLLATE "C", id FOR UPDATE'
"""On PostgreSQL rows are locked in the order in which the batches of webhooks lock them: nobody waits in a circle."""
_FIND = f"SELECT {', '.join(codec.STATE)} FROM alert WHERE id {HERE[False]}"  # noqa: S608
_LOCK = f"SELECT {', '.join(codec.STATE)} FROM alert WHERE id {HERE[True]} {IN_ORDER}"  # noqa: S608


def change_each(connection: Connection, ids: Iterable[int], decide: Decide) -> list[Change]:
    """Apply a decision to each of these Alerts and write the Changes that it made."""
    made: list[Change] = []
    altered: list[Alert] = []
    moves: list[Move] = []
    for state in load(connection, ids):
        before, done = bucket(state), decide(state)
        if done is not None:
            made.append(done)
            altered.append(state)
            moves.append((before, bucket(state)))
    save(connection, altered, made)
    count(connection, moves)
    return made


def save(connection: Connection, altered: Sequence[Alert], made: Sequence[Change]) -> None:
    """Write Alerts as they are now, and the Changes that made them so; `count` is the caller's to call, at the end."""
    if not made:
        return
    run, changes = connection.exec_driver_sql, [codec.change(one) for one in made]
    if on_postgres(connection):
        states = [(row[0], *row[codec.FIXED :]) for row in map(codec.row, altered)]
        run(postgres_sql.UPDATE_STATES, tuple(postgres_sql.STATES.columns(states)))
        run(postgres_sql.INSERT_CHANGES, tuple(postgres_sql.CHANGES.columns(changes)))
    else:
        run(sqlite_sql.ALTER, (to_json([codec.altered(one) for one in altered]).decode(),))
        _insert(connection, sqlite_sql.INSERT_CHANGE, changes)
    if noted := [one.alert_id for one in made if is_note(one)]:
        connection.execute(update(alert).where(alert.c.id.in_(noted)).values(has_note=True))


def count(connection: Connection, moves: Iterable[Move]) -> None:
    """Write how many alerts moved from one count to another. Last of all: their rows are everybody's, and locked."""
    rows = counted(moves)
    if rows and on_postgres(connection):
        connection.exec_driver_sql(postgres_sql.COUNT, tuple(postgres_sql.COUNTS.columns(rows)))
    else:
        _insert(connection, sqlite_sql.COUNT, rows)


def _insert(connection: Connection, statement: sqlite_sql.Insert, rows: Sequence[tuple[Any, ...]]) -> None:
    for text, values in statement.statements(rows):
        connection.exec_driver_sql(text, values)


def unindex(connection: Connection, labels_json: dict[int, str]) -> None:
    """Take alerts out of the label index: their labels as stored, by their ids."""
    for alert_id, text in labels_json.items():
        labels = codec.json(text)
        if on_postgres(connection):
            here = [number(name, value) for name, value in labels.items()]
            connection.execute(delete(label_row).where(label_row.c.alert_id == alert_id, label_row.c.token.in_(here)))
        else:
            connection.exec_driver_sql(DELETE_LABELS, (alert_id, tokens(labels)))


def index_labels(connection: Connection, after: int, most: int) -> int:
    """Put the next alerts with an id over `after` into the label index; the last one's id, 0 when there are no more."""
    wanted = select(content.c.alert_id, content.c.labels).where(content.c.alert_id > after)
    found = connection.execute(wanted.order_by(content.c.alert_id).limit(most)).all()
    labels: dict[int, dict[str, str]] = {row.alert_id: codec.json(row.labels) for row in found}
    if not labels:
        return 0
    if on_postgres(connection):
        pairs = [(number(*pair), alert_id) for alert_id, named in labels.items() for pair in named.items()]
        if pairs:
            connection.execute(
                insert(label_row), [{"token": token, "alert_id": of} for token, of in sorted(set(pairs))]
            )
    else:
        connection.exec_driver_sql(
            "INSERT INTO alert_label (rowid, tokens) VALUES (?, ?)",
            [(alert_id, tokens(named)) for alert_id, named in labels.items()],
        )
    return max(labels)


def labels_of(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """The labels of alerts as stored (JSON text), by their ids."""
    rows = connection.execute(select(content.c.alert_id, content.c.labels).where(content.c.alert_id.in_(ids)))
    return {row.alert_id: row.labels for row in rows}


def clock(connection: Connection) -> Instant:
    """Now, by the database's clock: leases are judged by it, so that the clocks of replicas may differ."""
    if not on_postgres(connection):
        return times.now()
    now: Instant = connection.execute(
        select(cast(extract("epoch", func.clock_timestamp()) * times.SECOND, BigInteger))
    ).scalar_one()
    return now


def on_postgres(connection: Connection) -> bool:
    """True on PostgreSQL, False on SQLite."""
    dialect: Dialect = connection.dialect
    return dialect.name == "postgresql"
