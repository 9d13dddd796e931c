"""Reads: functions over a connection of the readers' pool. They answer in API form."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    case,
    cast,
    func,
    literal,
    null,
    select,
    text,
    union_all,
)

from receiver.domain.times import Instant, rfc3339
from receiver.domain.vocabulary import OPEN
from receiver.store import codec, own
from receiver.store.queries import AlertQuery, Gauges, Page
from receiver.store.search import found
from receiver.store.tables import alert, alert_count, change, content, job, quarantine, voice
from receiver.store.terms import conditions

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
    alert.c.change_count,
    alert.c.assignee,
    alert.c.resolved_by,
    alert.c.suppressed_until,
    alert.c.hushed_by,
    content.c.kind,
    content.c.title,
    content.c.message,
    content.c.generator_url,
    content.c.labels,
    content.c.annotations,
    content.c.detail,
    content.c.added,
    own.TOLD,
    content.c.metadata,
)
_OPEN = tuple(sorted(status.value for status in OPEN))


def page(connection: Connection, query: AlertQuery) -> Page:
    """One page of alerts, in the query's order."""
    ids, after = found(connection, query)
    # Asked once more of the rows: one that has changed since it was found is not shown as what it no longer is.
    asked = conditions(query.search, connection.dialect.name).on_row
    listed = select(*_LISTED).join(content, content.c.alert_id == alert.c.id)
    rows = {row.id: row for row in connection.execute(listed.where(alert.c.id.in_(ids), *asked))} if ids else {}
    return Page([shape(rows[one]) for one in ids if one in rows], after)


def one(connection: Connection, alert_id: int) -> dict[str, Any] | None:
    """One alert with its Changes and the last firing sighting as the sender wrote it; None when there is none."""
    wanted = select(*_LISTED, content.c.raw).join(content, content.c.alert_id == alert.c.id)
    row = connection.execute(wanted.where(alert.c.id == alert_id)).first()
    if row is None:
        return None
    changes = connection.execute(select(change).where(change.c.alert_id == alert_id).order_by(change.c.seq)).all()
    shown = shape(row)
    shown["changes"] = told(changes)
    sent = {"labels": shown["labels"], "annotations": shown["annotations"]}
    if row.generator_url:
        sent["generatorURL"] = row.generator_url
    shown["raw"] = sent | codec.json(codec.unpack(row.raw))
    return shown


def brief(connection: Connection, alert_id: int) -> dict[str, Any] | None:
    """One alert as lists show it; None when there is none."""
    listed = select(*_LISTED).join(content, content.c.alert_id == alert.c.id)
    row = connection.execute(listed.where(alert.c.id == alert_id)).first()
    return None if row is None else shape(row)


def told(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[dict[str, Any]]:
    """The Changes of one alert in API form, the first one first."""
    shown, before = [], None
    for row in rows:
        status = row.status or None
        shown.append(
            {
                "seq": row.seq,
                "at": rfc3339(row.at),
                "kind": row.kind,
                "who": row.who,
                "why": row.why,
                "via": row.via or own.via(row.who),
                "before": before,
                "after": status,
                "altered": codec.json(row.detail) if row.detail else {},
            }
        )
        before = status
    return shown


def quarantined(connection: Connection, limit: int) -> list[dict[str, Any]]:
    """What was kept aside lately, newest first."""
    rows = connection.execute(select(quarantine).order_by(quarantine.c.id.desc()).limit(limit)).all()
    return [
        {"id": r.id, "at": rfc3339(r.at), "source": r.source, "reason": r.reason, "excerpt": r.excerpt} for r in rows
    ]


def gauges(connection: Connection, names: int, heartbeats: int) -> Gauges:
    """The figures that /metrics shows, from the counts kept at each commit: one statement, read as of one moment."""
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for kind, *row in connection.execute(_figures(names, heartbeats)):
        rows.setdefault(kind, []).append(tuple(row))
    alerts = [(*labels, n) for *labels, n, _ in rows.get("alerts", ())]
    named = sorted(((row[0], row[1], row[4]) for row in rows.get("names", ())), key=lambda row: (-row[2], *row[:2]))
    ((*_, jobs, oldest),) = rows["jobs"]
    heard: dict[str, dict[str, int]] = {}
    for source, spoken, *_, n, _ in sorted(rows.get("voices", ())):
        heard.setdefault(source, {})[spoken] = n
    return Gauges(
        alerts=alerts,
        names=named,
        names_other=sum(row[-1] for row in alerts if row[1] in _OPEN) - sum(row[-1] for row in named),
        heartbeats=sorted((row[0], row[1], row[4]) for row in rows.get("beats", ())),
        jobs=jobs,
        oldest_job=oldest,
        voices=heard,
    )


def _figures(names: int, heartbeats: int) -> CompoundSelect[Any]:
    """Rows of (what it is, four texts, a number, another): each statement of its own costs a way to the reader."""
    count = alert_count.c
    total = cast(func.sum(count.n), BigInteger)
    # Closed rows count for nothing here, but keep a name listed with 0 after its last alert has ended.
    opened = cast(func.sum(case((count.status.in_(_OPEN), count.n), else_=0)), BigInteger)
    alerts = _rows("alerts", count.source, count.status, count.priority, count.category, n=total)
    named = _rows("names", count.name, count.source, n=opened).group_by(count.name, count.source)
    named = named.order_by(opened.desc(), count.name, count.source).limit(names)
    seen = func.max(alert.c.last_seen_at)
    beats = _rows("beats", alert.c.name, alert.c.source, n=seen).where(text("heartbeat AND latest"))
    beats = beats.group_by(alert.c.name, alert.c.source).order_by(alert.c.name).limit(heartbeats)
    return union_all(
        alerts.group_by(count.source, count.status, count.priority, count.category),
        select(named.subquery()),
        select(beats.subquery()),
        _rows("jobs", n=func.count(), more=func.min(job.c.created_at)).select_from(job),
        _rows("voices", voice.c.source, voice.c.voice, n=voice.c.n),
    )


def _rows(kind: str, *texts: ColumnElement[str], n: ColumnElement[Any], more: Any = None) -> Any:
    empty = [literal("")] * (4 - len(texts))
    last = cast(null(), BigInteger) if more is None else more
    columns = (*texts, *empty)
    named = [column.label(f"text{number}") for number, column in enumerate(columns)]
    return select(literal(kind).label("kind"), *named, n.label("n"), last.label("more"))


def heard(connection: Connection) -> dict[str, tuple[Instant, Instant]]:
    """When an alert of each source was last seen, and when last firing. Looks at every alert's row."""
    last = (func.max(alert.c.last_seen_at), func.max(alert.c.last_firing_at))
    rows = connection.execute(select(alert.c.source, *last).group_by(alert.c.source))
    return {source: (seen, firing) for source, seen, firing in rows}


def set_aside(connection: Connection) -> dict[str, int]:
    """How many alerts of each source are in quarantine."""
    rows = connection.execute(select(quarantine.c.source, func.count()).group_by(quarantine.c.source))
    return dict(rows.all())


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
        "version": row.change_count,
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
        "assignee": row.assignee or None,
        "resolved_by": row.resolved_by or None,
        "suppressed_until": _time(row.suppressed_until or None),
        "silence": row.hushed_by or None,
        "metadata": codec.json(row.metadata) if row.metadata else {},
        "recommendations": [],
    }
    shown |= described
    own.show(shown, row.own)
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
