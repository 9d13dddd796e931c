"""What time does to the store, in slices small enough that intake does not notice.

Candidates are found by readers; the writer looks at each again in its own transaction before it changes anything.
"""

from sqlalchemy import Connection, and_, delete, func, select, text, tuple_, update

from receiver.domain import acts
from receiver.domain.alert import Alert, Change
from receiver.domain.changes import expire
from receiver.domain.times import Instant
from receiver.domain.vocabulary import OPEN
from receiver.store.batch import Bucket, bucket
from receiver.store.rows import change_each, labels_of, load, unindex
from receiver.store.tables import alert, alert_count, change, content, delivery, job, quarantine

SLICE = 200
_OPEN = tuple(sorted(status.value for status in OPEN))


def suppressed_until(connection: Connection, now: Instant) -> list[int]:
    """Up to SLICE alerts that were suppressed until a moment that has passed, and are held by nothing else."""
    nobody_else = text("status = 'suppressed' AND hushed_by = 0 AND NOT silenced")  # as the index says it
    wanted = select(alert.c.id).where(nobody_else, alert.c.suppressed_until <= now)
    return list(connection.execute(wanted.limit(SLICE)).scalars())


def wake(connection: Connection, ids: list[int], now: Instant) -> int:
    """End the suppression of those that are still suppressed; how many were woken."""

    def decide(state: Alert) -> Change | None:
        return acts.unsuppress(state, now) if state.status.open and state.suppressed_until <= now else None

    return len(change_each(connection, ids, decide))


def silent(connection: Connection, now: Instant, after: int) -> list[int]:
    """Up to SLICE open alerts with an id over `after` of which nothing was heard for their `expire_after`."""
    long_ago = alert.c.last_seen_at + alert.c.expire_after < now
    wanted = select(alert.c.id).where(alert.c.status.in_(_OPEN), alert.c.id > after, long_ago)
    return list(connection.execute(wanted.order_by(alert.c.id).limit(SLICE)).scalars())


def expire_silent(connection: Connection, ids: list[int], now: Instant) -> int:
    """Expire those that are still open and silent; how many were expired."""

    def decide(state: Alert) -> Change | None:
        silent = state.status.open and state.last_seen_at + state.expire_after < now
        return expire(state, now) if silent else None

    return len(change_each(connection, ids, decide))


def outlived(connection: Connection, before: Instant, after: int) -> tuple[list[int], int] | None:
    """Among the next SLICE alerts with an id over `after`: those that closed before the moment, and the last id.

    None when no later alert can have closed before it: rows are numbered as they are made.
    """
    wanted = select(alert.c.id, alert.c.status, alert.c.closed_at).where(
        alert.c.id > after, alert.c.created_at < before
    )
    first = connection.execute(select(alert.c.created_at).where(alert.c.id > after).order_by(alert.c.id).limit(1))
    youngest = first.scalar()
    if youngest is None or youngest >= before:
        return None
    rows = connection.execute(wanted.order_by(alert.c.id).limit(SLICE)).all()
    return [row.id for row in rows if row.status not in _OPEN and row.closed_at < before], rows[-1].id


def surplus(connection: Connection, most: int) -> list[int]:
    """Up to SLICE of the oldest closed alerts, while there are more than `most`."""
    count = select(func.sum(alert_count.c.n)).where(alert_count.c.status.not_in(_OPEN))
    over = int(connection.execute(count).scalar() or 0) - most
    if over <= 0:
        return []
    closed = select(alert.c.id).where(alert.c.status.not_in(_OPEN)).order_by(alert.c.id)
    return list(connection.execute(closed.limit(min(over, SLICE))).scalars())


def forget(connection: Connection, ids: list[int]) -> int:
    """Delete closed alerts and all that belongs to them; how many were deleted."""
    closed = [state for state in load(connection, ids) if not state.status.open]
    here = [state.id for state in closed]
    unindex(connection, labels_of(connection, here))
    for table, key in ((content, "alert_id"), (change, "alert_id"), (job, "alert_id"), (alert, "id")):
        connection.execute(delete(table).where(table.c[key].in_(here)))
    for was in sorted(filter(None, map(bucket, closed))):
        _uncount(connection, was)
    return len(closed)


def _uncount(connection: Connection, was: Bucket) -> None:
    source, *_, name = was
    here = [alert_count.c[key] == str(value) for key, value in zip(alert_count.primary_key.c.keys(), was, strict=True)]
    connection.execute(update(alert_count).where(*here).values(n=alert_count.c.n - 1))
    # A name without any alert left has been forgotten; until then its counts stay, with 0.
    named = and_(alert_count.c.source == source, alert_count.c.name == name)
    left = connection.execute(select(func.sum(alert_count.c.n)).where(named)).scalar()
    if not left:
        connection.execute(delete(alert_count).where(named))


def oldest_kept(connection: Connection, most: int) -> Instant:
    """When the eldest of the last `most` deliveries was taken in; 0 when there are fewer."""
    last = select(delivery.c.at).order_by(delivery.c.at.desc()).offset(most - 1).limit(1)
    return connection.execute(last).scalar() or 0


def delivered_before(connection: Connection, before: Instant) -> bool:
    """True when the identity of a delivery taken in before that moment is still kept."""
    return connection.execute(select(delivery.c.at).where(delivery.c.at < before).limit(1)).first() is not None


def forget_deliveries(connection: Connection, before: Instant) -> None:
    """Delete up to SLICE identities of deliveries taken in before that moment."""
    old = select(delivery.c.source, delivery.c.key).where(delivery.c.at < before).limit(SLICE)
    connection.execute(delete(delivery).where(tuple_(delivery.c.source, delivery.c.key).in_(old)))


def quarantine_over(connection: Connection, most: int) -> bool:
    """True when more than `most` alerts are in quarantine."""
    return (connection.execute(select(func.count()).select_from(quarantine)).scalar() or 0) > most


def trim_quarantine(connection: Connection, most: int) -> None:
    """Keep the newest `most` quarantined alerts."""
    newest = select(quarantine.c.id).order_by(quarantine.c.id.desc()).offset(most).limit(1).scalar_subquery()
    connection.execute(delete(quarantine).where(quarantine.c.id <= newest))
