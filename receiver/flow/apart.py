"""Parsing beside the event loop: in a thread, and for huge bodies in a process.

Decoding JSON keeps the interpreter for the whole of a body, whatever thread it is in: 64 MiB of it would stop every
other webhook for most of a second. A process of its own decodes those, and hands the alerts back in small pieces.
"""

import asyncio
import math
import pickle
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context

from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.errors import Refused, StoreAway
from receiver.sources import SourceContext
from receiver.sources.reading import read
from receiver.store import BATCH_PART

SMALL = 32 * 2**10
IN_A_THREAD = 256 * 2**10
"""Bodies above this size are parsed in a thread."""
MANY_OBJECTS, MANY_VALUES = 2_000, 20_000
"""So are those with more of either: a bad alert needs few bytes, but a reason and an excerpt."""
IN_A_PROCESS = 4 * 2**20
"""Bodies above this size are parsed in a process."""
VERY_MANY_VALUES = 200_000
"""So are those with more values."""
PIECE = 250
"""Alerts handed back at a time."""

_one_at_a_time = asyncio.Semaphore(1)
_Answer = list[bytes] | tuple[str, str, int]
"""Pickled pieces, or the parts of a Refused."""


def is_small(body: bytes) -> bool:
    """True for one that is read in a moment, and holds no more alerts than are stored together."""
    return len(body) <= SMALL and body.count(b"{") <= BATCH_PART and body.count(b"[") <= BATCH_PART


async def parse(
    headers: Mapping[str, str], body: bytes, source: SourceContext, now: Instant, patience: float = math.inf
) -> Sightings:
    """Parse a webhook of the source's kind without holding up others.

    Raises Refused as the parser does, and StoreAway when the process that parses ended by itself or was busy with
    others for longer than `patience` seconds.
    """
    values = body.count(b",") + body.count(b"[")
    if len(body) > IN_A_PROCESS or values > VERY_MANY_VALUES:
        return await _one_after_the_other(headers, body, source, now, patience)
    if len(body) > IN_A_THREAD or values > MANY_VALUES or body.count(b"{") > MANY_OBJECTS:
        return await asyncio.to_thread(read, headers, body, source, now)
    return read(headers, body, source, now)


async def _one_after_the_other(
    headers: Mapping[str, str], body: bytes, source: SourceContext, now: Instant, patience: float
) -> Sightings:
    try:
        async with asyncio.timeout(None if patience == math.inf else patience):
            await _one_at_a_time.acquire()
    except TimeoutError:
        raise StoreAway(f"other large webhooks were being parsed for more than {patience:g} s") from None
    try:
        return await asyncio.to_thread(_in_a_process, dict(headers), body, source, now)
    finally:
        _one_at_a_time.release()


def _in_a_process(headers: dict[str, str], body: bytes, source: SourceContext, now: Instant) -> Sightings:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            answer = pool.submit(_pieces, headers, body, source, now).result()
        except BrokenProcessPool:
            raise StoreAway("the process that parses large webhooks ended by itself: is there memory left?") from None
    if isinstance(answer, tuple):
        sentence, reason, status = answer
        raise Refused(sentence, reason=reason, status=status)
    told: Sightings = pickle.loads(answer[0])  # noqa: S301 - made by our own process
    alerts = [alert for piece in answer[1:] for alert in pickle.loads(piece)]  # noqa: S301
    return replace(told, alerts=tuple(alerts))


def _pieces(headers: dict[str, str], body: bytes, source: SourceContext, now: Instant) -> _Answer:
    """In the process: the webhook without its alerts, then its alerts, each pickled by itself."""
    try:
        told = read(headers, body, source, now)
    except Refused as refused:
        return refused.sentence, refused.reason, refused.status
    pieces = [told.alerts[first : first + PIECE] for first in range(0, len(told.alerts), PIECE)]
    return [pickle.dumps(part) for part in (replace(told, alerts=()), *pieces)]
