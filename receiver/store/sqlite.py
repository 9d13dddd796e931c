"""SQLite: one connection for the writer, a few for readers, and one process on the file."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from receiver.domain.alert import Alert
from receiver.errors import StoreAway
from receiver.store import codec, migrate
from receiver.store import sqlite_sql as sql
from receiver.store.database import Key, Link, Statements, Written
from receiver.store.filelock import FileLock, SameFile, make_private
from receiver.store.labels import tokens
from receiver.store.plan import Content
from receiver.store.trouble import translated

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

PAGE_CACHE_KIB = 64 * 1024
KNOWN = 10_000
"""Rows that the writer remembers: some 15 MB."""
WAL_LIMIT_BYTES = 64 * 1024 * 1024


def write_engine(path: Path, busy_timeout: float) -> Engine:
    """The writer's engine: durable at every commit, `BEGIN IMMEDIATE`, waiting at most `busy_timeout` seconds.

    Only one connection of it is ever open, in the writer's thread.
    """
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": busy_timeout, "isolation_level": None},
        poolclass=NullPool,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            f"cache_size = -{PAGE_CACHE_KIB}",
            f"journal_size_limit = {WAL_LIMIT_BYTES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def snapshot_engine(path: Path) -> Engine:
    """An engine for long reads: a transaction of it sees one moment, and nobody waits for it."""
    engine = create_engine(
        f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true",
        connect_args={"isolation_level": None},
        poolclass=NullPool,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


def read_engine(path: Path, connections: int, busy_timeout: float) -> AsyncEngine:
    """The readers' engine: it cannot write, and under WAL it neither waits for the writer nor makes it wait."""
    # mode=rw: a connection that reads must not make a new, empty file where one was deleted
    engine = create_async_engine(
        f"sqlite+aiosqlite:///file:{quote(str(path))}?mode=rw&uri=true",
        pool_size=connections,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"timeout": busy_timeout},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    return engine


class Sqlite:
    """Alerts on one SQLite file, of one process at a time: two would hand out the same numbers."""

    reads_alone = True

    def __init__(self, path: Path, *, busy_timeout: float, read_connections: int) -> None:
        self.readers = read_engine(path, read_connections, busy_timeout)
        self._path = path
        self._writers = write_engine(path, busy_timeout)
        file = path.with_name(path.name + ".lock")
        self._lock = FileLock(file, f"another alertsage uses this database ({file} is locked): stop it first")

    async def open(self) -> None:
        """See Database."""
        await asyncio.to_thread(self._open)

    def _open(self) -> None:
        self._lock.take()
        try:
            make_private(self._path)
            with translated(), self._writers.connect() as connection, connection.begin():
                migrate.upgrade(connection)
        except BaseException:
            self._lock.release()
            raise

    async def once(self, work: Callable[[Connection], T], *, writing: bool) -> T:
        """See Database."""
        return await asyncio.to_thread(self._once, work, writing)

    def _once(self, work: Callable[[Connection], T], writing: bool) -> T:
        if not writing and not self._path.exists():
            raise StoreAway(f"{self._path} is not there")
        if writing:
            self._lock.take()
            make_private(self._path)
        engine = self._writers if writing else snapshot_engine(self._path)
        with translated(), engine.connect() as connection, connection.begin():
            return work(connection)

    def link(self) -> Link:
        """See Database."""
        return _Link(self._writers, SameFile(self._path))

    async def close(self) -> None:
        """See Database."""
        await self.readers.dispose()
        self._writers.dispose()
        self._lock.release()


