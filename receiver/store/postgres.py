"""PostgreSQL through asyncpg: any number of replicas on one database, none of them special."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from receiver.errors import StoreAway
from receiver.store import migrate
from receiver.store.database import Link
from receiver.store.postgres_link import PostgresLink
from receiver.store.trouble import Again, translated

if TYPE_CHECKING:
    import asyncpg

log = logging.getLogger("alertsage.store")
T = TypeVar("T")

READ_MILLISECONDS = 30_000
MIGRATION_LOCK = 0x616C657274736167
"""The advisory lock that replicas migrate under: any number will do, as long as it stays the same."""


class Postgres:
    """Alerts in one PostgreSQL database, shared by replicas. `timeout` (seconds) bounds connecting and each write."""

    reads_alone = False

    def __init__(self, url: str, password: str | None, *, timeout: float, read_connections: int) -> None:
        self._url = url
        self._password = password
        self._timeout = timeout
        self.readers = self._engine(
            {
                "default_transaction_read_only": "on",
                "statement_timeout": str(READ_MILLISECONDS),
                "lock_timeout": str(round(timeout * 500)),
                # planned for what is sought: the plan for whatever may be sought takes a hundred times as long
                "plan_cache_mode": "force_custom_plan",
                # what is read is mostly in memory or on a disk that need not turn for it
                "random_page_cost": "1.1",
                # what is read is found by key, a part at a time: to compile that takes longer than it saves
                "jit": "off",
            },
            pool_size=read_connections,
            max_overflow=0,
            pool_timeout=10,
            isolation_level="AUTOCOMMIT",
        )

    def _engine(self, settings: dict[str, str], **options: Any) -> AsyncEngine:
        chosen = _ALIVE | settings

        async def connect() -> "asyncpg.Connection[asyncpg.Record]":
            import asyncpg  # noqa: PLC0415 - an extra: only who uses PostgreSQL has it

            async with asyncio.timeout(self._timeout):
                opened = await asyncpg.connect(self._url, password=self._password, timeout=self._timeout)
                try:
                    # set afterwards, because poolers refuse unknown settings at the start
                    await opened.execute("".join(f"SET {name} = '{value}';" for name, value in chosen.items()))
                    await opened.execute(_REMEMBERS_NOTHING)
                    # an acknowledged alert is on the disk, whatever the server's own setting says
                    if await opened.fetchval("SHOW synchronous_commit") == "off":
                        await opened.execute("SET synchronous_commit = on")
                except BaseException:
                    opened.terminate()
                    raise
                return opened

        return create_async_engine("postgresql+asyncpg://", async_creator=connect, **options)

    async def open(self) -> None:
        """See Database. Replicas that start together migrate one after the other; the later find nothing to do."""
        await self.once(migrate.upgrade, writing=True)

    async def once(self, work: Callable[[Connection], T], *, writing: bool) -> T:
        """See Database. Of those that write one goes after the other, on all replicas."""
        settings = (
            {"idle_in_transaction_session_timeout": "60s"} if writing else {"default_transaction_read_only": "on"}
        )
        isolation = {} if writing else {"isolation_level": "REPEATABLE READ"}
        patient = self._engine(settings, poolclass=NullPool, **isolation)
        try:
            with translated():
                async with patient.begin() as connection:
                    if writing:
                        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                    return await connection.run_sync(work)
        finally:
            await patient.dispose()

    async def beside(self, work: Callable[[Connection], T]) -> T:
        """See Database."""

        def done(connection: Connection) -> T:
            migrate.require(connection)
            return work(connection)

        try:
            return await self.once(done, writing=True)
        except Again as again:
            raise StoreAway(str(again)) from again

    def link(self) -> Link:
        """See Database."""
        milliseconds = round(self._timeout * 1000)
        settings = {
            # so that a row held by a replica that was frozen is waited for, but not for ever
            "lock_timeout": str(milliseconds // 2),
            "statement_timeout": str(milliseconds),
            # the server ends the transaction of a replica that was frozen in the middle of it
            "idle_in_transaction_session_timeout": str(milliseconds),
            # the writer's statements are lookups by key, also when the planner has not seen the tables grow
            "enable_seqscan": "off",
            "enable_hashjoin": "off",
            "enable_mergejoin": "off",
            "enable_bitmapscan": "off",
            "jit": "off",
        }
        return PostgresLink(self._engine(settings, poolclass=NullPool), self._timeout)

    async def close(self) -> None:
        """See Database."""
        await self.readers.dispose()


# lookups by key are remembered for nothing: hardly one comes twice. Servers before version 14 do not know it
_REMEMBERS_NOTHING = "SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'enable_memoize'"
_ALIVE = {
    "application_name": "alertsage",
    # a cable that was cut is noticed within half a minute
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
