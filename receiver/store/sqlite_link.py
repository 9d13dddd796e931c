"""The writer's connection to SQLite: one transaction for all webhooks that wait."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, Engine

from receiver.domain import times
from receiver.domain.alert import Alert
from receiver.domain.silences import InForce
from receiver.errors import StoreAway
from receiver.store import codec, silences
from receiver.store import sqlite_sql as sql
from receiver.store.database import Asked, Key, Statements, Written
from receiver.store.filelock import SameFile
from receiver.store.labels import tokens
from receiver.store.plan import Content

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

KNOWN = 10_000
"""Rows that the writer remembers: some 15 MB."""
QUICK_SECONDS = 0.003
"""A look-up below this hardly asked the disk: the next one may hold the event loop."""
BUSY_PAUSE = 0.01
"""Seconds between two looks at a locked file."""
LOCKED = "the database cannot be used now: another program holds its file (database is locked)"


class SqliteLink:
    """Statements of a batch run on the event loop: a thread of their own would fight it for the interpreter at each of
    their steps. What may wait for the disk or for other programs (opening, looking up, COMMIT) runs in a thread."""

    def __init__(self, engine: Engine, file: SameFile, busy_timeout: float) -> None:
        self._engine = engine
        self._file = file
        self._busy_timeout = busy_timeout
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="alertsage-writer")
        self._connection: Connection | None = None
        self._newest = 0
        self._quick = True
        """Whether looking up was quick the last time: then the disk is hardly asked, and the event loop can do it."""
        self._known: dict[Key, Alert] = {}
        """Rows as they are in the database, for repeats: nobody else writes to it."""

    async def transact(self, work: Callable[[Connection], T]) -> T:
        return await self._aside(self._transact, work)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        connection = self._open()
        self._known.clear()  # an operation may change any row
        with connection.begin():
            return work(connection)

    async def batch(self, asked: Asked, work: Callable[[Statements], T]) -> T:
        unknown = [key for key in asked.keys if key not in self._known]
        if self._quick and self._began():
            deliveries = self._look_up(unknown, asked.deliveries)
        else:
            deliveries = await self._aside(self._begin, unknown, asked.deliveries)
        driver = self._driver()
        try:
            latest = [self._known[key] for key in asked.keys if key in self._known]
            memory = _Memory(self._known, self._remembers, self._new_id)
            statements = _Statements(driver.cursor(), memory, latest, deliveries)
            result = work(statements)
            if statements.wrote:
                await self._aside(driver.execute, "COMMIT")
            else:
                driver.execute("ROLLBACK")
        except BaseException:
            self._known.clear()  # they have been changed, the database has not
            if driver.in_transaction:
                await self._aside(driver.execute, "ROLLBACK")
            raise
        while len(self._known) > KNOWN:
            del self._known[next(iter(self._known))]
        return result

    async def _aside(self, call: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    def _began(self) -> bool:
        """True when a transaction has begun at once."""
        if self._connection is None:
            return False
        self._file.check()
        return begin(self._driver(), 0)

    def _begin(self, keys: Sequence[Key], deliveries: Sequence[Key]) -> set[Key]:
        """Begin a transaction and look up the latest rows of these keys; returns which of the deliveries are known."""
        self._open()
        driver = self._driver()
        if not begin(driver, self._busy_timeout):
            raise StoreAway(LOCKED)
        return self._look_up(keys, deliveries)

    def _look_up(self, keys: Sequence[Key], deliveries: Sequence[Key]) -> set[Key]:
        began = time.perf_counter()
        driver = self._driver()
        try:
            cursor = driver.cursor()
            for alert in _latest(cursor, keys):
                self._known[alert.source, alert.fingerprint] = alert
            known = {key for key in deliveries if cursor.execute(sql.SELECT_DELIVERY, key).fetchone()}
        except BaseException:
            if driver.in_transaction:  # SQLite itself has ended it after some failures
                driver.execute("ROLLBACK")
            raise
        self._quick = time.perf_counter() - began < QUICK_SECONDS
        return known

    @property
    def _remembers(self) -> dict[Any, Any]:
        assert self._connection is not None  # noqa: S101 - it has been opened
        return self._connection.info

    def _driver(self) -> sqlite3.Connection:
        assert self._connection is not None  # noqa: S101 - it has been opened
        driver = self._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - our own engine's
        return driver

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

    async def close(self) -> None:
        # after a failure the connection's state is not trusted, and the numbers it gave out are read anew
        await self._aside(self._close)

    def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._known.clear()
            try:
                connection.close()
            except Exception as error:  # noqa: BLE001 - a connection that cannot even be closed is gone all the same
                log.warning("closing the database connection failed: %s", error)


def begin(driver: sqlite3.Connection, seconds: float) -> bool:
    """Begin to write, as soon as no other program does so; False when one does for longer than so many seconds.

    SQLite's own way of waiting would hold whoever begins: on the event loop nobody waits at all.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if not (error.sqlite_errorname or "").startswith("SQLITE_BUSY"):
                raise
            if time.monotonic() >= until:
                return False
            time.sleep(BUSY_PAUSE)
        else:
            return True


