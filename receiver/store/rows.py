"""One Alert at a time, through SQLAlchemy Core: for acts, sweeps and finished jobs (storms go through `batch`)."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from receiver.domain.alert import Alert, Change
from receiver.store import codec
from receiver.store.batch import Bucket, bucket, counted
from receiver.store.tables import alert, alert_count, change

_STATE = [alert.c[name] for name in codec.STATE]


def load(connection: Connection, alert_id: int) -> Alert | None:
    """The lifecycle state of an Alert, to be changed and saved in the same transaction; None when there is none."""
    row = connection.execute(select(*_STATE).where(alert.c.id == alert_id)).first()
    return codec.state(row) if row is not None else None


def save(connection: Connection, state: Alert, made: Change, before: Bucket | None) -> None:
    """Write a changed state with the Change that changed it. `before` is its `bucket` as it was loaded."""
    values = dict(zip(codec.STATE, codec.row(state), strict=True))
    connection.execute(update(alert).where(alert.c.id == state.id).values(values))
    connection.execute(
        insert(change).values(
            alert_id=made.alert_id, seq=made.seq, at=made.at, kind=made.kind.value, who=made.who, why=made.why
        )
    )
    for *key, n in counted([(before, bucket(state))]):
        adding = upsert(alert_count).values((*key, n))
        connection.execute(adding.on_conflict_do_update(set_={"n": alert_count.c.n + adding.excluded.n}))
