"""Commands on the database, run beside the server or instead of it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from receiver.errors import Mistakes, StoreAway
from receiver.settings import Settings
from receiver.store import Connection, Database, open_database, unusable

T = TypeVar("T")


def once(settings: Settings, work: Callable[[Connection], T], *, writing: bool) -> T:
    """Run `work` in one transaction, however long it takes. Raises Mistakes when the database is not to be had."""
    return run(settings, lambda database: database.once(work, writing=writing))


def beside(settings: Settings, work: Callable[[Connection], T]) -> T:
    """Run a short `work` in one transaction, also while a server works on the database. Raises Mistakes as `once`."""
    return run(settings, lambda database: database.beside(work))


def run(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    """Run `work` with the database that the settings name, and close it. Raises Mistakes as `once` does."""

    async def done() -> T:
        database = open_database(settings.database)
        try:
            return await work(database)
        finally:
            await database.close()

    if settings.database.path and (problem := unusable(settings.database.path)):
        raise Mistakes([settings.mistake(("database", "url"), problem)])
    try:
        return asyncio.run(done())
    except StoreAway as away:
        raise Mistakes([settings.mistake(("database", "url"), str(away))]) from None
