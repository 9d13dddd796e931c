"""Running configured enrichers over one alert, as a job does."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from enrichers import AlertView, Context, Enrichment
from enrichers.chain import Outcome, merge
from receiver.domain import times
from receiver.domain.rules import Book
from receiver.errors import Mistakes
from receiver.flow.runner import Runner
from receiver.plugins import LoadedEnricher, load_enrichers
from receiver.settings import load


def loaded(folder: Path, enrichers: str) -> list[LoadedEnricher]:
    """The deferred enrichers of a configuration with this section (without its first line)."""
    (folder / "config.yaml").write_text(f"enrichers:\n{enrichers}")
    settings = load(folder / "config.yaml", {})
    return [enricher for enricher in load_enrichers(settings) if enricher.stage == "deferred"]


def refused(folder: Path, enrichers: str) -> list[str]:
    """What is told about a section that cannot be loaded."""
    with pytest.raises(Mistakes) as found:
        loaded(folder, enrichers)
    return [str(mistake).replace(f"{folder}/", "") for mistake in found.value.mistakes]


Ran = tuple[Enrichment, Outcome]


async def each(chain: Sequence[LoadedEnricher], *alerts: AlertView, now: int | None = None) -> list[list[Ran]]:
    """What each of the chain says about each of the alerts, all alerts at the same time."""
    runner = Runner()

    async def one(alert: AlertView) -> list[Ran]:
        said = []
        for enricher in chain:
            context = Context(now=now or times.now(), rules=Book())
            added, outcome = await runner.run(enricher, alert, context, enricher.timeout.total_seconds())
            if added is not None:
                merge(alert, enricher.name, added)
            said.append((added or Enrichment(), outcome))
        return said

    try:
        return await asyncio.gather(*map(one, alerts))
    finally:
        await runner.close()


def run(folder: Path, enrichers: str, alert: AlertView, now: int | None = None) -> Ran:
    """What the last enricher of the section says about the alert."""
    return asyncio.run(each(loaded(folder, enrichers), alert, now=now))[0][-1]
