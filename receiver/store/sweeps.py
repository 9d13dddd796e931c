"""What time does to the store, in slices small enough that intake does not notice.

Candidates are found by readers; the writer looks at each again in its own transaction before it changes anything.
"""

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.sql import and_, or_

from receiver.domain import acts
from receiver.domain.lifecycle import expire
from receiver.domain.times import Instant
from receiver.domain.vocabulary import OPEN, Status
from receiver.store import codec
from receiver.store.batch import bucket
from receiver.store.labels import tokens
from receiver.store.rows import load, save
from receiver.store.statements import DELETE_LABELS
from receiver.store.tables import alert, alert_count, change, content, job, quarantine

SLICE = 200
_OPEN = tuple(sorted(status.value for status in OPEN))


def overdue(connection: Connection, now: Instant, after: int) -> list[int]:
    """Up to SLICE open alerts with an id over `after` that are due to expire, or whose suppression has ended."""
    silent = alert.c.last_seen_at + alert.c.expire_after < now
    ended = and_(alert.c.status == Status.SUPPRESSED.value, alert.c.suppressed_until <= now)
    wanted = select(alert.c.id).where(alert.c.status.in_(_OPEN), alert.c.id > after, or_(silent, ended))
    return list(connection.execute(wanted.order_by(alert.c.id).limit(SLICE)).scalars())


def expire_and_wake(connection: Connection, ids: list[int], now: Instant, may_expire: bool) -> int:
    """Expire those that are silent for too long (if they may), wake those whose suppression ended; how many changed."""
    made = 0
    for alert_id in ids:
        state = load(connection, alert_id)
        if state is None or not state.status.open:
            continue
        before, done = bucket(state), None
        if may_expire and state.last_seen_at + state.expire_after < now:
            done = expire(state, now)
        elif state.status is Status.SUPPRESSED and state.suppressed_until <= now:
            done = acts.unsuppress(state, now)
        if done is not None:
            save(connection, state, done, before)
            made += 1
    return made


def outlived(connection: Connection, closed_before: Instant, most_closed: int) -> list[int]:
    """Up to SLICE closed alerts, oldest first, that closed before the moment or are more than `most_closed`."""
    count = select(func.sum(alert_count.c.n)).where(alert_count.c.status.not_in(_OPEN))
    surplus = max(0, (connection.execute(count).scalar() or 0) - most_closed)
    closed = select(alert.c.id).where(alert.c.status.not_in(_OPEN)).order_by(alert.c.id).limit(SLICE)
    if surplus:
        return list(connection.execute(closed.limit(min(surplus, SLICE))).scalars())
    # Rows are numbered as they are made: once one is younger than the moment, so are all that follow.
    old = closed.where(alert.c.created_at < closed_before, alert.c.closed_at < closed_before)
    return list(connection.execute(old).scalars())


def forget(connection: Connection, ids: list[int]) -> int:
    """Delete closed alerts and all that belongs to them; how many were deleted."""
    gone = 0
    for alert_id in ids:
        state = load(connection, alert_id)
        if state is None or state.status.open:
            continue
        labels = connection.execute(select(content.c.labels).where(content.c.alert_id == alert_id)).scalar_one()
        connection.exec_driver_sql(DELETE_LABELS, (alert_id, tokens(codec.json(labels))))
        for table, key in ((content, "alert_id"), (change, "alert_id"), (job, "alert_id"), (alert, "id")):
            connection.execute(delete(table).where(table.c[key] == alert_id))
        _uncount(connection, bucket(state))
        gone += 1
    return gone


def _uncount(connection: Connection, was: tuple[str, ...] | None) -> None:
    if was is None:
        return
    source, *_, name = was
    here = [alert_count.c[key] == value for key, value in zip(alert_count.primary_key.c.keys(), was, strict=True)]
    connection.execute(update(alert_count).where(*here).values(n=alert_count.c.n - 1))
    # A name without any alert left has been forgotten; until then its counts stay, with 0.
    named = and_(alert_count.c.source == source, alert_count.c.name == name)
    left = connection.execute(select(func.sum(alert_count.c.n)).where(named)).scalar()
    if not left:
        connection.execute(delete(alert_count).where(named))


def trim_quarantine(connection: Connection, most: int) -> int:
    """Keep the newest `most` quarantined alerts; how many were deleted."""
    newest = select(quarantine.c.id).order_by(quarantine.c.id.desc()).offset(most).limit(1).scalar_subquery()
    return connection.execute(delete(quarantine).where(quarantine.c.id <= newest)).rowcount
