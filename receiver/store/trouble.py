"""What databases complain of, told apart once: away (try later), again (try at once), or a fault of ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from receiver.errors import StoreAway

_SQLITE_AWAY = (
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
_POSTGRES_AGAIN = ("40001", "40P01", "23505")
"""Serialisation failure, deadlock, and a key that another replica inserted meanwhile."""
_POSTGRES_AWAY = ("08", "25006", "25P03", "28", "3D000", "42501", "53", "55P03", "57", "58", "XX001", "XX002")
"""Classes and codes of PostgreSQL's appendix A: connection, read-only, idle too long, refused, no such database, no
privilege, out of something, locked, shut down or cancelled, the system's own errors, corrupted."""


class Again(Exception):  # noqa: N818 - what to do, not a fault
    """Another replica was quicker: the same transaction may well succeed when it is tried anew."""


@contextmanager
def translated() -> Iterator[None]:
    """Raise StoreAway, with one plain sentence, or Again for what passes without our doing; the rest as it is."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreAway("too many reads wait for the database (database.read_connections)") from error
    except Exception as error:
        verdict = judge(error)
        if verdict is None:
            raise
        raise verdict from error


def judge(error: BaseException) -> StoreAway | Again | None:
    """What an error of a driver means; None when it is not one that passes."""
    origin = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    state = getattr(origin, "sqlstate", None)
    if state:
        if state.startswith(_POSTGRES_AGAIN):
            return Again(f"the database wants it tried again: {_first_line(origin)}")
        return _away(origin) if state.startswith(_POSTGRES_AWAY) else None
    if isinstance(origin, sqlite3.Error):
        return _away(origin) if _sqlite_away(origin) else None
    if isinstance(origin, TimeoutError):
        return StoreAway("the database cannot be used now: it does not answer")
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    # asyncpg raises its own InterfaceError when a connection ends under it, and OSError when there is none
    if (
        lost
        or isinstance(origin, OSError)
        or type(origin).__name__ in {"InterfaceError", "ConnectionDoesNotExistError"}
    ):
        return _away(origin)
    return None


def _sqlite_away(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", None) or ""
    return name.startswith(_SQLITE_AWAY) or (not name and isinstance(error, sqlite3.OperationalError))


def _away(error: BaseException) -> StoreAway:
    return StoreAway(f"the database cannot be used now: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    # SQLAlchemy puts the driver's class in front of what it says
    lines = str(error).splitlines() or [type(error).__name__]
    return lines[0].split(">: ", 1)[-1]
