"""Databases filled directly, row by row: quicker than through webhooks."""

import asyncio
from collections.abc import Callable

from sqlalchemy import Connection, text

from receiver.settings.model import Database
from receiver.store import migrate, open_database
from receiver.store.rows import on_postgres


def fill(url: str, work: Callable[[Connection], None]) -> None:
    """Make a new database at that address and let `work` write its alerts, in one transaction."""

    def filled(connection: Connection) -> None:
        migrate.upgrade(connection)
        work(connection)
        if on_postgres(connection):
            connection.execute(text("SELECT setval('alert_id_seq', (SELECT max(id) FROM alert))"))

    async def once() -> None:
        database = open_database(Database(url=url))
        try:
            await database.once(filled, writing=True)
        finally:
            await database.close()

    asyncio.run(once())
