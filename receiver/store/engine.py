"""SQLite connections: one for the writer, a few for readers, and one lock on the file."""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from receiver.errors import StoreAway

PAGE_CACHE_KIB = 64 * 1024
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


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreAway, with one plain sentence, for what passes without our doing: locked, full, unreadable."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        if is_away(error):
            raise StoreAway(_sentence(error)) from error
        raise
    except PoolTimeout as error:
        raise StoreAway("too many reads wait for the database (database.read_connections)") from error
    except DBAPIError as error:
        if isinstance(error.orig, BaseException) and is_away(error.orig):
            raise StoreAway(_sentence(error.orig)) from error
        raise


_AWAY = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_READONLY",
    "SQLITE_PERM",
    "SQLITE_NOMEM",
    "SQLITE_NOTADB",
    "SQLITE_CORRUPT",
)


def is_away(error: BaseException) -> bool:
    """True when the database could not be used, as against a statement or value that it refuses."""
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith(_AWAY) or (not name and isinstance(error, sqlite3.OperationalError))


def _sentence(error: BaseException) -> str:
    return f"the database cannot be used now: {error}"


def make_private(path: Path) -> None:
    """Make the file if it is not there, readable by nobody else: SQLite would ask nobody. Raises StoreAway."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreAway(f"{path} cannot be opened: {error.strerror}") from error


def unusable(path: Path) -> str | None:
    """Why no waiting will make this file a database of ours, in one phrase; None when it may become one."""
    if path.is_dir():
        return f"{path} is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} is not there"
    try:
        with path.open("rb") as file:
            begin = file.read(16)
    except OSError as error:
        return None if isinstance(error, FileNotFoundError) else f"{path} cannot be read: {error.strerror}"
    return None if begin in (b"", b"SQLite format 3\0") else f"{path} is not an SQLite database"


class FileLock:
    """Holds `<database>.lock` for this process: two processes on one SQLite file would hand out the same numbers.

    The system lets go of it when the process ends, however it ends.
    """

    def __init__(self, database: Path) -> None:
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None
        self._seen: tuple[int, int] | None = None

    def take(self) -> None:
        """Raises StoreAway while another process has it or the folder cannot be written."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreAway(f"{self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise StoreAway(f"another alertsage uses this database ({self._path} is locked): stop it first") from None
        self._file = file

    def release(self) -> None:
        """Let go of the file, if held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def check(self, database: Path) -> None:
        """Raises StoreAway when the file at `database` is no longer the one first seen: what is written now is lost."""
        try:
            found = database.stat()
        except OSError as error:
            raise StoreAway(f"{database} is gone ({error.strerror}): put it back or restart alertsage") from error
        seen = (found.st_dev, found.st_ino)
        if self._seen not in (None, seen):
            raise StoreAway(f"{database} was replaced while in use: restart alertsage")
        self._seen = seen
