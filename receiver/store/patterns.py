"""What patterns are counted from, read slice by slice.

Rows come as JSON arrays, one a column: a row at a time would cost the event loop more than all of the counting
(docs/performance.md), and the database makes them while the interpreter is free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
)

from receiver.domain.changes import ACTS, ANSWERS
from receiver.domain.hygiene import Reading
from receiver.domain.patterns import ANEW, EXPIRED, HUSHED, LOST, Open, Times
from receiver.domain.times import Instant
from receiver.domain.vocabulary import OPEN, Kind, Status
from receiver.store import codec
from receiver.store.rows import on_postgres
from receiver.store.tables import alert, change, content

SLICE = 10_000
"""Times that are read at once: some 20 ms of the database, as many of the interpreter."""
_OPEN = tuple(sorted(status.value for status in OPEN))
_ANSWERS = tuple(sorted(kind.value for kind in ANSWERS))
_ACTS = tuple(sorted(kind.value for kind in ACTS))
_begun, _after = change.alias("begun"), change.alias("after")
_BEGINS = text("begun.kind IN ('opened', 'reopened')")
"""As the index says it: SQLite uses a partial one only for the same words."""


_WITH_ALERT = _begun.join(alert, alert.c.id == _begun.c.alert_id)
_TOLD = and_(alert.c.began_seq == _begun.c.seq, alert.c.fate_seq == alert.c.change_count)
"""What became of an alert's last time stands in its row; that of others is searched among its Changes."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Which alerts count: every condition must hold, one without values always does."""

    names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL. Heartbeats are no trouble."""
        columns = (alert.c.name, alert.c.source, alert.c.category, alert.c.priority)
        asked = (self.names, self.sources, self.categories, self.priorities)
        return [~alert.c.heartbeat, *[c.in_(sought) for c, sought in zip(columns, asked, strict=True) if sought]]


def known_since(connection: Connection, kept_since: Instant) -> Instant | None:
    """Since when nothing that counts has been deleted; None when there is no alert at all.

    `kept_since` is how far back closed alerts are kept by their age; beyond `max_closed` the first ones go first.
    """
    closed = [status.value for status in Status if not status.open]
    first_open, first_closed = (
        min(filter(None, (_eldest(connection, (status,)) for status in statuses)), default=None)
        for statuses in (_OPEN, closed)
    )
    first = first_closed or first_open
    if first is None:
        return None
    if first_open is not None and first_open < first and not _gone(connection, first[0]):
        first = first_open  # the first one that closed is not the first one that there was
    return max(kept_since, first[1])


def _gone(connection: Connection, before: int) -> bool:
    """Whether alerts with smaller numbers have been deleted, as far as can be seen: all numbers are there, or not."""
    there = connection.scalar(select(func.count()).select_from(alert).where(alert.c.id < before))
    return there != before - 1


def _eldest(connection: Connection, statuses: Sequence[str]) -> tuple[int, Instant] | None:
    wanted = select(alert.c.id, alert.c.created_at).where(alert.c.status.in_(statuses)).order_by(alert.c.id).limit(1)
    row = connection.execute(wanted).first()
    return None if row is None else (row.id, row.created_at)


def longest_open(connection: Connection, narrow: Narrow, most: int) -> list[Open]:
    """The alerts that have been open for the longest."""
    columns = (alert.c.id, alert.c.name, alert.c.subject, alert.c.priority, alert.c.status, alert.c.started_at)
    wanted = select(*columns).where(alert.c.status.in_(_OPEN), *narrow.conditions())
    rows = connection.execute(wanted.order_by(alert.c.started_at, alert.c.id).limit(most))
    return [Open(*row) for row in rows]


def counts(connection: Connection, since: Instant, until: Instant, narrow: Narrow) -> dict[str, int]:
    """How many times each name began."""
    counted = select(alert.c.name, func.count().label("n")).select_from(_WITH_ALERT)
    grouped = counted.where(*_within(since, until), *narrow.conditions()).group_by(alert.c.name).subquery()
    names, numbers = _read(_texts(connection, grouped, ("name", "n")))
    return dict(zip(names, numbers, strict=True))


Texts = Sequence[str | None]
"""JSON arrays, one a column."""
Place = tuple[Instant, int, int]
"""Where a time stands among the others: when it began, its alert and the number of its Change."""


def beginning(since: Instant) -> Place:
    """The place before all times from that moment on."""
    return since, 0, 0


def times(connection: Connection, after: Place, until: Instant, narrow: Narrow) -> Texts:
    """The next SLICE times that began before `until`.

    They are still to be read (`read_times`), which is better done in a thread.
    """
    at, number, seq = after
    asked = {"at": at, "number": number, "seq": seq, "until": until}
    return tuple(connection.execute(_slice(narrow, on_postgres(connection)), asked).one())


def last_place(texts: Texts) -> Place | None:
    """The place of the last time that `times` found; None when there are no more after it.

    Read off the ends of the columns of whole numbers, before all of it is read.
    """
    numbers, moments, *_, seqs = texts
    if numbers is None or numbers.count(",") < SLICE - 1:
        return None
    at, number, seq = (int(str(told).rsplit(",", 1)[1].strip(" ]")) for told in (moments, numbers, seqs))
    return at, number, seq


def read_times(texts: Texts) -> Times:
    """What `times` found."""
    return Times(*_read(texts)[:-1])


_COLUMNS = ("alert_id", "at", "before", "traits", "name", "kind", "subject", "ended", "acted", "seq")
"""In the order of the fields of Times, and what tells one from the others of its alert."""


@lru_cache(maxsize=20)
def _slice(narrow: Narrow, postgres: bool) -> Select[*tuple[str, ...]]:
    """The statement, made once: SQLAlchemy takes longer to make it than the database for a thousand rows."""
    at, number, seq = (bindparam(name, type_=BigInteger) for name in ("at", "number", "seq"))
    same = or_(_begun.c.alert_id > number, and_(_begun.c.alert_id == number, _begun.c.seq > seq))
    rows = _rows().where(*_within(at, bindparam("until")), or_(_begun.c.at > at, same), *narrow.conditions())
    ordered = rows.order_by(_begun.c.at, _begun.c.alert_id, _begun.c.seq).limit(SLICE)
    return _gathered(ordered.subquery(), _COLUMNS, postgres=postgres)


def _rows() -> Select[Any]:
    earlier = change.alias("earlier")
    before = select(earlier.c.at).where(
        earlier.c.alert_id == _begun.c.alert_id,
        earlier.c.seq < _begun.c.seq,
        _kind(earlier).in_((Kind.OPENED.value, Kind.REOPENED.value)),
    )
    last = before.order_by(earlier.c.seq.desc()).limit(1).scalar_subquery()
    kind = alert.c.source + " " + alert.c.category + " " + alert.c.priority
    return select(
        _begun.c.alert_id,
        _begun.c.at,
        case((_begun.c.kind == Kind.REOPENED.value, func.coalesce(last, 0))).label("before"),
        (
            case((_begun.c.status == Status.SUPPRESSED.value, HUSHED), else_=0)
            + case((alert.c.status == Status.EXPIRED.value, case((_is_the_last(), EXPIRED), else_=0)), else_=0)
        ).label("traits"),
        alert.c.name,
        kind.label("kind"),
        alert.c.subject,
        _ended().label("ended"),
        _acted().label("acted"),
        _begun.c.seq,
    ).select_from(_WITH_ALERT)


def _is_the_last() -> ColumnElement[bool]:
    later = change.alias("later")
    following = and_(later.c.alert_id == _begun.c.alert_id, later.c.seq > _begun.c.seq)
    again = select(later.c.seq).where(following, _kind(later) == Kind.REOPENED.value).correlate(_begun)
    return ~again.exists()


def _ended() -> ColumnElement[Any]:
    a, lost = _after.c, change.alias("lost")
    between = and_(lost.c.alert_id == a.alert_id, lost.c.seq > _begun.c.seq, lost.c.seq < a.seq)
    expired = select(lost.c.seq).where(between, _kind(lost) == Kind.EXPIRED.value).correlate(_begun, _after)
    end = case((_kind(_after) == Kind.RESOLVED.value, a.at), (expired.exists(), LOST), else_=ANEW)
    earlier = _first(_after, end, _kind(_after).in_((Kind.RESOLVED.value, Kind.REOPENED.value)))
    return case((_TOLD, func.nullif(alert.c.over_at, 0)), else_=earlier)


def _acted() -> ColumnElement[Any]:
    a, answer, again = _after.c, change.alias("answer"), change.alias("again")
    anew = and_(again.c.alert_id == answer.c.alert_id, _kind(again) == Kind.REOPENED.value)
    between = select(again.c.seq).where(anew, again.c.seq > a.seq, again.c.seq < answer.c.seq)
    before = between.correlate(answer, _after).exists()
    later = select(-answer.c.at).where(answer.c.alert_id == a.alert_id, answer.c.seq > a.seq, ~before)
    later = later.where(_kind(answer).in_(_ANSWERS), _by_a_person(answer))
    later = later.order_by(answer.c.seq).limit(1).correlate(_after)
    done = case(
        (_kind(_after) == Kind.REOPENED.value, None),
        (_kind(_after).in_(_ANSWERS), a.at),
        else_=func.coalesce(later.scalar_subquery(), -1),
    )
    sought = or_(_kind(_after) == Kind.REOPENED.value, and_(_kind(_after).in_(_ACTS), _by_a_person(_after)))
    return case((_TOLD, alert.c.heeded), else_=_first(_after, done, sought))


def _first(of: FromClause, shown: ColumnElement[Any], sought: ColumnElement[bool]) -> ColumnElement[Any]:
    """Of the first Change after the beginning that is sought."""
    wanted = select(shown).where(of.c.alert_id == _begun.c.alert_id, of.c.seq > _begun.c.seq, sought)
    return wanted.order_by(of.c.seq).limit(1).scalar_subquery()


def _kind(of: FromClause) -> ColumnElement[str]:
    """The kind as no index knows it: PostgreSQL would go through a whole one of them for the Changes of one alert."""
    return func.coalesce(of.c.kind, "")


def _by_a_person(of: FromClause) -> ColumnElement[bool]:
    """As `changes.by_a_person` decides it."""
    return case((func.substr(of.c.who, 1, 7) == "source:", of.c.who.like("%)")), else_=of.c.who != "alertsage")


def _within(since: Any, until: Any) -> tuple[ColumnElement[bool], ...]:
    return (_begun.c.at >= since, _begun.c.at < until, _BEGINS)  # type: ignore[return-value]


def _texts(connection: Connection, rows: FromClause, names: Sequence[str]) -> Texts:
    """These columns of the rows, in their order."""
    return tuple(connection.execute(_gathered(rows, names, on_postgres(connection))).one())


def _gathered(rows: FromClause, names: Sequence[str], postgres: bool) -> Select[*tuple[str, ...]]:
    gather = func.json_agg if postgres else func.json_group_array
    columns: list[ColumnElement[str]] = [cast(gather(rows.c[name]), Text) for name in names]
    return select(*columns)


def _read(texts: Texts) -> list[list[Any]]:
    return [codec.json(told) if told else [] for told in texts]


def readings(connection: Connection, ids: Sequence[int]) -> list[Reading]:
    """The figures of these alerts."""
    names = ("value", "threshold", "direction", "unit", "metric")
    if on_postgres(connection):
        told = cast(content.c.detail, JSON)
        found = [func.json_extract_path(told, literal(name)).label(name) for name in names]
    else:
        found = [func.json_extract(content.c.detail, f"$.{name}").label(name) for name in names]
    rows = select(content.c.alert_id, *found).where(content.c.alert_id.in_(ids)).order_by(content.c.alert_id)
    return [
        Reading(*one) for one in zip(*_read(_texts(connection, rows.subquery(), ("alert_id", *names))), strict=True)
    ]
