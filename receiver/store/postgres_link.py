"""The writer's connection to PostgreSQL: one transaction for all webhooks that wait."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from receiver.domain import times
from receiver.domain.alert import Alert
from receiver.domain.silences import InForce
from receiver.errors import StoreAway
from receiver.store import codec, silences
from receiver.store import postgres_sql as sql
from receiver.store.database import Asked, Key, Statements, Written
from receiver.store.labels import number
from receiver.store.plan import Content

log = logging.getLogger("alertsage.store")
T = TypeVar("T")


class PostgresLink:
    """On the server's own event loop: what waits for the database holds nobody up."""

    def __init__(self, engine: AsyncEngine, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds
        self._connection: AsyncConnection | None = None
        self._silences = _Silences()

    async def batch(self, asked: Asked, work: Callable[[Statements], T]) -> T:
        return await self._transact(lambda connection: work(_Statements(connection, asked, self._silences)))

    async def transact(self, work: Callable[[Connection], T]) -> T:
        return await self._transact(work)

    async def _transact(self, work: Callable[[Connection], T]) -> T:
        connection, raw = await self._open()
        # Cut, not cancelled: to cancel a statement, a driver talks to the server, which may not listen.
        cut = asyncio.get_running_loop().call_later(self._seconds, raw.terminate)
        try:
            result = await connection.run_sync(work)
            await connection.commit()
        except BaseException as error:
            if raw.is_closed():
                await self._drop()
                if cut.when() <= asyncio.get_running_loop().time():
                    raise StoreAway(f"the database did not answer within {self._seconds:g} s") from error
            else:
                await connection.rollback()
            raise
        else:
            return result
        finally:
            cut.cancel()

    async def _open(self) -> tuple[AsyncConnection, Any]:
        """The connection and the driver's own; a new one, if the server has closed the last."""
        if self._connection is not None:
            raw = (await self._connection.get_raw_connection()).driver_connection
            if raw is not None and not raw.is_closed():
                return self._connection, raw
            await self._drop()
        async with asyncio.timeout(self._seconds * 2):
            self._connection = await self._engine.connect()
        return self._connection, (await self._connection.get_raw_connection()).driver_connection

    async def _drop(self) -> None:
        """Cut the connection without a word to the server, which may not listen."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            raw = await connection.get_raw_connection()
            raw.driver_connection.terminate()  # type: ignore[union-attr]
            await connection.invalidate()
            await connection.close()
        except Exception as error:  # noqa: BLE001 - a connection that cannot even be closed is gone all the same
            log.debug("closing the database connection failed: %s", error)

    async def close(self) -> None:
        await self._drop()


@dataclass(slots=True)
class _Silences:
    """The silences in force, and the stamp by which each transaction tells whether they still are."""

    stamp: int | None = None
    known: InForce | None = None


class _Statements:
    def __init__(self, connection: Connection, asked: Asked, remembered: _Silences) -> None:
        self._run = connection.exec_driver_sql
        self._remembered = remembered
        self._stamp: int | None = None
        self._ids: deque[int] = deque()
        self.known: Set[Key] = self._known(asked.deliveries)
        self.latest: Sequence[Alert] = list(self._latest(asked.keys))

    def _known(self, deliveries: Sequence[Key]) -> set[Key]:
        if not deliveries:
            return set()
        found = self._run(sql.SELECT_DELIVERIES, tuple(map(list, zip(*deliveries, strict=True))))
        return {(source, key) for source, key in found}

    def _latest(self, keys: Sequence[Key]) -> Iterator[Alert]:
        if not keys:
            return
        for row in self._run(sql.SELECT_LATEST, tuple(map(list, zip(*keys, strict=True)))):
            *state, new_id, self._stamp = row
            if new_id is not None:
                self._ids.append(new_id)
            if state[0] is not None:
                yield codec.state(state)

    @property
    def silences(self) -> InForce:
        held = self._remembered
        if held.known is None or held.stamp != self._stamp:
            rows = self._run(f"{silences.IN_FORCE}$1 ORDER BY id", (times.now(),)).all() if self._stamp else ()
            held.stamp, held.known = self._stamp, InForce(silences.loaded(rows))
        return held.known

    def raw(self, alert_id: int) -> bytes:
        found: bytes = self._run(sql.SELECT_RAW, (alert_id,)).scalar_one()
        return found

    def new_id(self) -> int:
        if not self._ids:
            self._ids.append(self._run(sql.NEXT_ID).scalar_one())
        return self._ids.popleft()

    def write(self, written: Written) -> None:
        if written.demoted:
            self._run(sql.DEMOTE, (written.demoted,))
        if written.changed:
            rows = [(row[0], *row[codec.FIXED :]) for row in map(codec.row, written.changed)]
            self._run(sql.UPDATE_STATES, tuple(sql.STATES.columns(rows)))
        self._together(written)
        if written.contents:
            self._replace(written.contents)
        if written.jobs:
            self._run(sql.INSERT_JOBS, tuple(map(list, zip(*written.jobs, strict=True))))
        for text, columns, rows in (
            (sql.INSERT_QUARANTINED, sql.QUARANTINED, written.quarantined),
            (sql.INSERT_DELIVERIES, sql.DELIVERIES, written.deliveries),
            (sql.HEARD, sql.VOICES, written.voices),
        ):
            if rows:
                self._run(text, tuple(columns.columns(rows)))

    def _together(self, written: Written) -> None:
        # sorted as they are locked: replicas that insert the same keys wait for each other, but never in a circle
        new = sorted(written.new, key=lambda made: (made[0].source, made[0].fingerprint, made[0].id))
        described = [(made.id, content) for made, _, content in new if content]
        self._run(
            sql.WRITE,
            (
                *sql.ALERT.columns([(*(row := codec.row(made))[:3], latest, *row[3:]) for made, latest, _ in new]),
                *sql.CONTENTS.columns([(alert_id, *codec.content(content)) for alert_id, content in described]),
                *sql.LABELS.columns(
                    [(token, alert_id) for alert_id, content in described for token in _tokens(content.labels)]
                ),
                *sql.TOUCHES.columns(map(codec.touched, written.touched)),
                *sql.CHANGES.columns(map(codec.change, written.changes)),
                *sql.COUNTS.columns(written.counts),
            ),
        )

    def _replace(self, contents: Sequence[tuple[int, Content]]) -> None:
        """Write what is shown anew; the label index follows where labels differ (a sender's own fingerprint)."""
        latest = dict(contents)
        before: dict[int, str] = {key: text for key, text in self._run(sql.SELECT_LABELS, (list(latest),))}  # noqa: C416 - rows are no tuples to dict()
        for alert_id, content in latest.items():
            if before[alert_id] != content.labels_json:
                self._run(sql.DELETE_LABELS, (_tokens(codec.json(before[alert_id])), alert_id))
                added = [(token, alert_id) for token in _tokens(content.labels)]
                self._run(sql.INSERT_LABELS, tuple(sql.LABELS.columns(added)))
        rows = [(alert_id, *codec.content(content)) for alert_id, content in latest.items()]
        self._run(sql.UPDATE_CONTENTS, tuple(sql.CONTENTS.columns(rows)))


def _tokens(labels: Any) -> list[int]:
    return sorted({number(name, value) for name, value in labels.items()})
