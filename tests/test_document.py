"""The API's document: right, whole, the same as what serves; and a page that people can read and paste from."""

import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from html import unescape
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic_core import from_json, to_json

from receiver.web.openapi import TAGS
from receiver.web.openapi import document as made
from receiver.web.routes import ROUTES
from receiver.web.table import Asks
from tests.servers import ask, firing, running, webhook
from tests.support import Answer, Site, serving

APART = {
    ("GET", "/"),
    ("GET", "/api"),
    ("GET", "/api/openapi.json"),
    ("GET", "/-/healthy"),
    ("GET", "/-/ready"),
}
"""Routes that the document leaves out: itself, pages for people, other names of the same."""
pytestmark = pytest.mark.only("sqlite")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults."""
    async with serving(tmp_path) as served:
        yield served


@pytest.fixture
def document() -> Any:
    """As it is made of the table."""
    return from_json(to_json(made(ROUTES, "1.2.3")))


@pytest.fixture
async def page(site: Site) -> Answer:
    """As served."""
    return await site.get("/api")


# --- for programs ---------------------------------------------------------------------------------------------------


def test_it_is_an_openapi_document(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_route_is_in_it(document: Any) -> None:
    told = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert told == {(route.method, route.path) for route in ROUTES} - APART


def test_each_operation_says_what_it_is_and_asks_for_what_the_route_does(document: Any) -> None:
    asks = {(route.method, route.path): route.asks for route in ROUTES}
    operations = [
        (asks[method.upper(), path], operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(set(ids)) == len(ids)
    for asked, operation in operations:
        assert operation["summary"]
        assert set(operation["tags"]) <= TAGS.keys()
        match asked:
            case Asks.NOTHING:
                assert operation["security"] == []
            case Asks.SOURCE:
                assert {} in operation["security"]
            case _:
                assert operation["security"] == [{"token": [str(asked)]}]
                assert {"401", "403"} <= operation["responses"].keys()


def test_a_number_is_a_number(document: Any) -> None:
    parameters = [
        parameter
        for methods in document["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    ]
    assert {one["schema"]["type"] for one in parameters if one["name"] == "id"} == {"integer"}
    assert all("example" in one for one in parameters if one["in"] == "path")


def test_every_shape_says_what_it_is(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description") or "properties" not in schema, f"{name} says nothing of itself"


async def test_it_is_served_as_it_is_made(site: Site, document: Any) -> None:
    first, second = [(await site.get("/api/openapi.json")) for _ in range(2)]
    assert first.body == second.body
    assert first.headers["Content-Type"] == "application/json"
    assert first.json == document | {"info": document["info"] | {"version": version("alertsage")}}


async def test_answers_have_no_more_than_it_tells(site: Site, document: Any) -> None:
    """Answers may grow, but not unsaid."""
    await site.post("/webhook", webhook(firing("A", severity="critical", instance="web-1")))
    for path, shape in (("/api/v1/alerts/1", "AlertWithHistory"), ("/api/v1/alerts", "AlertPage")):
        answer = (await site.get(path)).json
        assert answer.keys() == document["components"]["schemas"][shape]["properties"].keys()
    (listed,) = answer["alerts"]
    assert listed.keys() == document["components"]["schemas"]["AlertForm"]["properties"].keys()


# --- for people -----------------------------------------------------------------------------------------------------


def test_the_page_shows_every_operation(page: Answer, document: Any) -> None:
    text = page.body.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for methods in document["paths"].values():
        for operation in methods.values():
            assert f'<h3 id="{operation["operationId"]}">' in text
    anchors = re.findall(r'href="#([^"]+)"', text)
    assert anchors
    assert set(anchors) <= set(re.findall(r'id="([^"]+)"', text))


def test_the_page_needs_nothing_from_elsewhere(page: Answer) -> None:
    text = page.body.decode()
    assert not re.search(r"<(script|link|img|iframe|object|embed|form|base)\b|@import|url\(|\bstyle=|\son\w+=", text)
    assert set(re.findall(r'href="([^"#]+)"', text)) == {"/api/openapi.json"}
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    policy = page.headers["Content-Security-Policy"]
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert "prefers-color-scheme: dark" in style


async def test_its_examples_ask_where_the_request_came_to(tmp_path: Path) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "http://127.0.0.1:"),
        ({"Host": "alerts.example.org:8443", "X-Forwarded-Proto": "https"}, "https://alerts.example.org:8443/webhook"),
        ({"Host": "[::1]:9911"}, "http://[::1]:9911/webhook"),
        ({"Host": "x';curl evil;'<b>"}, "http://127.0.0.1:9911/webhook"),
        ({"Host": "a b"}, "http://127.0.0.1:9911/webhook"),
    ]
    async with serving(tmp_path, "server: {token: t0p}") as site:
        for headers, shown in cases:
            text = (await site.get("/api", Authorization="Bearer t0p", **headers)).body.decode()
            assert shown in unescape(text)
            assert "evil" not in text
            assert "t0p" not in text


def test_every_example_works_as_it_is_printed(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: apt-get install curl")
    with running(tmp_path, "server: {token: t0p}") as server:
        server.post("/webhook", webhook(*[firing(f"A{n}", severity="critical") for n in range(3)]))
        _, text = ask(f"{server.url}/api", headers={"Authorization": "Bearer t0p"})
        commands = [unescape(found) for found in re.findall(r"<pre><code>(curl .*?)</code></pre>", text, re.DOTALL)]
        assert len(commands) == len([route for route in ROUTES if route.operation])
        for command in commands:
            asked = f"{command.replace('Bearer TOKEN', 'Bearer t0p')} -o answer -w '%{{http_code}}'"
            done = subprocess.run(asked, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
            assert done.stdout.startswith("2"), f"{command}\n{done.stdout} {(tmp_path / 'answer').read_text()}"


# --- of all answers -------------------------------------------------------------------------------------------------


async def test_answers_are_kept_nowhere_and_are_what_they_say(site: Site) -> None:
    for path in ("/api", "/api/openapi.json", "/api/v1/alerts", "/api/v1/alerts/7", "/nowhere"):
        for method in ("GET", "HEAD", "POST"):
            answer = await site.ask(method, path)
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "Content-Type" in answer.headers


async def test_a_method_that_is_not_there_is_told_which_are(site: Site) -> None:
    for path in ("/api", "/api/openapi.json", "/healthz", "/"):
        for method in ("OPTIONS", "DELETE", "PATCH", "TRACE", "PUT"):
            answer = await site.ask(method, path)
            assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
            assert answer.headers["Content-Type"] == "application/problem+json"


async def test_an_absurd_number_is_none_that_there_is(site: Site) -> None:
    await site.post("/webhook", webhook(firing("A")))
    for number in ("0", "-1", "1.0", "1e3", "9" * 18, "9" * 30, "%00", "%ED%A0%80", "%F0", "%EF%BC%91", "1" * 4300):
        answer = await site.get(f"/api/v1/alerts/{number}")
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")


async def test_a_large_list_is_compressed_for_those_who_take_that(site: Site) -> None:
    await site.post("/webhook", webhook(*[firing(f"A{n}") for n in range(40)]))
    for accepts, encoding in (("gzip", "gzip"), ("identity", None)):
        answer = await site.get("/api/v1/alerts", **{"Accept-Encoding": accepts})
        assert answer.headers.get("Content-Encoding") == encoding
        assert len(answer.json["alerts"]) == 40
        head = await site.ask("HEAD", "/api/v1/alerts", headers={"Accept-Encoding": accepts})
        assert (head.status, head.body, head.headers.get("Content-Encoding")) == (200, b"", encoding)


async def test_what_is_no_request_is_told_so(site: Site) -> None:
    for path, headers in (("/api/v1/alerts?q=" + "a" * 9000, {}), ("/healthz", {"X-Long": "a" * 9000})):
        answer = await site.ask("GET", path, headers=headers)
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
        assert b"aaa" not in answer.body
