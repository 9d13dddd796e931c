"""Jobs: work owed, as rows. Claimed under a lease with a fence, so that a worker that lost its lease cannot finish."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, delete, exists, select, update

from receiver.domain.alert import Alert
from receiver.domain.changes import escalate
from receiver.domain.times import Instant, Span
from receiver.domain.vocabulary import Priority
from receiver.store.rows import change_each, clock, peek
from receiver.store.tables import content, job


@dataclass(frozen=True, slots=True)
class Job:
    """One job under lease. `attempts` counts this one; `news_at` is when the Change it is about was made."""

    id: int
    alert_id: int
    attempts: int
    fence: int
    news_at: Instant


def claim(connection: Connection, lease: Span, most: int) -> list[Job]:
    """Take up to `most` due jobs, oldest first, for `lease` microseconds: new ones and those whose lease ran out.

    Due is judged by the database's clock. Jobs that another replica is just taking are left to it.
    """
    now, elder = clock(connection), job.alias("elder")
    # one at a time for each alert: what an elder job brings must not replace what a younger one brought
    first = ~exists(select(1).select_from(elder).where(elder.c.alert_id == job.c.alert_id, elder.c.id < job.c.id))
    due = select(job.c.id).where(job.c.lease_until <= now, first).order_by(job.c.lease_until, job.c.id).limit(most)
    ids = connection.execute(due.with_for_update(skip_locked=True, of=job)).scalars().all()
    taken = connection.execute(
        update(job)
        .where(job.c.id.in_(ids))
        .values(lease_until=now + lease, attempts=job.c.attempts + 1, fence=job.c.fence + 1)
        .returning(job.c.id, job.c.alert_id, job.c.attempts, job.c.fence, job.c.created_at)
    ).all()
    return [Job(*row) for row in sorted(taken)]


def renew(connection: Connection, held: Iterable[Job], lease: Span) -> None:
    """Hold these jobs for `lease` microseconds more, as far as they are still held."""
    until = clock(connection) + lease
    for one in sorted(held, key=lambda one: one.id):
        here = (job.c.id == one.id, job.c.fence == one.fence)
        connection.execute(update(job).where(*here).values(lease_until=until))


def subject(connection: Connection, alert_id: int) -> tuple[Alert, dict[str, Any]] | None:
    """The Alert a job is about, with its content's columns; None when it was deleted meanwhile."""
    state = peek(connection, alert_id)
    row = connection.execute(select(content).where(content.c.alert_id == alert_id)).mappings().first()
    return (state, dict(row)) if state is not None and row is not None else None


@dataclass(frozen=True, slots=True)
class Added:
    """What a run of deferred enrichers brought: fields in API form, and the highest priority that one asked for."""

    fields: dict[str, Any]
    priority: Priority | None = None
    who: str = ""
    """The enricher that asked for it."""


def finish(connection: Connection, done: Job, added: Added, now: Instant) -> bool:
    """Store what the deferred enrichers added and end the job; False when the lease was lost to another worker.

    A late enricher adds; it never alters status, except that a rise in priority is an escalation like any other.
    """
    held = delete(job).where(job.c.id == done.id, job.c.fence == done.fence)
    if connection.execute(held).rowcount == 0:
        return False
    connection.execute(
        update(content).where(content.c.alert_id == done.alert_id).values(added=to_json(added.fields).decode())
    )
    asked = added.priority
    if asked is not None:
        change_each(
            connection,
            [done.alert_id],
            lambda state: escalate(state, asked, now, added.who) if state.status.open else None,
        )
    return True


def drop(connection: Connection, done: Job) -> None:
    """End a job whose Alert is gone."""
    connection.execute(delete(job).where(job.c.id == done.id))
