"""Bodies over a real connection: bounded as sent, bounded when inflated, bounded in time."""

import asyncio
import gzip
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web

from receiver.errors import Refused
from receiver.settings.model import Limits
from receiver.web.body import read_body
from receiver.web.underway import Held, Underway

LIMITS = Limits(wire_size=2_000_000, inflated_size=400_000, body_timeout=timedelta(seconds=0.5))
TEXT = b'{"version": "4", "alerts": []} ' * 500


async def answer(request: web.Request) -> web.Response:
    """The body as it was read, or the refusal's status, reason and sentence."""
    try:
        underway = Underway()
        return web.Response(body=await read_body(request, LIMITS, underway, Held(underway, LIMITS.in_flight)))
    except Refused as refused:
        return web.Response(status=refused.status, text=f"{refused.reason}: {refused.sentence}")


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to a server that reads bodies as alertsage does."""
    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app, auto_decompress=False, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        await runner.cleanup()


async def received(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head.split()[1]), await reader.readexactly(int(length.split(b":")[1]))


async def post(body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Status and text of the answer to one request with its length declared."""
    lines = {"Host": "localhost", "Content-Length": str(len(body))} | dict(headers or {})
    head = "POST / HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n"
    async with connected() as (reader, writer):
        writer.write(head.encode() + body)
        status, text = await received(reader)
    return status, text.decode()


async def encoded(body: bytes, encoding: str = "gzip") -> tuple[int, str]:
    """The answer to a body that claims this encoding."""
    return await post(body, {"Content-Encoding": encoding})


async def test_a_plain_body_arrives_as_it_was_sent() -> None:
    assert await post(TEXT) == (200, TEXT.decode())


async def test_a_body_in_chunks_arrives_whole() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (TEXT[:10], TEXT[10:5_000], TEXT[5_000:]):
            writer.write(b"%x\r\n%b\r\n" % (len(part), part))
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write(b"0\r\n\r\n")
        assert await received(reader) == (200, TEXT)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip "])
async def test_a_gzip_body_is_inflated(encoding: str) -> None:
    assert await encoded(gzip.compress(TEXT), encoding) == (200, TEXT.decode())


async def test_a_deflate_body_is_inflated() -> None:
    assert await encoded(zlib.compress(TEXT), "deflate") == (200, TEXT.decode())


async def test_all_members_of_a_gzip_body_are_inflated() -> None:
    members = [gzip.compress(TEXT[:700]), gzip.compress(b""), gzip.compress(TEXT[700:])]
    assert await encoded(b"".join(members)) == (200, TEXT.decode())


async def test_a_large_body_is_refused_before_it_is_sent() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000001\r\n\r\n")
        status, text = await received(reader)
    assert status == 413
    assert b"limits.wire_size" in text


async def test_a_large_body_of_unknown_length_is_refused_while_it_is_sent() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(201):
            writer.write(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert (await received(reader))[0] == 413


async def test_a_bomb_is_refused_without_being_inflated() -> None:
    bomb = gzip.compress(b"\0" * 80_000_000)
    assert len(bomb) < LIMITS.wire_size
    status, text = await encoded(bomb)
    assert status == 413
    assert "limits.inflated_size" in text


async def test_a_bomb_of_many_members_is_refused() -> None:
    status, _ = await encoded(gzip.compress(b"\0" * 10_000) * 41)
    assert status == 413


async def test_a_body_of_exactly_the_allowed_size_is_taken() -> None:
    status, text = await encoded(gzip.compress(b"\0" * 400_000))
    assert (status, len(text)) == (200, 400_000)


async def test_very_many_members_take_no_time() -> None:
    empty = gzip.compress(b"")
    began = time.monotonic()
    assert (await encoded(empty * (2_000_000 // len(empty))))[0] == 200
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("sent", [TEXT, b"\x1f\x8b", b"\x1f\x8b" + b"x" * 50, gzip.compress(TEXT) + b"trailing"])
async def test_a_body_that_is_not_gzip_is_refused(sent: bytes) -> None:
    status, text = await encoded(sent)
    assert status == 400
    assert text.startswith("encoding: ")


@pytest.mark.parametrize("left", [5, 30, -1])
async def test_a_gzip_body_cut_short_is_refused(left: int) -> None:
    status, text = await encoded(gzip.compress(TEXT)[:left])
    assert status == 400
    assert "cut short" in text


async def test_an_empty_body_is_not_gzip() -> None:
    assert (await encoded(b""))[0] == 400


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "compress", "x" * 500])
async def test_an_encoding_that_is_not_understood_is_refused(encoding: str) -> None:
    status, text = await encoded(gzip.compress(TEXT), encoding)
    assert status == 415
    assert "gzip" in text
    assert len(text) < 200


async def test_a_body_byte_by_byte_gets_503_when_its_time_is_up() -> None:
    async with connected() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        began = asyncio.get_running_loop().time()
        answering = asyncio.ensure_future(received(reader))
        while not answering.done():
            writer.write(b"x")
            await asyncio.sleep(0.05)
        status, text = await answering
        took = asyncio.get_running_loop().time() - began
    assert status == 503
    assert text.startswith(b"slow_body: ")
    assert b"limits.body_timeout" in text
    assert 0.4 < took < 2
