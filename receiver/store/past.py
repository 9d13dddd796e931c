"""What is remembered of an alert's key and of similar ones, read when somebody looks at the alert.

Whatever is stored, it reads a bounded number of rows, each found by an index: the earlier rows of the key by their
numbers (each names the one before), what people wrote by the indexes over `has_note`.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, and_, func, literal, not_, or_, select, text

from receiver.domain.alert import FOREVER, Alert, Change
from receiver.domain.history import LONGEST_NOTE, Episode, Fix, Past, alike, episodes
from receiver.domain.lifecycle import EPISODES_KEPT
from receiver.domain.vocabulary import Kind
from receiver.store import codec
from receiver.store.rows import peek
from receiver.store.tables import alert, change, content

MOST_CHANGES = 500
"""Of the key's rows, the newest."""
MOST_EXACT, MOST_SIMILAR = 10, 5
"""Notes that are shown."""
LOOKED_AT = 300
"""So many of the newest alerts of the name that have a note are compared with this one."""
_BEGINS = (Kind.OPENED.value, Kind.REOPENED.value)
_ENDS = (Kind.RESOLVED.value, Kind.EXPIRED.value)
_HAS_NOTE = text("has_note")
"""As the indexes say it: SQLite uses a partial one only for the same words."""


def past(connection: Connection, alert_id: int) -> Past | None:
    """What is remembered; None when there is no such alert."""
    state = peek(connection, alert_id)
    if state is None:
        return None
    until = FOREVER if state.status.open else state.closed_at
    told = _changes(connection, _row_and_those_before(connection, state))
    begun = max((c.seq for c in told if c.alert_id == alert_id and c.kind.value in _BEGINS), default=0)
    # up to its own end, and without what ended the present episode
    within = and_(change.c.at <= until, or_(change.c.alert_id != alert_id, change.c.seq < begun))
    exact = _notes(connection, _of_key(connection, state), within, similar=False)
    similar = _notes(connection, _of_name(connection, state), within, similar=True)
    return Past(state.episodes, tuple(_episodes(told, state)), (*exact, *similar))


def _row_and_those_before(connection: Connection, state: Alert) -> list[int]:
    """The rows of the key that its remembered openings lie in."""
    if not state.episodes:
        return [state.id]
    begin = select(alert.c.id, alert.c.predecessor, alert.c.created_at, literal(1).label("place"))
    walked = begin.where(alert.c.id == state.id).cte("walked", recursive=True)
    before = select(alert.c.id, alert.c.predecessor, alert.c.created_at, walked.c.place + 1)
    reached = and_(walked.c.place < EPISODES_KEPT, walked.c.created_at > state.episodes[0])
    walked = walked.union_all(before.where(alert.c.id == walked.c.predecessor, reached))
    return list(connection.execute(select(walked.c.id)).scalars())


def _changes(connection: Connection, ids: Sequence[int]) -> list[Change]:
    """The newest of when these rows began and ended, in order."""
    wanted = select(change).where(change.c.alert_id.in_(ids), change.c.kind.in_((*_BEGINS, *_ENDS)))
    newest = wanted.order_by(change.c.alert_id.desc(), change.c.seq.desc()).limit(MOST_CHANGES)
    return [codec.made(row) for row in connection.execute(newest)][::-1]


def _episodes(told: Sequence[Change], state: Alert) -> list[Episode]:
    since = state.episodes[0] if state.episodes else 0
    return [one for one in reversed(episodes(told)) if one.began >= since][:EPISODES_KEPT]


def _of_key(connection: Connection, state: Alert) -> dict[int, str | None]:
    """The newest rows of the key that have a note, this one and those before it; what they are about is known."""
    here = and_(alert.c.fingerprint == state.fingerprint, alert.c.source == state.source, alert.c.id <= state.id)
    wanted = select(alert.c.id).where(here, _HAS_NOTE).order_by(alert.c.id.desc())
    return dict.fromkeys(connection.execute(wanted.limit(MOST_EXACT + 1)).scalars())


def _of_name(connection: Connection, state: Alert) -> dict[int, str | None]:
    """The newest rows of other keys that are similar and have a note, each with what it is about."""
    noted = select(alert.c.id, alert.c.fingerprint, alert.c.source).where(alert.c.name == state.name, _HAS_NOTE)
    newest = noted.order_by(alert.c.id.desc()).limit(LOOKED_AT).subquery()
    wanted = select(newest, content.c.labels, content.c.detail).join(content, content.c.alert_id == newest.c.id)
    key = (state.fingerprint, state.source)
    rows = connection.execute(wanted.order_by(newest.c.id.desc())).all() if state.name else ()
    others = [row for row in rows if (row.fingerprint, row.source) != key]
    if not others:
        return {}
    described = select(content.c.labels, content.c.detail).where(content.c.alert_id == state.id)
    labels, subject = _thing(*connection.execute(described).one())
    found: dict[int, str | None] = {}
    for row in others:
        other, about = _thing(row.labels, row.detail)
        if len(found) < MOST_SIMILAR and alike(labels, subject, other, about):
            found[row.id] = about
    return found


def _thing(labels: str, detail: str) -> tuple[dict[str, str], str | None]:
    return codec.json(labels), codec.json(detail).get("subject")


def _notes(
    connection: Connection, about: dict[int, str | None], within: ColumnElement[bool], *, similar: bool
) -> Iterator[Fix]:
    """What people wrote when they resolved these rows, newest first."""
    if not about:
        return
    opening = change.alias("opening")
    before = and_(opening.c.alert_id == change.c.alert_id, opening.c.seq < change.c.seq, opening.c.kind.in_(_BEGINS))
    began = select(opening.c.at).where(before).order_by(opening.c.seq.desc()).limit(1).scalar_subquery()
    wanted = select(change.c.alert_id, change.c.at, change.c.who, change.c.why, began.label("began")).where(
        change.c.alert_id.in_(list(about)),
        change.c.kind == Kind.RESOLVED.value,
        func.trim(change.c.why) != "",
        not_(change.c.who.startswith("source:")),
        within,
    )
    newest = wanted.order_by(change.c.at.desc(), change.c.alert_id.desc())
    for c in connection.execute(newest.limit(MOST_SIMILAR if similar else MOST_EXACT)):
        took = None if c.began is None else max(0, c.at - c.began)
        yield Fix(c.alert_id, c.at, c.who, c.why[:LONGEST_NOTE], took, similar, about[c.alert_id])
