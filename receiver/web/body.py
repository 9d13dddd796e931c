"""Reading a request's body ourselves: bounded on the wire, bounded when inflated, bounded in time."""

import asyncio
import zlib

from aiohttp import web

from receiver.errors import Refused
from receiver.settings.model import Limits
from receiver.web.underway import Held, Underway

IN_A_THREAD = 64 * 2**10
"""Compressed bodies above this size are inflated beside the event loop."""
PIECE = 16 * 2**10
"""Compressed bytes inflated at once: zlib copies what is left after a member, and there may be very many members."""
_WBITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


async def read_body(request: web.Request, limits: Limits, underway: Underway, held: Held) -> bytes:
    """The body, inflated. Raises Refused: 413 too large, 400 not as encoded, 415 unknown encoding, 503 slow or busy.

    The application is run with auto_decompress=False, so that nothing is inflated without a bound.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "") and encoding not in _WBITS:
        raise Refused(
            f"Content-Encoding {encoding[:40]!r} is not known here; send gzip, deflate or none",
            status=415,
            reason="encoding",
        )
    if (request.content_length or 0) > limits.wire_size:
        raise _too_large("wire_size", limits.wire_size)
    raw = await _read(request, limits, underway, held)
    if encoding in ("identity", ""):
        return raw
    if len(raw) > IN_A_THREAD:
        body = await asyncio.to_thread(_inflate, raw, _WBITS[encoding], limits.inflated_size)
    else:
        body = _inflate(raw, _WBITS[encoding], limits.inflated_size)
    held.take(len(body))
    return body


async def _read(request: web.Request, limits: Limits, underway: Underway, held: Held) -> bytes:
    if request.content.is_eof():  # it came with its head, and is no larger than what is read at once
        whole = request.content.read_nowait()
        if len(whole) > limits.wire_size:
            raise _too_large("wire_size", limits.wire_size)
        held.take(len(whole))
        return whole
    parts, size = [], 0
    try:
        async with underway.reading(limits.body_timeout.total_seconds()):
            while part := await request.content.readany():
                held.take(len(part))
                size += len(part)
                if size > limits.wire_size:
                    raise _too_large("wire_size", limits.wire_size)
                parts.append(part)
    except TimeoutError:
        if underway.stopping:
            raise Refused("alertsage is stopping and the body had not arrived", status=503, reason="stopping") from None
        seconds = limits.body_timeout.total_seconds()
        raise Refused(
            f"the body had not arrived after {seconds:g} s (limits.body_timeout)", status=503, reason="slow_body"
        ) from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _inflate(raw: bytes, wbits: int, most: int) -> bytes:
    """All members of the compressed body, one after the other."""
    parts, size, inflating = [], 0, zlib.decompressobj(wbits)
    for start in range(0, len(raw), PIECE):
        piece = raw[start : start + PIECE]
        while piece:
            if inflating.eof:
                inflating = zlib.decompressobj(wbits)
            try:
                part = inflating.decompress(piece, most + 1 - size)
            except zlib.error as error:
                raise Refused(f"the body is not what its Content-Encoding says: {error}", reason="encoding") from None
            size += len(part)
            if size > most:
                raise _too_large("inflated_size", most)
            parts.append(part)
            piece = inflating.unused_data
    if not inflating.eof:
        raise Refused("the compressed body is cut short", reason="encoding")
    return b"".join(parts)


def _too_large(limit: str, most: int) -> Refused:
    return Refused(f"the body is larger than {most} bytes (limits.{limit})", status=413, reason="too_large")
