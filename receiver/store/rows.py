"""A few Alerts at a time, through SQLAlchemy Core: for acts, sweeps and finished jobs (storms go through `batch`)."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import BigInteger, Connection, Dialect, cast, delete, extract, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from receiver.domain import times
from receiver.domain.alert import Alert, Change
from receiver.domain.history import is_note
from receiver.domain.times import Instant
from receiver.store import codec
from receiver.store.batch import Bucket, bucket, counted
from receiver.store.labels import number, tokens
from receiver.store.sqlite_sql import DELETE_LABELS
from receiver.store.tables import alert, alert_count, change, content, label_row

_STATE = [alert.c[name] for name in codec.STATE]

Decide = Callable[[Alert], Change | None]
"""Alters an Alert and returns the Change that it made, or alters nothing."""


def peek(connection: Connection, alert_id: int) -> Alert | None:
    """The lifecycle state of an Alert, to be read only; None when there is none."""
    row = connection.execute(select(*_STATE).where(alert.c.id == alert_id)).first()
    return codec.state(row) if row is not None else None


def load(connection: Connection, ids: Iterable[int]) -> list[Alert]:
    """The lifecycle states of these Alerts, as far as they exist: nobody else changes them before the commit."""
    wanted = select(*_STATE).where(alert.c.id.in_(list(ids))).order_by(alert.c.id).with_for_update()
    return [codec.state(row) for row in connection.execute(wanted)]


def change_each(connection: Connection, ids: Iterable[int], decide: Decide) -> list[Change]:
    """Apply a decision to each of these Alerts and write the Changes that it made."""
    made: list[Change] = []
    altered: list[Alert] = []
    moves: list[tuple[Bucket | None, Bucket | None]] = []
    for state in load(connection, ids):
        before, done = bucket(state), decide(state)
        if done is not None:
            made.append(done)
            altered.append(state)
            moves.append((before, bucket(state)))
    for state in altered:
        values = dict(zip(codec.STATE, codec.row(state), strict=True))
        connection.execute(update(alert).where(alert.c.id == state.id).values(values))
    if made:
        names = change.c.keys()
        connection.execute(insert(change), [dict(zip(names, codec.change(one), strict=True)) for one in made])
    if noted := [c.alert_id for c in made if is_note(c)]:
        connection.execute(update(alert).where(alert.c.id.in_(noted)).values(has_note=True))
    _count(connection, moves)
    return made


def _count(connection: Connection, moves: Iterable[tuple[Bucket | None, Bucket | None]]) -> None:
    """Counts come last: their rows are everybody's, and locked until the commit."""
    upsert = postgresql.insert if on_postgres(connection) else sqlite.insert
    for row in counted(moves):
        adding = upsert(alert_count).values(row)
        connection.execute(
            adding.on_conflict_do_update(
                index_elements=list(alert_count.primary_key.c), set_={"n": alert_count.c.n + adding.excluded.n}
            )
        )


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