class _Link:
    def __init__(self, engine: Engine, file: SameFile) -> None:
        self._engine = engine
        self._file = file
        self._connection: Connection | None = None
        self._newest = 0
        self._known: dict[Key, Alert] = {}
        """Rows as they are in the database, for repeats: nobody else writes to it."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        connection = self._open()
        self._known.clear()  # an operation may change any row
        with connection.begin():
            return work(connection)

    def batch(self, work: Callable[[Statements], T]) -> T:
        driver = self._open().connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - our own engine's
        driver.execute("BEGIN IMMEDIATE")
        try:
            result = work(_Statements(driver.cursor(), self._new_id, self._known))
            driver.execute("COMMIT")
        except BaseException:
            self._known.clear()  # they have been changed, the database has not
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            raise
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return result

    def _open(self) -> Connection:
        self._file.check()
        return self._connection or self._connect()

    def _connect(self) -> Connection:
        connection = self._engine.connect()
        newest = connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'alert'").scalar()
        connection.rollback()
        self._connection, self._newest = connection, newest or 0
        return connection

    def _new_id(self) -> int:
        self._newest += 1
        return self._newest

    def close(self) -> None:
        # after a failure the connection's state is not trusted, and the numbers it gave out are read anew
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._known.clear()
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001 - a connection that cannot even be closed is gone all the same
                log.warning("closing the database connection failed: %s", error)


_DIGEST = codec.STATE.index("digest")


class _Statements:
    def __init__(self, cursor: sqlite3.Cursor, new_id: Callable[[], int], known: dict[Key, Alert]) -> None:
        self._cursor = cursor
        self._known = known
        self.new_id = new_id

    def known(self, deliveries: Collection[Key]) -> set[Key]:
        return {key for key in deliveries if self._cursor.execute(sql.SELECT_DELIVERY, key).fetchone()}

    def latest(self, keys: Sequence[Key]) -> Iterator[Alert]:
        yield from (self._known[key] for key in keys if key in self._known)
        wanted: list[str | None] = sorted({key[1] for key in keys if key not in self._known})  # type: ignore[assignment]
        while wanted:
            size = next((size for size in sql.STATE_SIZES if size >= len(wanted)), sql.STATE_SIZES[-1])
            part, wanted = wanted[:size], wanted[size:]
            part += [None] * (size - len(part))
            (found,) = self._cursor.execute(sql.select_states(size), part).fetchone()
            for row in from_json(found):
                row[_DIGEST] = bytes.fromhex(row[_DIGEST])
                alert = codec.state(row)
                if (alert.source, alert.fingerprint) not in self._known:
                    self._known[alert.source, alert.fingerprint] = alert
                    yield alert

    def raw(self, alert_id: int) -> bytes:
        found: bytes = self._cursor.execute(sql.SELECT_RAW, (alert_id,)).fetchone()[0]
        return found

    def write(self, written: Written) -> None:
        run = self._cursor.executemany
        self._known.update({(made.source, made.fingerprint): made for made, latest, _ in written.new if latest})
        if written.demoted:
            run(sql.DEMOTE, [(alert_id,) for alert_id in written.demoted])
        self._insert(
            sql.INSERT_ALERT, [(*(row := codec.row(made))[:3], latest, *row[3:]) for made, latest, _ in written.new]
        )
        described = [(made.id, content) for made, _, content in written.new if content]
        self._insert(sql.INSERT_CONTENT, [(alert_id, *codec.content(content)) for alert_id, content in described])
        self._insert(sql.INSERT_LABELS, [(alert_id, tokens(content.labels)) for alert_id, content in described])
        if written.changed:
            run(sql.UPDATE_STATE, [(*codec.row(changed)[3:], changed.id) for changed in written.changed])
        if written.touched:
            self._cursor.execute(sql.TOUCH, (to_json([codec.touched(one) for one in written.touched]).decode(),))
        for alert_id, content in written.contents:
            self._replace_content(alert_id, content)
        self._insert(
            sql.INSERT_CHANGE, [(c.alert_id, c.seq, c.at, c.kind.value, c.who, c.why) for c in written.changes]
        )
        if written.jobs:
            run(sql.RENEW_JOB, written.jobs)
            run(sql.INSERT_JOB, written.jobs)
        self._insert(sql.INSERT_QUARANTINED, written.quarantined)
        self._insert(sql.INSERT_DELIVERY, written.deliveries)
        self._insert(sql.HEARD, written.voices)
        self._insert(sql.COUNT, written.counts)

    def _insert(self, statement: sql.Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        for text, values in statement.statements(rows):
            self._cursor.execute(text, values)

    def _replace_content(self, alert_id: int, content: Content) -> None:
        """Write what is shown anew; the label index follows if the labels differ (a sender's own fingerprint)."""
        (before,) = self._cursor.execute("SELECT labels FROM content WHERE alert_id = ?", (alert_id,)).fetchone()
        if before != content.labels_json:
            self._cursor.execute(sql.DELETE_LABELS, (alert_id, tokens(codec.json(before))))
            self._insert(sql.INSERT_LABELS, [(alert_id, tokens(content.labels))])
        self._cursor.execute(sql.UPDATE_CONTENT, (*codec.content(content), alert_id))