def _latest(cursor: sqlite3.Cursor, keys: Sequence[Key]) -> Iterator[Alert]:
    """The latest row of each of these keys, and of others with the same fingerprints."""
    wanted: list[str | None] = sorted({key[1] for key in keys})  # type: ignore[assignment]
    while wanted:
        size = next((size for size in sql.STATE_SIZES if size >= len(wanted)), sql.STATE_SIZES[-1])
        part, wanted = wanted[:size], wanted[size:]
        part += [None] * (size - len(part))
        (found,) = cursor.execute(sql.select_states(size), part).fetchone()
        for row in from_json(found):
            row[_DIGEST] = bytes.fromhex(row[_DIGEST])
            yield codec.state(row)


_DIGEST = codec.STATE.index("digest")


@dataclass(slots=True)
class _Memory:
    """What the link knows without asking."""

    rows: dict[Key, Alert]
    info: dict[Any, Any]
    """Of the connection: silences in force, until somebody writes silences over it."""
    new_id: Callable[[], int]


class _Statements:
    def __init__(self, cursor: sqlite3.Cursor, memory: "_Memory", latest: Sequence[Alert], known: Set[Key]) -> None:
        self._cursor = cursor
        self._memory = memory
        self.new_id = memory.new_id
        self.latest = latest
        self.known = known
        self.wrote = False

    @property
    def silences(self) -> InForce:
        held: InForce | None = self._memory.info.get(silences.HELD)
        if held is None:
            rows = self._cursor.execute(f"{silences.IN_FORCE}? ORDER BY id", (times.now(),)).fetchall()
            held = self._memory.info[silences.HELD] = InForce(silences.loaded(rows))
        return held

    def raw(self, alert_id: int) -> bytes:
        found: bytes = self._cursor.execute(sql.SELECT_RAW, (alert_id,)).fetchone()[0]
        return found

    def write(self, written: Written) -> None:
        self.wrote = True
        run = self._cursor.executemany
        self._memory.rows.update({(made.source, made.fingerprint): made for made, latest, _ in written.new if latest})
        if written.demoted:
            run(sql.DEMOTE, [(alert_id,) for alert_id in written.demoted])
        self._insert(
            sql.INSERT_ALERT, [(*(row := codec.row(made))[:3], latest, *row[3:]) for made, latest, _ in written.new]
        )
        described = [(made.id, content) for made, _, content in written.new if content]
        self._insert(sql.INSERT_CONTENT, [(alert_id, *codec.content(content)) for alert_id, content in described])
        self._insert(sql.INSERT_LABELS, [(alert_id, tokens(content.labels)) for alert_id, content in described])
        if written.changed:
            run(sql.UPDATE_STATE, [(*codec.row(changed)[codec.FIXED :], changed.id) for changed in written.changed])
        if written.touched:
            self._cursor.execute(sql.TOUCH, (to_json([codec.touched(one) for one in written.touched]).decode(),))
        for alert_id, content in written.contents:
            self._replace_content(alert_id, content)
        self._insert(sql.INSERT_CHANGE, [codec.change(made) for made in written.changes])
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
