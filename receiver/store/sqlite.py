"""SQLite: one connection for the writer, a few for readers, and one process on the file."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from receiver.errors import StoreAway
from receiver.store import migrate
from receiver.store.database import Link
from receiver.store.filelock import FileLock, SameFile, make_private
from receiver.store.sqlite_link import LOCKED, SqliteLink, begin
from receiver.store.trouble import translated

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

PAGE_CACHE_KIB = 64 * 1024
WAL_LIMIT_BYTES = 64 * 1024 * 1024


def write_engine(path: Path, busy_timeout: float) -> Engine:
    """The writer's engine: durable at every commit, `BEGIN IMMEDIATE`, waiting at most `busy_timeout` seconds.

    Only one connection of it is ever open, and used by one thread at a time.
    """
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": 0, "isolation_level": None, "check_same_thread": False},
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
    def begin_writing(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - our own engine's
        if not begin(driver, busy_timeout):
            raise StoreAway(LOCKED)

    return engine


def snapshot_engine(path: Path) -> Engine:
    """An engine for long reads: a transaction of it sees one moment, and nobody waits for it."""
    engine = create_engine(
        f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true",
        connect_args={"isolation_level": None},
        poolclass=NullPool,
    )

    @event.listens_for(engine, "begin")
    def begin_reading(connection: Connection) -> None:
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
        self._busy_timeout = busy_timeout
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

    async def beside(self, work: Callable[[Connection], T]) -> T:
        """See Database."""
        return await asyncio.to_thread(self._beside, work)

    def _beside(self, work: Callable[[Connection], T]) -> T:
        make_private(self._path)
        with translated(), self._writers.connect() as connection, connection.begin():
            migrate.require(connection)
            return work(connection)

    def link(self) -> Link:
        """See Database."""
        return SqliteLink(self._writers, SameFile(self._path), self._busy_timeout)

    async def close(self) -> None:
        """See Database."""
        await self.readers.dispose()
        self._writers.dispose()
        self._lock.release()
