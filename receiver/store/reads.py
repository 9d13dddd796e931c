"""Reads: functions over a connection of the readers' pool. They answer in API form."""

from typing import Any

from sqlalchemy import BigInteger, Connection, Row, case, cast, func, select, text

from receiver.domain.times import Instant, rfc3339
from receiver.domain.vocabulary import OPEN
from receiver.store import codec
from receiver.store.queries import AlertQuery, Gauges, Page
from receiver.store.search import narrowed
from receiver.store.tables import alert, alert_count, change, content, job, quarantine, voice

_LISTED = (
    alert.c.id,
    alert.c.status,
    alert.c.priority,
    alert.c.category,
    alert.c.source,
    alert.c.fingerprint,
    alert.c.name,
    alert.c.notification_count,
    alert.c.started_at,
    alert.c.last_seen_at,
    alert.c.ended_at,
    alert.c.created_at,
    alert.c.predecessor,
    content.c.kind,
    content.c.title,
    content.c.message,
    content.c.generator_url,
    content.c.labels,
    content.c.annotations,
    content.c.detail,
    content.c.added,
)
_OPEN = tuple(sorted(status.value for status in OPEN))


def page(connection: Connection, query: AlertQuery) -> Page:
    """One page of alerts, newest first, one row more being read to know whether there is a next page."""
    listed = select(*_LISTED).join(content, content.c.alert_id == alert.c.id)
    rows = connection.execute(narrowed(listed, query, connection.dialect.name).limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    return Page([shape(row) for row in shown], shown[-1].id if len(rows) > query.limit else None)


def one(connection: Connection, alert_id: int) -> dict[str, Any] | None:
    """One alert with its Changes and the last firing sighting as the sender wrote it; None when there is none."""
    wanted = select(*_LISTED, content.c.raw).join(content, content.c.alert_id == alert.c.id)
    row = connection.execute(wanted.where(alert.c.id == alert_id)).first()
    if row is None:
        return None
    changes = connection.execute(select(change).where(change.c.alert_id == alert_id).order_by(change.c.seq)).all()
    shown = shape(row)
    shown["changes"] = [
        {"seq": c.seq, "at": rfc3339(c.at), "kind": c.kind, "who": c.who, "why": c.why} for c in changes
    ]
    sent = {"labels": shown["labels"], "annotations": shown["annotations"]}
    if row.generator_url:
        sent["generatorURL"] = row.generator_url
    shown["raw"] = sent | codec.json(codec.unpack(row.raw))
    return shown


def quarantined(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """What was kept aside lately, newest first."""
    rows = connection.execute(select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)).all()
    return [
        {"id": r.id, "at": rfc3339(r.at), "source": r.source, "reason": r.reason, "excerpt": r.excerpt} for r in rows
    ]


def gauges(connection: Connection, names: int, heartbeats: int) -> Gauges:
    """The figures that /metrics shows, from the counts kept at each commit."""
    count = alert_count.c
    total = cast(func.sum(count.n), BigInteger)
    alerts = connection.execute(
        select(count.source, count.status, count.priority, count.category, total).group_by(
            count.source, count.status, count.priority, count.category
        )
    ).all()
    # Closed rows count for nothing here, but keep a name listed with 0 after its last alert has ended.
    opened = cast(func.sum(case((count.status.in_(_OPEN), count.n), else_=0)), BigInteger)
    by_name = select(count.name, count.source, opened.label("n")).group_by(count.name, count.source)
    named = connection.execute(by_name.order_by(text("n DESC"), count.name, count.source).limit(names)).all()
    everything = sum(row[-1] for row in alerts if row.status in _OPEN)
    beats = connection.execute(
        select(alert.c.name, alert.c.source, func.max(alert.c.last_seen_at))
        .where(text("heartbeat AND latest"))
        .group_by(alert.c.name, alert.c.source)
        .order_by(alert.c.name)
        .limit(heartbeats)
    ).all()
    jobs, oldest = connection.execute(select(func.count(), func.min(job.c.created_at)).select_from(job)).one()
    return Gauges(
        alerts=[(*row,) for row in alerts],
        names=[(*row,) for row in named],
        names_other=everything - sum(row.n for row in named),
        heartbeats=[(*row,) for row in beats],
        jobs=jobs,
        oldest_job=oldest,
        voices=voices(connection),
    )


def voices(connection: Connection) -> dict[str, dict[str, int]]:
    """How often each source spoke with each of its kinds of webhook."""
    heard: dict[str, dict[str, int]] = {}
    for row in connection.execute(select(voice.c.source, voice.c.voice, voice.c.n).order_by(voice.c.source)):
        heard.setdefault(row.source, {})[row.voice] = row.n
    return heard


def shape(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    """An alert in API form: the described fields, then what deferred enrichers added to them."""
    described = codec.described(row.detail)
    shown = {
        "id": row.id,
        "status": row.status,
        "source": row.source,
        "kind": row.kind,
        "fingerprint": row.fingerprint,
        "name": row.name,
        "title": row.title,
        "message": row.message,
        "labels": codec.json(row.labels),
        "annotations": codec.json(row.annotations),
        "generator_url": row.generator_url,
        "notification_count": row.notification_count,
        "started_at": rfc3339(row.started_at),
        "last_seen_at": rfc3339(row.last_seen_at),
        "ended_at": _time(row.ended_at),
        "created_at": rfc3339(row.created_at),
        "predecessor": row.predecessor,
        "recommendations": [],
    }
    shown |= described
    if row.added:
        add(shown, codec.json(row.added))
    if shown.get("priority") != row.priority:
        kept = {
            "rule": "only rises while open",
            "input": f"now read as {shown.get('priority')}",
            "effect": f"stays {row.priority}",
        }
        shown["priority_terms"] = [*shown.get("priority_terms", ()), kept]
    return shown | {"priority": row.priority, "category": row.category}


def add(shown: dict[str, Any], added: dict[str, Any]) -> None:
    """Add to what is shown: lists grow, mappings are joined, single values replace; so does who said what."""
    for name, value in added.items():
        if name == "provenance":
            joined = dict(shown.get(name) or {})
            add(joined, value)
            shown[name] = joined
        elif isinstance(value, list):
            shown[name] = [*shown.get(name, ()), *value]
        elif isinstance(value, dict):
            shown[name] = (shown.get(name) or {}) | value
        elif value is not None:
            shown[name] = value


def _time(moment: Instant | None) -> str | None:
    return None if moment is None else rfc3339(moment)
