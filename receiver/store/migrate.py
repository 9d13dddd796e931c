"""Bring a database to the schema of this version.

A new one is made from `tables` at once. Alembic is imported only when there is something to migrate: it is a tenth of
the memory of an idle server.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, String, column, insert, inspect, table, text

from receiver.errors import StoreAway
from receiver.store.tables import LABEL_INDEX, label_row, metadata

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger("alertsage.store")

SCRIPTS = Path(__file__).parent / "migrations"


NEWEST = "0006"
"""The revision of this version's schema, the last of those under SCRIPTS (a test compares the two)."""


def config(connection: Connection) -> "Config":
    """Alembic's configuration over an open connection; there is no alembic.ini."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made


def newest() -> str:
    """The revision of this version's schema."""
    return NEWEST


def current(connection: Connection) -> str | None:
    """The revision of the database's schema; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate to the newest schema, or to that one, in the connection's transaction: all of it or nothing.

    Raises StoreAway, saying what is missing, when the database is of a newer alertsage or SQLite lacks FTS5.
    """
    before, wanted = current(connection), newest() if revision == "head" else revision
    if before == wanted == newest():
        return
    if connection.dialect.name == "sqlite" and not _has_fts5(connection):
        raise StoreAway("this Python's SQLite has no FTS5, which the label index needs: use another build of Python")
    if before is None and wanted == newest():
        _create(connection)
    else:
        _migrate(connection, before, wanted)
    log.info("the database has the schema %s now (before: %s)", current(connection), before or "none")


def _create(connection: Connection) -> None:
    """What all migrations make of an empty database (a test compares the two)."""
    metadata.create_all(connection, checkfirst=False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(LABEL_INDEX)
    else:
        label_row.create(connection, checkfirst=False)
    version = "version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"
    connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS alembic_version ({version})")
    connection.execute(insert(table("alembic_version", column("version_num", String))).values(version_num=newest()))


def _migrate(connection: Connection, before: str | None, wanted: str) -> None:
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = config(connection)
    known = {found.revision for found in ScriptDirectory.from_config(settings).walk_revisions()}
    for found in (before, wanted):
        if found is not None and found not in known:
            raise StoreAway(f"the database has schema {found}, of a newer alertsage: upgrade alertsage")
    if before != wanted:
        command.upgrade(settings, wanted)


def require(connection: Connection) -> None:
    """See that the schema is this version's; an empty database gets it. Raises StoreAway for another's."""
    found = current(connection)
    if found is None:
        upgrade(connection)
    elif found != newest():
        raise StoreAway(f"its schema is {found}, this version's is {newest()}: run `alertsage db upgrade`")


def _has_fts5(connection: Connection) -> bool:
    found = connection.exec_driver_sql("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    return found.scalar() is not None
