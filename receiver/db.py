"""What `alertsage db` does: things done to a database beside the server, or instead of it."""

from datetime import timedelta
from pathlib import Path

from receiver.domain import times
from receiver.domain.times import span
from receiver.errors import Mistake, Mistakes
from receiver.offline import once, run
from receiver.settings import Settings
from receiver.store import Connection, Database, archive, health, migrate, sweeps


def upgrade(settings: Settings) -> str:
    """Migrate the database to this version's schema; what was done. Raises Mistakes."""

    def work(connection: Connection) -> str:
        before = migrate.current(connection)
        migrate.upgrade(connection)
        if before == migrate.newest():
            return f"{settings.database.place} has the newest schema, {before}, already"
        return f"{settings.database.place} has the schema {migrate.newest()} now (before: {before or 'none'})"

    return once(settings, work, writing=True)


def check(settings: Settings) -> tuple[str, list[str]]:
    """What is stored, and what is wrong with it, a sentence each. Raises Mistakes."""

    def work(connection: Connection) -> tuple[str, list[str]]:
        wrong = list(health.problems(connection))
        rows = {} if migrate.current(connection) is None else health.figures(connection)
        told = ", ".join(f"{many:,} {what}" for what, many in rows.items()) or "nothing"
        return f"{settings.database.place}: {told}", wrong

    return once(settings, work, writing=False)


def backup(settings: Settings, file: Path) -> str:
    """Write all that is stored into one file, while the server goes on. Raises Mistakes."""
    if file.exists():
        raise Mistakes([Mistake(str(file), 0, "", "is there already: name another file")])

    def work(connection: Connection) -> archive.Held:
        if migrate.current(connection) is None:
            raise Mistakes([settings.mistake(("database", "url"), "holds nothing of alertsage yet")])
        return archive.write(connection, file)

    return f"{file}: {_told(once(settings, work, writing=False))}"


def restore(settings: Settings, file: Path) -> str:
    """Fill an empty database from a backup of either engine. Raises Mistakes."""
    held = once(settings, lambda connection: archive.restore(connection, file), writing=True)
    return f"{settings.database.place} holds {_told(held)}"


def prune(settings: Settings, older: timedelta) -> str:
    """Delete closed alerts that ended longer ago than that, in slices; how many. Raises Mistakes."""

    async def work(database: Database) -> int:
        before, after, gone = times.now() - span(older), 0, 0
        while True:
            at = after
            found = await database.once(lambda c, at=at: sweeps.outlived(c, before, at), writing=False)  # type: ignore[misc]
            if found is None:
                return gone
            ids, after = found
            if ids:
                gone += await database.once(lambda c, ids=ids: sweeps.forget(c, ids), writing=True)  # type: ignore[misc]

    return f"{run(settings, work):,} closed alerts deleted from {settings.database.place}"


def _told(held: archive.Held) -> str:
    return f"{held.rows['alert']:,} alerts and {held.rows['change']:,} changes of {held.made_at} (schema {held.schema})"
