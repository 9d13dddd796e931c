"""`POST /webhook` finds out whose webhook it is: by its headers, then by its keys."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sentry import event, hook, issue, legacy
from tests.servers import firing, webhook
from tests.support import serving

GRAFANA = webhook(firing("A")) | {"version": "1", "orgId": 1}
CASES: list[tuple[dict[str, str], Any, str]] = [
    ({}, webhook(firing("A")), "alertmanager"),
    ({"User-Agent": "Alertmanager/0.27.0"}, {"alerts": [firing("A")]}, "alertmanager"),
    ({}, GRAFANA, "grafana"),
    ({"User-Agent": "Grafana"}, {key: value for key, value in GRAFANA.items() if key != "orgId"}, "grafana"),
    ({"Sentry-Hook-Resource": "issue"}, hook("created", issue=issue()), "sentry"),
    ({}, hook("created", issue=issue()), "sentry"),
    ({}, hook("triggered", event=event()), "sentry"),
    ({}, legacy(), "sentry"),
]


@pytest.mark.parametrize(("headers", "body", "kind"), CASES)
async def test_the_form_tells_the_sender(tmp_path: Path, headers: dict[str, str], body: Any, kind: str) -> None:
    async with serving(tmp_path) as site:
        answer = await site.post("/webhook", body, **headers)
        assert (answer.status, answer.json["outcomes"]) == (200, {"opened": 1}), answer.body
        (alert,) = (await site.get("/api/v1/alerts")).json["alerts"]
        assert (alert["kind"], alert["source"]) == (kind, kind)


async def test_a_large_body_is_read_only_when_its_headers_tell_whose_it_is(tmp_path: Path) -> None:
    body = json.dumps(webhook(firing("A", annotations={"text": "x" * 50_000}, host="h")) | {"x": "y" * 300_000})
    async with serving(tmp_path) as site:
        answer = await site.post("/webhook", body.encode())
        assert (answer.status, "/webhook/KIND/NAME" in answer.json["detail"]) == (413, True)
        assert (await site.post("/webhook", body.encode(), **{"User-Agent": "Alertmanager/0.27.0"})).status == 200


async def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        assert (await site.post("/webhook", b"\xef\xbb\xbf" + json.dumps(legacy()).encode())).status == 200


@pytest.mark.parametrize("body", [{"a": 1}, [1], "x", {"alerts": {}}, {"data": 5}])
async def test_an_unknown_form_is_told_where_to_go(tmp_path: Path, body: Any) -> None:
    async with serving(tmp_path) as site:
        answer = await site.post("/webhook", json.dumps(body).encode())
        assert answer.status == 400
        assert "/webhook/generic/NAME" in answer.json["detail"]


async def test_of_several_sources_of_a_kind_the_one_named_like_it_is_meant(tmp_path: Path) -> None:
    async with serving(tmp_path, "sources: {sentry: {kind: sentry}, other: {kind: sentry}}") as site:
        assert (await site.post("/webhook", legacy())).status == 200
    async with serving(tmp_path, "sources: {eu: {kind: sentry}, us: {kind: sentry}}") as site:
        answer = await site.post("/webhook", legacy())
        assert answer.status == 404
        assert "/webhook/sentry/eu, /webhook/sentry/us" in answer.json["detail"]


async def test_a_kind_that_is_not_configured_is_told(tmp_path: Path) -> None:
    async with serving(tmp_path, "sources: {am: {}}") as site:
        answer = await site.post("/webhook", legacy())
        assert answer.status == 404
        assert "no source is configured of kind sentry" in answer.json["detail"]


async def test_the_sources_own_secret_is_asked_for_here_too(tmp_path: Path) -> None:
    config = "sources: {am: {auth: {bearer: s3cret}}, sentry: {kind: sentry, auth: {url_token: t0ken}}}"
    async with serving(tmp_path, config) as site:
        assert (await site.post("/webhook", webhook(firing("A")))).status == 401
        assert (await site.post("/webhook", webhook(firing("A")), Authorization="Bearer s3cret")).status == 200
        assert (await site.post("/webhook", legacy(), Authorization="Bearer s3cret")).status == 401
        assert (await site.post("/webhook?token=t0ken", legacy())).status == 200
