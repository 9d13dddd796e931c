"""Taking one verified webhook in: parsed, stored (or spooled), counted."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b

from pydantic_core import to_json

from receiver.domain import times
from receiver.domain.sighting import Sightings
from receiver.domain.value import value
from receiver.errors import Refused, StoreAway
from receiver.flow import apart
from receiver.flow.setup import Setup
from receiver.meters import Meters
from receiver.sources import KINDS
from receiver.sources.reading import read, without_secrets
from receiver.sources.text import clean
from receiver.store import Spool, Spooled, Store

log = logging.getLogger("alertsage.intake")

LONGEST_KEY = 200


@value
class Taken:
    """What is answered: how many alerts came, which were kept aside and why, what became of the others."""

    received: int
    truncated: int = 0
    quarantined: list[dict[str, int | str]] = field(default_factory=list)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    ignored: str = ""
    """What it was when it concerned no alert."""
    spooled: bool = False
    """True when it is safe on the disk, but not in the database yet."""


@value
class Webhook:
    """One verified request."""

    source: str
    """The configured name."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Into:
    """What webhooks are taken into."""

    store: Store
    spool: Spool
    meters: Meters


async def accept(webhook: Webhook, setup: Setup, into: Into) -> Taken:
    """Parse and store a webhook. Returns after the commit, or after it was spooled for a sender that never retries.

    Raises Refused for what can never be taken, StoreAway for what can be taken later.
    """
    source, limits = webhook.source, setup.settings.limits
    kind, at = KINDS[setup.contexts[source].kind], times.now()
    headers = {name: webhook.headers[name] for name in kind.headers if name in webhook.headers}
    seconds = limits.answer_timeout.total_seconds()
    context = setup.contexts[source]
    if kind.retries:
        told = (
            partial(read, headers, webhook.body, context, at)
            if apart.is_small(webhook.body)
            else await apart.parse(headers, webhook.body, context, at, seconds)
        )
        try:
            return await _store(source, told, setup, into, seconds)
        except TimeoutError:
            raise StoreAway(f"the database took longer than {seconds:g} s") from None
    told = await apart.parse(headers, webhook.body, context, at, seconds)
    told = replace(told, delivery=_delivery(told, webhook.headers.get(kind.delivery, "")))
    if into.store.state == "ready":
        with suppress(StoreAway, TimeoutError):
            return await _store(source, told, setup, into, setup.settings.spool.patience.total_seconds())
    if told.refusal:
        raise Refused(told.refusal)
    kept = await asyncio.to_thread(_without_secrets, webhook, setup)
    await into.spool.keep(Spooled(source, told.delivery, at, headers, kept))
    into.meters.spooled.labels(source).inc()
    return Taken(len(told.alerts) + len(told.quarantined), spooled=True)


async def take_from_spool(spooled: Spooled, setup: Setup, into: Into) -> bool:
    """Take in what was promised. False for what can no longer be read: that stands in quarantine then.

    Raises StoreAway while it has to wait.
    """
    source = spooled.source
    try:
        told = await _read_again(spooled, setup)
    except Refused as refused:
        log.warning("a spooled webhook of source %s is quarantined: %s", source, refused.sentence)
        into.meters.quarantined.labels(source).inc()
        excerpt = spooled.body[:2048].decode(errors="replace")
        await into.store.set_aside(source, f"from the spool: {refused.sentence}", excerpt)
        return False
    waited = tuple(replace(sighting, waited=True) for sighting in told.alerts)
    with suppress(Refused):  # kept aside and counted by now; there is nobody to tell
        promised = replace(told, alerts=waited, delivery=spooled.delivery, came=spooled.at)
        await _store(source, promised, setup, into, None)
    return True


async def _read_again(spooled: Spooled, setup: Setup) -> Sightings:
    """Raises Refused: the configuration may have changed since it was promised."""
    context = setup.contexts.get(spooled.source)
    if context is None:
        raise Refused(f"source {spooled.source} is no longer configured")
    return await apart.parse(spooled.headers, spooled.body, context, spooled.at)


async def _store(
    source: str, telling: Sightings | Callable[[], Sightings], setup: Setup, into: Into, seconds: float | None
) -> Taken:
    """Raises TimeoutError when it took longer than `seconds` (it may be stored nevertheless), Refused for a refusal."""
    receipt = await into.store.accept(source, telling, setup.plans[source], seconds)
    told = receipt.told
    _count(source, told, receipt.outcomes, into.meters)
    if told.refusal:
        raise Refused(told.refusal)
    if log.isEnabledFor(logging.DEBUG):  # a line for each webhook would cost more than storing it
        log.debug("source %s: %s", source, dict(receipt.outcomes))
    return Taken(
        received=len(told.alerts) + len(told.quarantined),
        truncated=told.truncated,
        quarantined=[{"index": bad.index, "reason": bad.reason} for bad in told.quarantined],
        outcomes=receipt.outcomes,
        ignored=told.ignored,
    )


def _delivery(told: Sightings, key: str) -> str:
    """What tells this delivery from others: the sender's key for it, what it says but once, or nothing but itself."""
    if key:
        return named(key)
    return f"once:{told.delivery}" if told.delivery else f"id:{uuid.uuid4().hex}"


def named(key: str) -> str:
    """What a delivery is remembered by whose sender gave it that key."""
    if len(key) > LONGEST_KEY:
        return f"hash:{blake2b(key.encode('utf-8', 'replace'), digest_size=32).hexdigest()}"
    return f"key:{clean(key)}"


def _without_secrets(webhook: Webhook, setup: Setup) -> bytes:
    """The body as it may lie on the disk."""
    document, _ = without_secrets(webhook.body, setup.contexts[webhook.source])
    return to_json(document)


def _count(source: str, told: Sightings, outcomes: Mapping[str, int], meters: Meters) -> None:
    meters.took(source, outcomes, len(told.alerts) + len(told.quarantined))
    if told.truncated:
        meters.truncated.labels(source).inc(told.truncated)
    if told.redacted:
        meters.redacted.labels(source).inc(told.redacted)
    if told.ignored:
        meters.ignored.labels(source, told.ignored).inc()
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
