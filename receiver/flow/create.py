"""An alert that a program tells of by itself: taken in like any webhook, answered with the alert that it became."""

import logging
import uuid
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from receiver.domain import times
from receiver.domain.forms import OWN
from receiver.domain.lifecycle import Outcome
from receiver.domain.value import value
from receiver.errors import Refused, StoreAway
from receiver.flow.accept import Into, Webhook, accept, named
from receiver.flow.setup import Setup
from receiver.flow.show import completed
from receiver.sources.own import FORM
from receiver.sources.reading import read
from receiver.store import own, reads

log = logging.getLogger("alertsage.intake")

HEADER = "idempotency-key"


@value
class Created:
    """What became of it."""

    alert: dict[str, Any] | None
    """The enriched alert; None when it is safe on the disk, but cannot be shown now."""
    new: bool = False
    """False when it was counted on an alert that was there."""


async def create(form: str, given: Mapping[str, Any], key: str, setup: Setup, into: Into) -> Created:
    """Take in the parameters of a form, checked by the caller. `key` is the sender's Idempotency-Key, or "".

    Returns after it is durable. Raises Refused (422 for a key that came with another body before), StoreAway.
    """
    key, body = key or uuid.uuid4().hex, to_json({FORM: form, **given})
    taken = await accept(Webhook(OWN, {HEADER: key}, body), setup, into)
    if taken.spooled:
        return Created(None)
    try:
        found, said, alert = await into.store.read(lambda connection: _became(connection, named(key)))
    except (StoreAway, TimeoutError) as away:
        log.warning("an alert of the source %s is stored, but could not be read for its answer: %s", OWN, away)
        return Created(None)
    if Outcome.DUPLICATE in taken.outcomes and found and said != _checksum(body, setup):
        raise Refused("this Idempotency-Key came with another body before; a key stands for one alert told", status=422)
    return Created(alert and completed(alert, setup), Outcome.OPENED in taken.outcomes)


def _became(connection: Any, key: str) -> tuple[bool, bytes, dict[str, Any] | None]:
    found = own.delivered(connection, OWN, key)
    return (False, b"", None) if found is None else (True, found[1], reads.brief(connection, found[0]))


def _checksum(body: bytes, setup: Setup) -> bytes:
    return read({}, body, setup.contexts[OWN], times.now()).said
