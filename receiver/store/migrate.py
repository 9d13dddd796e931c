"""Bring a database to the schema of this version."""

import logging
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from receiver.errors import StoreAway

log = logging.getLogger("alertsage.store")

SCRIPTS = Path(__file__).parent / "migrations"


def config(connection: Connection) -> Config:
    """Alembic's configuration over an open connection; there is no alembic.ini."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.attributes["connection"] = connection
    return made


def newest() -> str:
    """The revision of this version's schema."""
    head = ScriptDirectory(str(SCRIPTS)).get_current_head()
    assert head is not None  # noqa: S101 - there are migrations
    return head


def current(connection: Connection) -> str | None:
    """The revision of the database's schema; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Migrate to the newest schema, or to that one, in the connection's transaction: all of it or nothing.

    Raises StoreAway, saying what is missing, when the database is of a newer alertsage or SQLite lacks FTS5.
    """
    settings = config(connection)
    script = ScriptDirectory.from_config(settings)
    known = {found.revision for found in script.walk_revisions()}
    before, wanted = current(connection), newest() if revision == "head" else revision
    for found in (before, wanted):
        if found is not None and found not in known:
            raise StoreAway(f"the database has schema {found}, of a newer alertsage: upgrade alertsage")
    if before == wanted:
        return
    if connection.dialect.name == "sqlite" and not _has_fts5(connection):
        raise StoreAway("this Python's SQLite has no FTS5, which the label index needs: use another build of Python")
    command.upgrade(settings, wanted)
    log.info("the database has the schema %s now (before: %s)", wanted, before or "none")


def _has_fts5(connection: Connection) -> bool:
    found = connection.exec_driver_sql("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'")
    return found.scalar() is not None
