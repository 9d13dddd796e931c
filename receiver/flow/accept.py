"""Taking one verified webhook in: parsed, stored, counted."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from receiver.domain import times
from receiver.domain.sighting import Sightings
from receiver.errors import StoreAway
from receiver.flow import apart
from receiver.flow.setup import Setup
from receiver.meters import Meters
from receiver.sources import Bounds, SourceContext
from receiver.store import Store

log = logging.getLogger("alertsage.intake")


@dataclass(frozen=True, slots=True)
class Taken:
    """What is answered: how many alerts came, which were kept aside and why, what became of the others."""

    received: int
    truncated: int
    quarantined: list[dict[str, int | str]]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Webhook:
    """One verified request."""

    source: str
    """The configured name."""
    headers: Mapping[str, str]
    body: bytes


async def accept(webhook: Webhook, setup: Setup, store: Store, meters: Meters) -> Taken:
    """Parse and store a webhook. Returns after the commit.

    Raises Refused for what can never be taken, StoreAway for what can be taken later.
    """
    source, settings = webhook.source, setup.settings
    limits = settings.limits
    context = SourceContext(source, settings.sources[source].kind, Bounds.of(limits))
    told = await apart.parse(webhook.headers, webhook.body, context, times.now())
    try:
        async with asyncio.timeout(limits.answer_timeout.total_seconds()):
            receipt = await store.accept(source, told, setup.plans[source])
    except TimeoutError:
        raise StoreAway(f"the database took longer than {limits.answer_timeout.total_seconds():g} s") from None
    _count(source, told, receipt.outcomes, meters)
    if log.isEnabledFor(logging.DEBUG):  # a line for each webhook would cost more than storing it
        log.debug("source %s: %s", source, dict(receipt.outcomes))
    return Taken(
        received=len(told.alerts) + len(told.quarantined),
        truncated=told.truncated,
        quarantined=[{"index": bad.index, "reason": bad.reason} for bad in told.quarantined],
        outcomes=receipt.outcomes,
    )


def _count(source: str, told: Sightings, outcomes: Mapping[str, int], meters: Meters) -> None:
    meters.took(source, outcomes, len(told.alerts) + len(told.quarantined))
    if told.truncated:
        meters.truncated.labels(source).inc(told.truncated)
    if told.quarantined:
        bad = told.quarantined[0]
        meters.quarantined.labels(source).inc(len(told.quarantined))
        log.warning(
            "source %s: %d alerts of a webhook are quarantined; the first, alert %d: %s",
            source,
            len(told.quarantined),
            bad.index,
            bad.reason,
        )
