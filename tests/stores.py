"""Making stores and sightings for tests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic_core import to_json

from receiver.domain.alert import Policy
from receiver.domain.enrichment import History
from receiver.domain.sighting import Sighting, Sightings
from receiver.domain.times import SECOND, Instant
from receiver.domain.vocabulary import Category, Priority
from receiver.meters import Meters
from receiver.store import Content, Database, Postgres, Sqlite, Store
from tests import engines

T0 = 1_800_000_000 * SECOND


@dataclass(frozen=True)
class PlainPlan:
    """The least a webhook can be taken in with: priority by the severity label, title by the name."""

    policy: Policy = field(default_factory=Policy)
    deferred: bool = False

    joins: bool = False

    def joined(self, sighting: Sighting, before: Mapping[str, Any]) -> Sighting:
        """Nothing is joined."""
        del before
        return sighting

    def digest(self, sighting: Sighting) -> bytes:
        """All that is looked at."""
        return to_json((sighting.labels, sighting.annotations))

    def describe(self, sighting: Sighting, history: History, now: Instant) -> Content:
        """Describe without enrichers; fails on purpose for an alert named Poison."""
        del now
        if sighting.name == "Poison":
            raise ValueError("poison")
        return Content(
            name=sighting.name,
            heartbeat=sighting.heartbeat,
            category=Category.SYSTEM,
            priority=Priority(sighting.labels.get("severity", "medium")) if not sighting.heartbeat else Priority.INFO,
            title=sighting.annotations.get("summary", sighting.name),
            message="",
            kind=sighting.kind,
            generator_url="",
            labels=sighting.labels,
            labels_json=to_json(sighting.labels).decode(),
            annotations_json=to_json(sighting.annotations).decode(),
            detail_json=to_json({"facts": {"episodes": len(history.episodes)}}).decode(),
            raw=to_json(sighting.raw),
        )


def seen(fingerprint: str, *, firing: bool = True, end: Instant | None = None, **labels: str) -> Sighting:
    """A sighting that began at T0."""
    return Sighting(
        source="am",
        kind="alertmanager",
        fingerprint=fingerprint,
        firing=firing,
        labels={"alertname": "Down"} | labels,
        annotations={},
        starts_at=T0,
        ends_at=end,
    )


def annotated(sighting: Sighting, annotations: Mapping[str, str]) -> Sighting:
    """The sighting with other annotations."""
    return Sighting(
        sighting.source,
        sighting.kind,
        sighting.fingerprint,
        sighting.firing,
        sighting.labels,
        annotations,
        sighting.starts_at,
    )


async def take(store: Store, *sightings: Sighting, plan: PlainPlan | None = None) -> Mapping[str, int]:
    """Store one webhook with these sightings."""
    return (await store.accept("am", Sightings(sightings), plan or PlainPlan())).outcomes


def database(path: Path, *, busy_timeout: float = 0.2) -> Database:
    """The database of that name, on the engine of this test."""
    url = engines.address(path.parent, path.name)
    if engines.Current.name == engines.SQLITE:
        return Sqlite(path, busy_timeout=busy_timeout, read_connections=2)
    return Postgres(url, None, timeout=4, read_connections=2)


@asynccontextmanager
async def open_store(path: Path, *, busy_timeout: float = 0.2) -> AsyncIterator[Store]:
    """A ready store in that database."""
    store = Store(database(path, busy_timeout=busy_timeout), queue=1000, meters=Meters())
    await store.start()
    try:
        await ready(store)
        yield store
    finally:
        await store.close()


async def ready(store: Store) -> None:
    """Wait until it is."""
    async with asyncio.timeout(10):
        while store.state != "ready":
            await asyncio.sleep(0.005)
