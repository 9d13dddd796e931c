"""Tokens: made, listed, used, expired, revoked; by HTTP and by command; on several replicas; without the database."""

import asyncio
import json
import re
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from receiver.domain.tokens import MOST, PREFIX, Scope, Token, Unfit, digest
from receiver.store import tokens as rows
from receiver.store.tables import token as table
from receiver.web.keys import STORE
from tests import engines
from tests.engines import address
from tests.monitoring import eventually
from tests.servers import ask, firing, running, webhook
from tests.stores import open_store
from tests.support import Site, serving
from tests.tokens import ROOT, create, sent

NEW = {"name": "ci", "scopes": ["intake"]}
JSON = {"Content-Type": "application/json"}


def token(name: str = "a", **given: Any) -> Token:
    """A token of scope read, made at 100."""
    return Token(0, name, digest(name), (Scope.READ,), "x", 100, **given)


# --- over HTTP ------------------------------------------------------------------------------------------------------


async def test_a_token_is_made_listed_used_and_revoked(tmp_path: Path) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        wanted = NEW | {"scopes": ["act", "intake", "act"], "expires": "90d"}
        made = await site.post("/api/v1/tokens", wanted, **sent(ROOT) | JSON)
        assert made.status == 201
        assert made.headers["Cache-Control"] == "no-store"
        secret = made.json["token"]
        assert re.fullmatch(r"asg_[0-9a-f]{64}", secret)
        (listed,) = (await site.get("/api/v1/tokens", **sent(ROOT))).json["tokens"]
        assert made.json == listed | {"token": secret}
        assert listed["scopes"] == ["intake", "act"]
        assert (listed["state"], listed["created_by"], listed["last_used_at"]) == ("active", "server.token", None)
        assert listed["created_at"] < listed["expires_at"]
        assert (await site.get("/api/v1/alerts", **sent(secret))).status == 200
        (listed,) = (await site.get("/api/v1/tokens", **sent(ROOT))).json["tokens"]
        assert listed["last_used_at"] >= listed["created_at"]
        for _ in range(2):
            gone = await site.ask("DELETE", "/api/v1/tokens/ci", headers=sent(ROOT))
            assert (gone.status, gone.json["state"]) == (200, "revoked")
            assert (await site.get("/api/v1/alerts", **sent(secret))).status == 401
        (listed,) = (await site.get("/api/v1/tokens", **sent(ROOT))).json["tokens"]
        assert listed == gone.json


REFUSED: list[tuple[Any, int, str]] = [
    (NEW | {"scopes": []}, 422, "scopes"),
    (NEW | {"scopes": ["write"]}, 422, "scopes.0"),
    (NEW | {"scopes": "read"}, 422, "scopes"),
    (NEW | {"scopes": ["read"] * 5}, 422, "scopes"),
    (NEW | {"name": "A b"}, 422, "name"),
    (NEW | {"name": "local"}, 422, "no name for a token"),
    (NEW | {"name": 3}, 422, "name"),
    ({"name": "a"}, 422, "scopes"),
    (NEW | {"expires": "soon"}, 422, '"soon" is not a duration'),
    (NEW | {"expires": "0s"}, 422, "longer than 0s"),
    (NEW | {"expires": 90}, 422, "says no unit"),
    (NEW | {"expires": "99999d"}, 422, "longer than"),
    (NEW | {"token": "mine"}, 422, "token"),
    ([], 422, ""),
    (b"{", 400, "the body is not JSON"),
    (b"", 422, "name"),
]


async def test_what_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for body, status, told in REFUSED:
            answer = await site.post("/api/v1/tokens", body, **JSON)
            assert (answer.status, told in answer.json["detail"]) == (status, True), (body, answer.body)
        assert (await site.get("/api/v1/tokens")).json == {"tokens": [], "next": None}


