"""What the store needs of a database. `sqlite` and `postgres` provide it; nothing else knows which of them it is."""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from receiver.domain.alert import Alert, Change
from receiver.domain.silences import InForce
from receiver.domain.times import Instant
from receiver.domain.value import value
from receiver.store.plan import Content

T = TypeVar("T")

Key = tuple[str, str]
"""(source, fingerprint) of an alert, or (source, key) of a delivery."""


@dataclass(slots=True)
class Written:
    """What one batch writes. Rows that stand in two lists are written once: `new` before `changed` before `touched`."""

    demoted: list[int] = field(default_factory=list)
    """Rows that are no longer the latest of their key."""
    new: list[tuple[Alert, bool, Content | None]] = field(default_factory=list)
    """With True for the latest of its key."""
    changed: list[Alert] = field(default_factory=list)
    touched: list[Alert] = field(default_factory=list)
    """Rows of which only what a repeat alters is to be written (`codec.TOUCHED`)."""
    contents: list[tuple[int, Content]] = field(default_factory=list)
    """Of rows that are not new."""
    changes: list[Change] = field(default_factory=list)
    jobs: list[tuple[int, int, Instant]] = field(default_factory=list)
    """(alert, Change, when): owed an enrichment."""
    quarantined: list[tuple[Instant, str, str, str]] = field(default_factory=list)
    """(when, source, reason, excerpt)."""
    deliveries: list[tuple[str, str, Instant]] = field(default_factory=list)
    voices: list[tuple[str, str, int, Instant]] = field(default_factory=list)
    counts: list[tuple[Any, ...]] = field(default_factory=list)
    """(source, status, priority, category, name, by how many)."""


@value
class Asked:
    """What a batch has to know before it can be taken in; both sorted."""

    keys: Sequence[Key]
    deliveries: Sequence[Key]


class Statements(Protocol):
    """What the batching writer knows, asks and writes inside one transaction, in statements fixed beforehand."""

    latest: Sequence[Alert]
    """The latest row of each key that was asked for, where there is one; nobody else changes it before the commit."""
    known: Set[Key]
    """Which of the deliveries that were asked for were taken in before."""

    @property
    def silences(self) -> InForce:
        """Those in force, as this transaction knows them. Not asked for by a batch without news."""
        ...

    def raw(self, alert_id: int) -> bytes:
        """An alert's last firing sighting, packed."""
        ...

    def new_id(self) -> int:
        """A number for a new alert, higher than those before and never given to another."""
        ...

    def write(self, written: Written) -> None:
        """Write all of it."""
        ...


class Link(Protocol):
    """The writer's connection; one call at a time. It opens itself when it is needed."""

    async def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction and commit. Raises whatever the driver or `work` raises: nothing is stored."""
        ...

    async def batch(self, asked: Asked, work: Callable[[Statements], T]) -> T:
        """The same for a batch of webhooks, over the driver itself: SQLAlchemy's part would cost as much again.

        `work` runs on the event loop, in one go.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection, however broken; the next call opens another. Never raises."""
        ...


class Database(Protocol):
    """Where alerts are stored."""

    readers: AsyncEngine
    reads_alone: bool
    """True when reading may work while writing does not."""

    async def open(self) -> None:
        """Take hold of it and migrate it to this version's schema. Raises StoreAway; may be tried again."""
        ...

    async def once(self, work: Callable[[Connection], T], *, writing: bool) -> T:
        """Run `work` in a transaction of its own that takes as long as it takes, and sees the database of one moment.

        Only for commands: intake would wait for one that writes. Raises StoreAway.
        """
        ...

    async def beside(self, work: Callable[[Connection], T]) -> T:
        """Run a short `work` in a transaction of its own, also while a server works on the database.

        Only for tables whose rows no server numbers by itself. An empty database is migrated first. Raises StoreAway,
        also when the schema is another version's.
        """
        ...

    def link(self) -> Link:
        """A new connection for a writer."""
        ...

    async def close(self) -> None:
        """Let go of it."""
        ...
