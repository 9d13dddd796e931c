"""Whatever is sent, alertsage answers 2xx or 4xx (503 only to the slow one), and others do not notice."""

import asyncio
import gc
import gzip
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile import VALUES, mutated, places
from tests.servers import Server, firing, running, webhook
from tests.support import Answer, Site, serving

LAG = 0.1
SLOW = {"limits": {"body_timeout": "1s"}}
NUL, LONE = "\\u0000", "\\ud800"


def body(**fields: Any) -> bytes:
    """A webhook with one alert that has these fields."""
    return json.dumps(webhook(firing("Hostile", instance="h-1") | fields)).encode()


def group(**fields: Any) -> bytes:
    """A webhook whose group has these fields."""
    return json.dumps(webhook(firing("Hostile", instance="h-1")) | fields).encode()


def many(count: int) -> bytes:
    """A webhook of that many different alerts."""
    return json.dumps(webhook(*(firing("Hostile", instance=f"h-{n}") for n in range(count)))).encode()


# --- the table ------------------------------------------------------------------------------------------------------

TABLE: dict[str, tuple[bytes, set[int]]] = {
    "nothing": (b"", {400}),
    "not JSON": (b"\x00\xff\xfe<xml/>", {400}),
    "5,000 deep": (b'{"version": "4", "alerts": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", {400}),
    "5,000 deep, never closed": (b'{"a":' * 5_000, {400}),
    "199 deep beside the alerts": (group(x=json.loads("[" * 198 + "]" * 198)), {200, 400}),
    "199 deep in an alert": (body(x=json.loads("[" * 196 + "]" * 196)), {200, 400}),
    "199 deep with a NUL": (group(x=json.loads("[" * 198 + '"\\u0000"' + "]" * 198)), {200, 400}),
    "NUL": (body(labels={"alertname": "A@", "n@": "v@"}, x="@").replace(b"@", NUL.encode()), {200}),
    "lone surrogates": (body(labels={"alertname": "A@", "n@": "v@"}, x="@").replace(b"@", LONE.encode()), {200}),
    "NaN and infinities": (
        body(x="@").replace(b'"@"', b"[NaN, Infinity, -Infinity, 1e999, -0.0, 1e-999]"),
        {200},
    ),
    "a number of 4,000 digits": (body(x="@").replace(b'"@"', b"9" * 4_000), {200}),
    "a number of 100,000 digits": (body(x="@").replace(b'"@"', b"9" * 100_000), {400}),
    "year 1": (body(startsAt="0001-01-01T00:00:00Z", status="resolved"), {200}),
    "year 1, just not zero": (body(startsAt="0001-12-31T23:59:59.9+23:59"), {200, 400}),
    "year 9999": (body(startsAt="9999-12-31T23:59:59-23:59"), {200, 400}),
    "a time with a NUL": (body(startsAt="2026-11-23T06:40:41\0Z"), {400}),
    "5,000 labels": (body(labels={f"l{n}": "x" for n in range(5_000)}), {400}),
    "5,000 annotations": (body(annotations={f"a{n}": "x" for n in range(5_000)}), {400}),
    "a label of 1 MB": (body(labels={"alertname": "x" * 1_000_000}), {400}),
    "an annotation of 5 MB": (body(annotations={"summary": "x\n" * 2_500_000}), {200}),
    "100,000 unknown fields": (body(**{f"x{n}": n for n in range(100_000)}), {200}),
    "an unknown field of 1 MB over 1,000 alerts": (
        json.dumps(
            webhook(*(firing("Hostile", instance=f"h-{n}") for n in range(1_000))) | {"x": "y" * 1_000_000}
        ).encode(),
        {200},
    ),
    "5,000 unknown fields": (body(**{f"x{n}": n for n in range(5_000)}), {200}),
    "an unknown field of 5 MB": (group(x="\u20ac" * 1_000_000), {200}),
    "a URL of 5 MB": (body(generatorURL="http://p/graph?g0.expr=" + "up%2B" * 1_000_000), {200}),
    "an expression nested 10,000 deep": (
        body(generatorURL="http://p/graph?g0.expr=" + "%28" * 10_000 + "up" + "%29" * 10_000),
        {200},
    ),
    "an expression of 10,000 terms": (body(generatorURL="http://p/graph?g0.expr=" + "up%2B" * 10_000 + "up"), {200}),
    "text that looks like a template": (
        body(annotations={"summary": "{{ 7*7 }} {%for x in y%} {label} ${HOME}"}),
        {200},
    ),
    "a page of markup": (body(labels={"alertname": "<script>alert(1)</script>", "a\nb": "\x1b[31m\u202e"}), {200}),
    "names of many kinds": (body(labels={"": "empty", "__name__": "x", "instance": "'; DROP TABLE alert; --"}), {200}),
    "the same field 10,000 times": (b'{"version": "4", ' + b'"alerts": [], ' * 10_000 + b'"alerts": []}', {200}),
    "10,000 alerts": (many(10_000), {200, 503}),
    "10,001 alerts": (many(10_001), {413}),
    "10,000 alerts that are none": (b'{"version": "4", "alerts": [' + b"{}," * 9_999 + b"{}]}", {400}),
    "a huge truncatedAlerts": (group(truncatedAlerts=10**30), {200}),
    "three million bytes of empty lists": (
        b'{"version": "4", "alerts": [], "x": [' + b"[]," * 990_000 + b"[]]}",
        {200},
    ),
    "many values and a NaN": (b'{"version": "4", "alerts": [], "x": [' + b"[]," * 85_000 + b"NaN]}", {200}),
    "very many values": (b'{"version": "4", "alerts": [' + b"1," * 200_000 + b"1]}", {413}),
    "many names": (group(x={str(n): 1 for n in range(900_000)}), {200}),
    "60 MB of escapes": (
        gzip.compress(group(x="@").replace(b"@", b"\\n" * 30_000_000), 1),
        {200},
    ),
}
GZIP: dict[str, tuple[bytes, set[int]]] = {
    "a bomb": (gzip.compress(b"[" + b" " * 200_000_000, 1), {413}),
    "a bomb of members": (gzip.compress(b" " * 1_000_000) * 200, {413}),
    "only members": (gzip.compress(b"") * 200_000, {400}),
    "false": (body(), {400}),
    "cut": (gzip.compress(body())[:-9], {400}),
    "right": (gzip.compress(body()), {200}),
    "60 MB of escapes": TABLE.pop("60 MB of escapes"),
}


@dataclass
class Watch:
    """What others saw meanwhile."""

    lag: float = 0.0
    """The longest that the event loop was held, in seconds."""


@asynccontextmanager
async def watched(site: Site) -> AsyncIterator[Watch]:
    """Others meanwhile: a canary's webhooks are all taken; the lag is for the caller to judge."""
    loop = asyncio.get_running_loop()
    watch, canaries, ended = Watch(), [200], asyncio.Event()

    async def feel() -> None:
        while not ended.is_set():
            began = loop.time()
            await asyncio.sleep(0.005)
            watch.lag = max(watch.lag, loop.time() - began - 0.005)

    async def sing() -> None:
        count = 0
        while not ended.is_set():
            count += 1
            canary = webhook(firing("Canary", instance=f"c-{count % 5}"))
            canaries.append((await site.post("/webhook/alertmanager", canary)).status)
            await asyncio.sleep(0.02)

    gc.collect()
    gc.freeze()  # the test's own heap is larger than the program's
    others = asyncio.gather(feel(), sing())
    await asyncio.sleep(0.05)
    try:
        yield watch
    finally:
        await asyncio.sleep(0.05)
        ended.set()
        await others
        gc.unfreeze()
    assert set(canaries) == {200}


async def sent(tmp_path: Path, hostile: bytes, **headers: str) -> int:
    """The status of the answer to a hostile body, others being watched; the alerts can be read afterwards.

    What holds the loop holds it every time, what else this machine does comes and goes: the best of three counts.
    """
    lags = []
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        async with serving(folder) as site:
            async with watched(site) as watch:
                answer = await site.post("/webhook/alertmanager", hostile, **headers)
            await _readable(site, answer)
        lags.append(watch.lag)
        if watch.lag < LAG:
            return answer.status
    raise AssertionError(f"the loop was held for {lags} s")


async def _readable(site: Site, answer: Answer) -> None:
    """The answer is one for people, and everything can be read afterwards."""
    if answer.status >= 400:
        assert answer.headers["Content-Type"].startswith("application/problem+json")
        assert 10 < len(answer.json["detail"]) < 500
    listed = await site.get("/api/v1/alerts?limit=500")
    assert listed.status == 200
    for alert in listed.json["alerts"][:3]:
        assert (await site.get(f"/api/v1/alerts/{alert['id']}")).status == 200
    assert (await site.get("/metrics")).status == 200
    assert (await site.get("/api/v1/quarantine")).status == 200


@pytest.mark.parametrize("what", TABLE)
async def test_a_hostile_body_gets_its_answer_and_disturbs_nobody(what: str, tmp_path: Path) -> None:
    hostile, allowed = TABLE[what]
    assert await sent(tmp_path, hostile) in allowed


@pytest.mark.parametrize("what", GZIP)
async def test_a_hostile_gzip_body_gets_its_answer_and_disturbs_nobody(what: str, tmp_path: Path) -> None:
    hostile, allowed = GZIP[what]
    assert await sent(tmp_path, hostile, **{"Content-Encoding": "gzip"}) in allowed


UNTOLD = {name: TABLE[name][0] for name in ("three million bytes of empty lists", "many values and a NaN")}
UNTOLD["small ones and a NaN"] = b'{"alerts": [], "x": [' + b'{"a":1},' * 8_000 + b"NaN]}"
UNTOLD["a bomb"] = gzip.compress(b'{"alerts": [], "x": [' + b'{"a":"b"},' * 990_000 + b"NaN]}", 1)


@pytest.mark.parametrize("what", UNTOLD)
async def test_where_nothing_tells_whose_it_is_a_hostile_body_disturbs_nobody(what: str, tmp_path: Path) -> None:
    lags = []
    encoding = {"Content-Encoding": "gzip"} if UNTOLD[what][:2] == b"\x1f\x8b" else {}
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        async with serving(folder, "sources: {am: {auth: {bearer: s}}, canary: {kind: sentry}}") as site:
            loop = asyncio.get_running_loop()
            posting = asyncio.create_task(site.post("/webhook", UNTOLD[what], **encoding))
            lag = 0.0
            while not posting.done():
                began = loop.time()
                await asyncio.sleep(0.005)
                lag = max(lag, loop.time() - began - 0.005)
            assert (await posting).status in (401, 413)
        lags.append(lag)
        if lag < LAG:
            return
    raise AssertionError(f"the loop was held for {lags} s")


async def test_bodies_under_way_hold_no_more_than_they_may_together(tmp_path: Path) -> None:
    """Memory is bounded: what is beyond is told to come again, and taken then."""
    limits = {"limits": {"wire_size": "1MiB", "inflated_size": "4MiB", "in_flight": "5MiB"}}
    large = gzip.compress(group(x="y" * 3_500_000), 1)
    async with serving(tmp_path, json.dumps(limits)) as site:
        answers = await asyncio.gather(
            *(site.post("/webhook/alertmanager", large, **{"Content-Encoding": "gzip"}) for _ in range(8))
        )
        statuses = {answer.status for answer in answers}
        assert statuses == {200, 503}
        assert any("limits.in_flight" in answer.json["detail"] for answer in answers if answer.status == 503)
        assert (await site.post("/webhook/alertmanager", large, **{"Content-Encoding": "gzip"})).status == 200


ANY_TYPE: list[Any] = [None, True, 0, -1, 2**63, 1.5, "", "text", [], [1], {}, {"a": {"b": 1}}]


@pytest.mark.parametrize("field", [*webhook(), *(f"alerts.{name}" for name in firing("A"))])
async def test_a_field_of_any_wrong_type_is_2xx_or_4xx(field: str, tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for value in ANY_TYPE:
            name = field.removeprefix("alerts.")
            hostile = group(**{name: value}) if name == field else body(**{name: value})
            answer = await site.post("/webhook/alertmanager", hostile)
            assert 200 <= answer.status < 500, (value, answer.body)
        assert (await site.get("/api/v1/alerts")).status == 200


async def test_a_body_of_one_byte_a_second_gets_503_and_disturbs_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path, json.dumps(SLOW)) as site, watched(site) as watch:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(b"POST /webhook/alertmanager HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n")
        answering = asyncio.ensure_future(reader.readline())
        while not answering.done():
            writer.write(b"x")
            await asyncio.sleep(0.25)
        assert b" 503 " in await answering
        writer.close()
    assert watch.lag < LAG


async def test_senders_that_leave_in_the_middle_are_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path) as site, watched(site):
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(b"POST /webhook/alertmanager HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
            await writer.drain()
            await asyncio.sleep(0.005)
            writer.transport.abort()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


# --- the property ---------------------------------------------------------------------------------------------------

VALID = webhook(
    firing("A", annotations={"summary": "s", "description": "d"}, severity="critical"),
    firing("B", instance="b:9100") | {"fingerprint": "0123456789abcdef", "generatorURL": "http://p/graph?g0.expr=up>1"},
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The real program."""
    with running(tmp_path_factory.mktemp("hostile")) as started:
        yield started


def check(server: Server, hostile: bytes) -> None:
    """2xx or 4xx, and what was stored can be read."""
    status, answer = server.post("/webhook/alertmanager", hostile)
    assert 200 <= status < 500, answer
    status, page = server.get("/api/v1/alerts?limit=3")
    assert status == 200
    for alert in page["alerts"]:
        assert server.get(f"/api/v1/alerts/{alert['id']}")[0] == 200


PATHS = list(places(VALID))
UNHURRIED = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


@UNHURRIED
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_any_value_anywhere_is_2xx_or_4xx(server: Server, changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    check(server, json.dumps(mutated(VALID, changes)).encode())


@UNHURRIED
@given(at=st.integers(0, 10_000), cut=st.integers(0, 30), junk=st.binary(max_size=30))
def test_any_bytes_anywhere_are_2xx_or_4xx(server: Server, at: int, cut: int, junk: bytes) -> None:
    whole = json.dumps(VALID).encode()
    at %= len(whole)
    check(server, whole[:at] + junk + whole[at + cut :])
