"""Each route of the table with each credential, against the page that says what is to come of it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from aiohttp import encode_basic_auth
from multidict import CIMultiDict

from receiver.domain.tokens import PREFIX, Scope
from receiver.web.routes import ROUTES
from receiver.web.table import Asks, Route
from tests.credentials import CELLS, COLUMNS, documented, line, named
from tests.servers import firing, webhook
from tests.support import Site, serving
from tests.tokens import ROOT, create, expired, sent

SOURCES = "sources: {alertmanager: {auth: {bearer: own}}, grafana: {kind: grafana, auth: {bearer: own}}}\n"
WITH_ROOT = f"server: {{token: {ROOT}}}\n{SOURCES}"
BODY = json.dumps(webhook(firing("A"))).encode()
BLANKS = {"kind": "alertmanager", "id": "1", "form": "system"}


def test_every_route_has_its_line_on_the_page_and_no_other_is_there() -> None:
    table = documented()
    missing = [line(route) for route in ROUTES if named(route) not in table]
    assert not missing, "docs/tokens.md lacks:\n" + "\n".join(missing)
    assert not table.keys() - {named(route) for route in ROUTES}, "docs/tokens.md has routes that are not there"
    for route in ROUTES:
        assert tuple(table[named(route)][column] for column in COLUMNS) == CELLS[route.asks], line(route)


def filled(route: Route) -> str:
    """Its path, with something in its blanks that is there if it can be."""
    name = "grafana" if "grafana" in route.path else "alertmanager" if "webhook" in route.path else "nobody"
    return re.sub(r"\{(\w+)\}", lambda blank: BLANKS.get(blank[1], name), route.path)


async def came(site: Site, route: Route, headers: Mapping[str, str], query: str = "") -> str:
    """`yes` when the request was let in, else the status."""
    body = None if route.method in ("GET", "DELETE") else BODY if route.asks is Asks.SOURCE else b"{}"
    told = CIMultiDict(headers)
    told["Content-Type"] = "application/json"
    answer = await site.ask(route.method, filled(route) + query, body, told)
    assert answer.status < 500, (named(route), answer.body)
    if answer.status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    if answer.status == 403:
        assert answer.json["detail"].startswith("this needs a token of scope ")
    return str(answer.status) if answer.status in (401, 403) else "yes"


def malformed(token: str) -> Iterator[tuple[Mapping[str, str], str]]:
    """A good token, sent as none must be taken: headers, and what stands behind the address."""
    bad = ["", " ", "Bearer", "Bearer ", f"Bearer {PREFIX}", "Bearer " + "é" * 30, "Bearer " + "a" * 7000]
    bad += [token, f"Token {token}", f"Basic {token}", f"Bearer: {token}", f"Bearer,{token}", f"Bearer\t{token}"]
    bad += [f"Bearer {token} x", f"Bearer x {token}", f'Bearer "{token}"', f"Bearer {token[:-1]}", f"Bearer {token}0"]
    bad += [f"Bearer {token.upper()}", encode_basic_auth("", token), encode_basic_auth(token, "")]
    for authorization in bad:
        yield {"Authorization": authorization}, ""
    yield {}, f"?token={token}"
    yield {}, f"?access_token={token}"
    for header in ("X-Token", "X-Auth-Token", "Proxy-Authorization", "Cookie"):
        yield {header: f"Bearer {token}"}, ""


@pytest.mark.parametrize("config", [WITH_ROOT, SOURCES], ids=["server.token", "tokens only"])
async def test_each_route_with_each_credential(tmp_path: Path, config: str) -> None:
    async with serving(tmp_path, config) as site:
        root = sent(ROOT) if config is WITH_ROOT else {}
        admin = await create(site, "first", "admin", by=root)
        tokens = {str(scope): await create(site, scope, scope, by=sent(admin)) for scope in Scope}
        revoked = await create(site, "revoked", "admin", by=sent(admin))
        assert (await site.ask("DELETE", "/api/v1/tokens/revoked", headers=sent(admin))).status == 200
        over = await expired(site, "over", "admin", by=sent(admin))
        refused = {"nothing": {}, "wrong": sent(PREFIX + 64 * "0"), "other": sent("t0p"), "revoked": sent(revoked)}
        refused["expired"] = sent(over)
        table = documented()
        for route in ROUTES:
            said = table[named(route)]
            for what, headers in refused.items():
                assert await came(site, route, headers) == said["none"], (named(route), what)
            for scope, token in tokens.items():
                assert await came(site, route, sent(token)) == said[scope], (named(route), scope)
            by_root = said["server.token"] if root else said["none"]
            assert await came(site, route, sent(ROOT)) == by_root, (named(route), "server.token")
            assert await came(site, route, sent("own")) == said["source"], (named(route), "a source's secret")


async def test_a_good_token_sent_in_a_bad_way_proves_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, WITH_ROOT) as site:
        token = await create(site, "a", "admin", by=sent(ROOT))
        for route in ROUTES:
            if route.asks is not Asks.NOTHING:
                for headers, query in malformed(token):
                    assert await came(site, route, headers, query) == "401", (named(route), headers)


async def test_two_credentials_are_none(tmp_path: Path) -> None:
    async with serving(tmp_path, WITH_ROOT) as site:
        token = await create(site, "a", "admin", by=sent(ROOT))
        for pair in ((token, "wrong"), ("wrong", token), (token, token), (ROOT, "wrong")):
            headers = CIMultiDict([("Authorization", f"Bearer {one}") for one in pair])
            for path in ("/api/v1/alerts", "/webhook/alertmanager"):
                answer = await site.ask("GET" if "api" in path else "POST", path, BODY, headers)
                assert answer.status in (400, 401), (pair, path)


async def test_before_the_first_token_this_machine_needs_none_and_other_sites_get_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for route in ROUTES:
            if named(route) == "POST /api/v1/tokens":
                continue
            assert await came(site, route, {}) == "yes", named(route)
            assert await came(site, route, sent("whatever")) == "yes", named(route)
            for foreign in ({"Host": "evil.example.org"}, {"Origin": "https://evil.example.org"}):
                status = (await site.ask(route.method, filled(route), None, foreign)).status
                # whose a webhook without a name is shows only in its body, which is none here
                wanted = 200 if route.asks is Asks.NOTHING else 403
                assert status == wanted or route.path == "/webhook", named(route)


async def test_with_the_first_token_that_ends_and_no_end_of_a_token_brings_it_back(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        assert (await site.get("/api/v1/alerts")).status == 200
        token = await create(site, "first", "admin", by={})
        guarded = [route for route in ROUTES if route.asks not in (Asks.NOTHING, Asks.SOURCE)]
        for route in guarded:
            assert await came(site, route, {}) == "401", named(route)
        assert (await site.ask("DELETE", "/api/v1/tokens/first", headers=sent(token))).status == 200
        for route in guarded:
            assert await came(site, route, {}) == "401", named(route)
            assert await came(site, route, sent(token)) == "401", named(route)
        assert (await site.post("/webhook", webhook(firing("A")))).status == 200


async def test_a_source_without_a_secret_takes_this_machines_webhooks_and_with_a_token_others(tmp_path: Path) -> None:
    async with serving(tmp_path, f"server: {{token: {ROOT}}}") as site:
        intake, read = [await create(site, scope, scope, by=sent(ROOT)) for scope in ("intake", "read")]
        body = webhook(firing("A"))
        for headers in ({}, sent("wrong"), sent(read), sent(intake)):
            assert (await site.post("/webhook", body, **headers)).status == 200
        elsewhere = {"Host": "alerts.example.org"}
        for headers, status in (({}, 403), (sent("wrong"), 403), (sent(read), 403), (sent(intake), 200)):
            answer = await site.post("/webhook", body, **(elsewhere | headers))
            assert answer.status == status
            assert ("scope intake" in answer.body.decode()) == (headers == sent(read))


async def test_a_token_stands_in_for_a_signature_too(tmp_path: Path) -> None:
    config = "sources: {sentry: {kind: sentry, auth: {signature: {secrets: [s]}}}}"
    async with serving(tmp_path, config) as site:
        intake = await create(site, "intake", "intake", by={})
        body = {"action": "created", "installation": {"uuid": "u"}, "data": {"installation": {}}}
        resource = {"Sentry-Hook-Resource": "installation"}
        wrong = {"Sentry-Hook-Signature": "0" * 64}
        for headers, status in (
            (wrong, 401),
            ({}, 401),
            (sent(intake), 200),
            (wrong | sent(intake), 200),
            (wrong | sent(PREFIX + "0" * 64), 401),
        ):
            assert (await site.post("/webhook/sentry", body, **(resource | headers))).status == status
