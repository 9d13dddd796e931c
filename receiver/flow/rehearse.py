"""The whole chain over one alert, inline and deferred, storing nothing."""

import asyncio
from types import TracebackType
from typing import Any, Self

from pydantic_core import to_jsonable_python

from enrichers import Context
from enrichers.chain import Described, as_json, as_stored, describe, extend, merge
from receiver.domain import times
from receiver.domain.enrichment import History
from receiver.domain.sighting import Sighting
from receiver.flow.runner import Runner
from receiver.flow.setup import build
from receiver.meters import Meters
from receiver.settings import Settings


class Rehearsal:
    """Explains alerts by a configuration. Raises Mistakes when that cannot be loaded. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._setup = build(settings, Meters())
        self._asyncio = asyncio.Runner()
        self._runner = Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asyncio.run(self._runner.close())
        self._asyncio.close()

    def explain(self, sighting: Sighting, history: History) -> dict[str, Any]:
        """The alert in the form of `explain --json`, deferred enrichers' additions included."""
        context = Context(now=times.now(), rules=self._setup.book, history=history)
        described = describe(self._setup.inline, sighting, context)
        extend(described, self._setup.shown, context)
        if self._setup.deferred:
            self._asyncio.run(self._deferred(described, context))
        explained: dict[str, Any] = to_jsonable_python(as_json(described), inf_nan_mode="null")
        return explained | {"status": "firing" if sighting.firing else "resolved"}

    async def _deferred(self, described: Described, context: Context) -> None:
        left = self._setup.settings.enrich.budget.total_seconds()
        for enricher in self._setup.deferred:
            seconds = max(0.001, min(enricher.timeout.total_seconds(), left))
            added, outcome = await self._runner.run(enricher, described.view, context, seconds)
            left -= outcome.ms / 1000
            described.outcomes.append(outcome)
            if added is not None:
                stored = as_stored(added, described.view, f"enricher:{enricher.name}")
                described.said.append(merge(described.view, enricher.name, stored))
