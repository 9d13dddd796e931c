"""Backups: all tables of one moment as one file that either engine can be restored from.

The file is gzip over lines of JSON: first what it is, then for each table a line with its name and columns and a line a
row, at last how many rows there are. What was cut off, or is something else, is refused. The label index is made anew.
"""

import base64
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, LargeBinary, MetaData, Table, func, insert, select, text

from receiver.domain import times
from receiver.domain.times import rfc3339
from receiver.errors import Mistake, Mistakes
from receiver.store import codec, migrate
from receiver.store.rows import index_labels, on_postgres
from receiver.store.tables import alert, metadata

FORMAT = "alertsage backup"
AT_ONCE = 500
"""Rows written in one statement."""


@dataclass(slots=True)
class Held:
    """What a backup holds."""

    made_at: str = ""
    schema: str = ""
    rows: dict[str, int] = field(default_factory=dict)
    """By table."""


def write(connection: Connection, file: Path) -> Held:
    """Write a backup of what this connection's transaction sees; the file appears when it is whole.

    Raises Mistakes for a file that cannot be written.
    """
    held = Held(rfc3339(times.now()), migrate.current(connection) or "")
    unfinished = file.with_name(f"{file.name}.part")
    try:
        with gzip.open(unfinished, "wb", compresslevel=1) as out:
            about = {"format": FORMAT, "version": version("alertsage"), "made_at": held.made_at, "schema": held.schema}
            out.write(to_json(about) + b"\n")
            for table in metadata.sorted_tables:
                out.write(to_json({"table": table.name, "columns": table.c.keys()}) + b"\n")
                rows = connection.execution_options(stream_results=True, yield_per=AT_ONCE).execute(select(table))
                held.rows[table.name] = sum(out.write(_line(row)) > 0 for row in rows)
            out.write(to_json({"rows": held.rows}) + b"\n")
        unfinished.rename(file)
    except OSError as error:
        raise Mistakes([Mistake(str(file), 0, "", f"cannot be written: {error.strerror}")]) from None
    finally:
        unfinished.unlink(missing_ok=True)
    return held


def _line(row: Any) -> bytes:
    values = [base64.b64encode(value).decode() if isinstance(value, bytes) else value for value in row]
    return to_json(values) + b"\n"


def restore(connection: Connection, file: Path) -> Held:
    """Fill an empty database from a backup, in the connection's transaction: all of it or nothing.

    Raises Mistakes for a file that is no whole backup, and for a database that is not empty.
    """
    with _opened(file) as lines:
        about = _told(file, next(lines, b"{}"))
        if about.get("format") != FORMAT:
            raise Mistakes([Mistake(str(file), 1, "", "is no backup that alertsage made")])
        if migrate.current(connection) not in (None, about["schema"]):
            raise Mistakes([Mistake(str(file), 0, "", "the database has another schema: restore into a new one")])
        migrate.upgrade(connection, about["schema"])
        if connection.execute(select(func.count()).select_from(alert)).scalar():
            raise Mistakes([Mistake(str(file), 0, "", "the database is not empty: restore into a new one")])
        held = Held(about["made_at"], about["schema"])
        whole = _fill(connection, file, lines, held)
    if not whole:
        raise Mistakes([Mistake(str(file), 0, "", "is cut off: it lacks its end")])
    _after(connection)
    return held


def _fill(connection: Connection, file: Path, lines: Iterator[bytes], held: Held) -> bool:
    """Insert all rows; True when the end of the backup agrees with them."""
    stored, table, waiting = MetaData(), None, list[dict[str, Any]]()

    def insert_waiting() -> None:
        if table is not None and waiting:
            connection.execute(insert(table), waiting)
            held.rows[table.name] += len(waiting)
            waiting.clear()

    for line in lines:
        told = _told(file, line)
        if isinstance(told, list) and table is not None:
            waiting.append(_row(table, told))
            if len(waiting) >= AT_ONCE:
                insert_waiting()
        elif isinstance(told, dict) and "table" in told:
            insert_waiting()
            table = _columns(Table(told["table"], stored, autoload_with=connection), told["columns"])
            held.rows[table.name] = 0
        else:
            insert_waiting()
            return isinstance(told, dict) and told.get("rows") == held.rows
    return False


def _columns(table: Table, names: list[str]) -> Table:
    table.info["columns"] = names
    return table


def _row(table: Table, values: list[Any]) -> dict[str, Any]:
    return {
        name: base64.b64decode(value) if isinstance(table.c[name].type, LargeBinary) and value is not None else value
        for name, value in zip(table.info["columns"], values, strict=True)
    }


def _after(connection: Connection) -> None:
    """What the rows do not bring with them: the newest schema, the label index, numbers that go on behind theirs."""
    migrate.upgrade(connection)
    last = 0
    while labels := index_labels(connection, last, AT_ONCE):
        last = labels
    if on_postgres(connection):
        for table in ("alert", "job", "quarantine", "silence", "token"):
            newest = f"(SELECT coalesce(max(id), 0) + 1 FROM {table})"  # noqa: S608
            connection.execute(text(f"SELECT setval('{table}_id_seq', {newest}, false)"))


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[bytes]]:
    try:
        with gzip.open(file, "rb") as lines:
            yield iter(lines)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Mistakes([Mistake(str(file), 0, "", f"is no whole backup: {error}")]) from None
    except OSError as error:
        raise Mistakes([Mistake(str(file), 0, "", f"cannot be read: {error.strerror}")]) from None


def _told(file: Path, line: bytes) -> Any:
    try:
        return codec.json(line)
    except ValueError as error:
        raise Mistakes([Mistake(str(file), 0, "", f"is no backup that alertsage made: {error}")]) from None
