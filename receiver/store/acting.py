"""Acts of people on one Alert or on many: read, decided and written in one transaction, all of them or none."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, bindparam, select, update

from receiver.domain.acting import Act, Amend, Assign, Note, Subject, perform, perform_among
from receiver.domain.acts import Illegal
from receiver.domain.alert import Change
from receiver.domain.value import value
from receiver.domain.vocabulary import TOLD
from receiver.store import codec, postgres_sql, search, sqlite_sql
from receiver.store.batch import bucket
from receiver.store.queries import AlertQuery, Position
from receiver.store.rows import HERE, IN_ORDER, Move, count, on_postgres, rows_of, save
from receiver.store.tables import alert, change, content

SLICE = 500
"""Alerts in one statement."""
TRAIL = 50
"""Changes that are looked at, of one Alert."""
NOTES = 5
"""Changes that are looked at for notes, of one of many Alerts."""

_LOCK = f"SELECT id FROM alert WHERE id {HERE[True]} {IN_ORDER}"  # noqa: S608
_SUBJECT = f"""
SELECT {", ".join(codec.STATE)}, assignee, CASE WHEN NOT latest THEN (
    SELECT next.id FROM alert AS next
    WHERE next.latest AND next.fingerprint = alert.fingerprint AND next.source = alert.source
) END FROM alert WHERE id
"""  # noqa: S608
_SUBJECTS = {on_postgres: f"{_SUBJECT} {here}" for on_postgres, here in HERE.items()}
_VERSIONS = {on_postgres: f"SELECT id, change_count FROM alert WHERE id {here}" for on_postgres, here in HERE.items()}  # noqa: S608
_METADATA = {
    on_postgres: f"SELECT alert_id, metadata FROM content WHERE metadata IS NOT NULL AND alert_id {here}"  # noqa: S608
    for on_postgres, here in HERE.items()
}
_NOTES = {
    on_postgres: f"""
        SELECT change.* FROM alert
        JOIN change ON change.alert_id = alert.id AND change.seq > alert.change_count - {NOTES}
        WHERE change.kind = 'noted' AND alert.id {here}
    """  # noqa: S608
    for on_postgres, here in HERE.items()
}


@value
class Done:
    """What an act on many Alerts did, or would do."""

    changed: tuple[int, ...]
    """Their ids, ascending."""
    skipped: int
    """Those that were so already."""


class Absent(Exception):  # noqa: N818 - an answer to a person, not a fault
    """There are no Alerts with these ids."""


class Moved(Exception):  # noqa: N818 - what to do, not a fault
    """Some of the Alerts are not at the version any more that they were found at."""


def found(connection: Connection, query: AlertQuery, most: int) -> dict[int, int]:
    """The versions of the Alerts that the query finds, by their ids; of some more than `most` when there are more.

    Each was found by the query when it had that version.
    """
    ids = _all_found(connection, query, most)
    versions: dict[int, int] = {
        row.id: row.change_count for row in rows_of(connection, ids, _VERSIONS[on_postgres(connection)])
    }
    # Found once more: what changed between the two reads may not be what was sought any more.
    still = set(_all_found(connection, query, most))
    return {one: version for one, version in versions.items() if one in still}


def _all_found(connection: Connection, query: AlertQuery, most: int) -> list[int]:
    """The ids of what the query finds, page after page, until there are more than `most`."""
    ids: list[int] = []
    left: Position | None = query.after
    while len(ids) <= most:
        page, left = search.found(connection, replace(query, limit=most + 1, after=left))
        ids += page
        if left is None:
            break
    return ids


def act_on(connection: Connection, alert_id: int, act: Act, version: int | None, *, owes: bool) -> Change | None:
    """Do it to one Alert; None when the same person has done it before. `owes`: news are to be enriched.

    Raises Absent, and Illegal when it does not fit or the Alert is not at that version.
    """
    _lock(connection, [alert_id])
    subjects = list(_subjects(connection, [alert_id], act))
    if not subjects:
        raise Absent([alert_id])
    (subject,) = subjects
    subject.trail = trail(connection, alert_id)
    before = bucket(subject.alert)
    made = perform(act, subject, version)
    if made is not None:
        _write(connection, act, [(subject, made)], owes=owes)
        count(connection, [(before, bucket(subject.alert))])
    return made


def act_on_all(connection: Connection, versions: Mapping[int, int | None], act: Act, *, owes: bool) -> Done:
    """Do it to all of these Alerts, or to none. Raises Absent, Moved, and Illegal for the first that does not fit."""
    _lock(connection, versions)
    done, changed, moves = _decided(connection, versions, act)
    for part in _slices(changed):
        _write(connection, act, part, owes=owes)
    count(connection, moves)
    return done


def rehearse(connection: Connection, versions: Mapping[int, int | None], act: Act) -> Done:
    """What `act_on_all` would do now; nothing is written, and nothing is locked."""
    return _decided(connection, versions, act)[0]


def trail(connection: Connection, alert_id: int) -> list[Change]:
    """The newest Changes of an Alert, in order."""
    newest = select(change).where(change.c.alert_id == alert_id).order_by(change.c.seq.desc()).limit(TRAIL)
    return [codec.made(row) for row in connection.execute(newest)][::-1]


_Changed = list[tuple[Subject, Change]]


def _decided(connection: Connection, versions: Mapping[int, int | None], act: Act) -> tuple[Done, _Changed, list[Move]]:
    changed: _Changed = []
    moves: list[Move] = []
    misfits: list[int] = []
    absent = set(versions)
    for part in _slices(sorted(versions)):
        for subject in _subjects(connection, part, act):
            state = subject.alert
            absent.discard(state.id)
            if versions[state.id] not in (None, state.change_count):
                raise Moved
            before = bucket(state)
            try:
                made = perform_among(act, subject)
            except Illegal:
                misfits.append(state.id)
                continue
            if made is not None:
                changed.append((subject, made))
                moves.append((before, bucket(state)))
    if absent and any(version is None for version in versions.values()):
        raise Absent(sorted(absent))
    if misfits:
        raise Illegal(_misfit(connection, act, misfits, len(versions)))
    ids = tuple(subject.alert.id for subject, _ in changed)
    return Done(ids, len(versions) - len(absent) - len(ids)), changed, moves


def _misfit(connection: Connection, act: Act, misfits: Sequence[int], many: int) -> str:
    """Why the first does not fit, with who did what to it."""
    (subject,) = _subjects(connection, misfits[:1], act)
    subject.trail = trail(connection, misfits[0])
    try:
        perform_among(act, subject)
    except Illegal as error:
        return f"{error}; {len(misfits)} of {many} do not fit, and nothing was changed"
    raise AssertionError


def _lock(connection: Connection, ids: Iterable[int]) -> None:
    """On PostgreSQL: let nobody else change these rows before the commit. On SQLite nobody else writes."""
    if on_postgres(connection):
        rows_of(connection, ids, _LOCK)


def _subjects(connection: Connection, ids: Sequence[int], act: Act) -> Iterator[Subject]:
    """These Alerts with what the act looks at, in order; of those that exist."""
    here = on_postgres(connection)
    metadata = dict[int, str]()
    if isinstance(act, Amend):
        metadata = {row.alert_id: row.metadata for row in rows_of(connection, ids, _METADATA[here])}
    notes = defaultdict[int, list[Change]](list)
    if isinstance(act, Note):
        for row in rows_of(connection, ids, _NOTES[here]):
            notes[row.alert_id].append(codec.made(row))
    for *state, assignee, successor in sorted(rows_of(connection, ids, _SUBJECTS[here])):
        subject = Subject(codec.state(state), (), successor, assignee)
        if (text := metadata.get(subject.alert.id)) is not None:
            subject.metadata = codec.json(text)
        subject.trail = notes.get(subject.alert.id, ())
        yield subject


def _write(connection: Connection, act: Act, changed: Sequence[tuple[Subject, Change]], *, owes: bool) -> None:
    save(connection, [subject.alert for subject, _ in changed], [made for _, made in changed])
    ids = [subject.alert.id for subject, _ in changed]
    if isinstance(act, Assign):
        connection.execute(update(alert).where(alert.c.id.in_(ids)).values(assignee=act.to))
    elif isinstance(act, Amend):
        setting = update(content).where(content.c.alert_id == bindparam("of")).values(metadata=bindparam("held"))
        held = [(s.alert.id, to_json(s.metadata).decode() if s.metadata else None) for s, _ in changed]
        connection.execute(setting, [{"of": of, "held": text} for of, text in held])
    jobs = [(made.alert_id, made.seq, made.at) for _, made in changed if made.kind in TOLD]
    if jobs and owes:
        _owe(connection, jobs)


def _owe(connection: Connection, jobs: Sequence[tuple[int, int, int]]) -> None:
    """Owe the enrichment of news, as a batch of webhooks does."""
    if on_postgres(connection):
        connection.exec_driver_sql(postgres_sql.INSERT_JOBS, tuple(map(list, zip(*jobs, strict=True))))
        return
    for statement in (sqlite_sql.RENEW_JOB, sqlite_sql.INSERT_JOB):
        for owed in jobs:
            connection.exec_driver_sql(statement, owed)


def _slices(rows: Sequence[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while part := list(islice(left, SLICE)):
        yield part