async def test_a_name_is_had_by_one_token_at_a_time(tmp_path: Path) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        answers = await asyncio.gather(*(site.post("/api/v1/tokens", NEW, **sent(ROOT) | JSON) for _ in range(8)))
        assert sorted(answer.status for answer in answers) == [201] + [409] * 7
        assert "already: revoke it first" in next(a for a in answers if a.status == 409).json["detail"]
        (first,) = [answer.json["token"] for answer in answers if answer.status == 201]
        await site.ask("DELETE", "/api/v1/tokens/ci", headers=sent(ROOT))
        second = await create(site, "ci", "read", by=sent(ROOT))
        assert first != second
        assert (await site.get("/", **sent(first))).status == 401
        assert (await site.get("/", **sent(second))).status == 200
        assert len((await site.get("/api/v1/tokens", **sent(ROOT))).json["tokens"]) == 1


async def test_who_makes_a_token_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        boss = await create(site, "boss", "admin", by={})
        await create(site, "helper", "read", by=sent(boss))
        listed = (await site.get("/api/v1/tokens", **sent(boss))).json["tokens"]
        assert [(one["name"], one["created_by"]) for one in listed] == [("boss", "local"), ("helper", "boss")]


async def test_a_token_that_is_not_there_cannot_be_revoked(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for name in ("nobody", "A", "a%20b", "..%2f", "x" * 500, PREFIX + "0" * 64):
            answer = await site.ask("DELETE", f"/api/v1/tokens/{name}")
            assert answer.status == 404
            assert answer.json["detail"].startswith("there is no token")
            assert "00000" not in answer.json["detail"]


async def test_failed_attempts_are_counted_and_told_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        read = await create(site, "reader", "read", by=sent(ROOT))
        for _ in range(5):
            await site.get("/api/v1/alerts/17")
            await site.get("/api/v1/alerts", **sent("wrong"))
            await site.post("/-/reload", b"", **sent(read))
        page = (await site.get("/metrics", **sent(read))).body.decode()
        counts = dict(re.findall(r'^alertsage_refused_credentials_total\{reason="(\w+)"\} (\S+)', page, re.MULTILINE))
        assert counts == {"missing": "5.0", "wrong": "5.0", "scope": "5.0", "host": "0.0", "cross_site": "0.0"}
        lines = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
        assert lines == ["refused GET /api/v1/alerts/{id} to 127.0.0.1: credentials missing"]


async def test_last_uses_are_written_together_at_the_end_at_the_latest(tmp_path: Path) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        used = await create(site, "used", "intake", by=sent(ROOT))
        await create(site, "unused", "read", by=sent(ROOT))
        for number in range(3):
            headers = sent(used) | {"Host": "elsewhere.example.org"}
            assert (await site.post("/webhook", webhook(firing(f"A{number}")), **headers)).status == 200
        stored = "SELECT name FROM token WHERE last_used_at IS NOT NULL"
        assert engines.ask(address(tmp_path), stored) == []
    assert engines.ask(address(tmp_path), stored) == [("used",)]


async def test_no_request_asks_the_database_who_asks(tmp_path: Path) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        read = await create(site, "reader", "read", by=sent(ROOT))
        asked = 0
        store = site.app[STORE]
        usual = store.read

        async def counted(*told: Any) -> Any:
            nonlocal asked
            asked += 1
            return await usual(*told)

        store.read = counted
        began = time.monotonic()
        for _ in range(50):
            assert (await site.get("/", **sent(read))).status == 200
            assert (await site.get("/", **sent("wrong"))).status == 401
        assert asked <= time.monotonic() - began + 2  # one look a second, whatever is asked


# --- replicas, outages ----------------------------------------------------------------------------------------------


@pytest.mark.only("postgresql")
async def test_replicas_refuse_what_another_revoked_within_two_seconds(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(serving(tmp_path)) for _ in range(2)]
        boss = await create(first, "boss", "admin", by={})
        took = await until(second, boss, 200)
        for number in range(3):
            token = await create(first, f"t{number}", "read", by=sent(boss))
            took = max(took, await until(second, token, 200))
            await first.ask("DELETE", f"/api/v1/tokens/t{number}", headers=sent(boss))
            assert (await first.get("/", **sent(token))).status == 401
            took = max(took, await until(second, token, 401))
        assert took < 2
        assert (await second.get("/")).status == 401


async def until(site: Site, token: str, status: int) -> float:
    """How long it takes until a request with that token gets that status."""
    began = time.monotonic()
    async with asyncio.timeout(10):
        while (await site.get("/", **sent(token))).status != status:
            await asyncio.sleep(0.02)
    return time.monotonic() - began


@pytest.mark.only("postgresql")
async def test_busy_readers_keep_no_revoked_token_alive(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(serving(tmp_path)) for _ in range(2)]
        boss = await create(first, "boss", "admin", by={})
        await until(second, boss, 200)
        store = second.app[STORE]
        slow = [
            asyncio.create_task(store.read(lambda c: c.exec_driver_sql("SELECT pg_sleep(5)").scalar()))
            for _ in range(4)
        ]
        await asyncio.sleep(0.2)
        await first.ask("DELETE", "/api/v1/tokens/boss", headers=sent(boss))
        assert await until(second, boss, 401) < 2
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.only("postgresql")
def test_without_the_database_known_tokens_work_for_what_can_and_none_is_made_up(tmp_path: Path) -> None:
    with engines.server(durable=True) as database:
        url = engines.create(database, "away")
        with running(tmp_path, url=url) as server:
            tokens = {"admin": made(server.url, "admin", {})}
            tokens["intake"] = made(server.url, "intake", sent(tokens["admin"]))
            database.handle.stop()
            eventually(lambda: server.get("/readyz")[0] == 503, 10)
            status, page = ask(f"{server.url}/metrics", None, sent(tokens["admin"]))
            assert (status, "alertsage_store_up 0.0" in page) == (200, True)
            assert ask(f"{server.url}/-/reload", b"", sent(tokens["admin"]))[0] == 200
            assert ask(f"{server.url}/metrics", None, sent(tokens["intake"]))[0] == 403
            assert ask(f"{server.url}/metrics", None, sent("wrong"))[0] == 401
            assert ask(f"{server.url}/metrics")[0] == 401
            assert ask(f"{server.url}/api/v1/alerts", None, sent(tokens["admin"]))[0] == 503
        with running(tmp_path, f"server: {{token: {ROOT}}}", url=url, ready=False) as server:
            assert ask(f"{server.url}/metrics", None, sent(ROOT))[0] == 200
            assert ask(f"{server.url}/metrics")[0] == 401
            assert ask(f"{server.url}/metrics", None, sent(tokens["admin"]))[0] == 503
        with running(tmp_path, url=url, ready=False) as server:
            assert ask(f"{server.url}/metrics")[0] == 503  # perhaps tokens were made: nobody is let in on a guess
            database.start()
            eventually(lambda: server.get("/readyz")[0] == 200, 10)
            assert ask(f"{server.url}/metrics")[0] == 401
            assert ask(f"{server.url}/metrics", None, sent(tokens["admin"]))[0] == 200


def made(url: str, name: str, by: dict[str, str]) -> str:
    """A token whose name is its scope."""
    status, answer = ask(f"{url}/api/v1/tokens", json.dumps({"name": name, "scopes": [name]}).encode(), by)
    assert status == 201, answer
    return str(answer["token"])


# --- bounds ---------------------------------------------------------------------------------------------------------


async def test_there_are_bounds(tmp_path: Path) -> None:
    async with open_store(tmp_path / "alertsage.db") as store:
        values = [
            {"name": f"t{n}", "digest": digest(f"t{n}"), "scopes": "read", "created_by": "x", "created_at": n}
            for n in range(MOST)
        ]
        await store.write(lambda connection: connection.execute(insert(table), values) and None)
        with pytest.raises(Unfit, match="1000 tokens in force already"):
            await store.write(lambda connection: rows.add(connection, token("more")))
        for n in range(2):
            await store.write(lambda connection, n=n: rows.revoke(connection, f"t{n}", 50))
        await store.write(lambda connection: rows.add(connection, token("more")))
        assert len(await store.read(rows.every)) == MOST + 1
