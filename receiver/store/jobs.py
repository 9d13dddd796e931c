"""Jobs: work owed, as rows. Claimed under a lease with a fence, so that a worker that lost its lease cannot finish."""

from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, delete, select, update

from receiver.domain.alert import Alert
from receiver.domain.changes import escalate
from receiver.domain.times import Instant, Span
from receiver.domain.vocabulary import Priority
from receiver.store.batch import bucket
from receiver.store.rows import load, save
from receiver.store.tables import content, job


@dataclass(frozen=True, slots=True)
class Job:
    """One job under lease. `attempts` counts this one; `news_at` is when the Change it is about was made."""

    id: int
    alert_id: int
    attempts: int
    fence: int
    news_at: Instant


def claim(connection: Connection, now: Instant, lease: Span, most: int) -> list[Job]:
    """Take up to `most` due jobs, oldest first, for `lease` microseconds: new ones and those whose lease ran out."""
    due = select(job.c.id).where(job.c.lease_until <= now).order_by(job.c.id).limit(most)
    taken = connection.execute(
        update(job)
        .where(job.c.id.in_(due.scalar_subquery()))
        .values(lease_until=now + lease, attempts=job.c.attempts + 1, fence=job.c.fence + 1)
        .returning(job.c.id, job.c.alert_id, job.c.attempts, job.c.fence, job.c.created_at)
    ).all()
    return [Job(*row) for row in sorted(taken)]


def subject(connection: Connection, alert_id: int) -> tuple[Alert, dict[str, Any]] | None:
    """The Alert a job is about, with its content's columns; None when it was deleted meanwhile."""
    state = load(connection, alert_id)
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
    state = load(connection, done.alert_id)
    if state is not None and state.status.open and added.priority is not None:
        before = bucket(state)
        risen = escalate(state, added.priority, now, added.who)
        if risen is not None:
            save(connection, state, risen, before)
    return True


def drop(connection: Connection, done: Job) -> None:
    """End a job whose Alert is gone."""
    connection.execute(delete(job).where(job.c.id == done.id))
