"""Grafana's webhooks over HTTP: methods, signatures, values, links, rules that cannot be judged."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support import Site, serving

SAMPLE = json.loads((Path(__file__).parent.parent / "examples/grafana-firing.json").read_text())
SECRET = "graf-secret"


def signed(timestamp_header: str = "") -> str:
    """A configuration with a signature."""
    signature = {"secrets": [SECRET]} | ({"timestamp_header": timestamp_header} if timestamp_header else {})
    return json.dumps({"sources": {"grafana": {"kind": "grafana", "auth": {"signature": signature}}}})


def hexed(message: bytes) -> str:
    """The HMAC as Grafana writes it."""
    return hmac.new(SECRET.encode(), message, hashlib.sha256).hexdigest()


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """alertsage without configuration."""
    async with serving(tmp_path) as served:
        yield served


def body(**fields: Any) -> dict[str, Any]:
    """The sample with these fields of its alert instead."""
    whole = deepcopy(SAMPLE)
    whole["alerts"][0] |= fields
    return whole


async def only(site: Site) -> dict[str, Any]:
    """The one alert."""
    (alert,) = (await site.get("/api/v1/alerts")).json["alerts"]
    return dict(alert)


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("address", ["/webhook/grafana", "/webhook/grafana/", "/webhook/grafana/grafana"])
async def test_post_and_put_are_taken(site: Site, method: str, address: str) -> None:
    answer = await site.ask(method, address, json.dumps(SAMPLE).encode())
    assert (answer.status, answer.json["outcomes"]) == (200, {"opened": 1})
    alert = await only(site)
    assert (alert["title"], alert["started_at"]) == ("/var on db-1 is 93 % full", "2026-11-20T08:00:00.000Z")
    assert alert["facts"]["values"] == {"A": 93.2, "C": 1}
    titles = [link["title"] for link in alert["links"]]
    assert titles == ["Rule in Grafana", "Panel", "Dashboard", "Silence it in Grafana"]


async def test_put_is_for_grafana_only(site: Site) -> None:
    answer = await site.ask("PUT", "/webhook/alertmanager", json.dumps(SAMPLE).encode())
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("values", [None, {}, {"A": None}, "x", {"A": "x"}, {"A": True}])
async def test_values_may_be_missing_or_anything(site: Site, values: Any) -> None:
    await site.post("/webhook/grafana", body(values=values))
    assert (await only(site))["facts"].get("values") == ({"A": None} if values == {"A": None} else None)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("DatasourceNoData", "No data for the rule Orders"),
        ("DatasourceError", "Grafana could not evaluate the rule Orders"),
    ],
)
async def test_a_rule_that_cannot_be_judged_is_told_by_its_name(site: Site, name: str, title: str) -> None:
    labels = {"alertname": name, "rulename": "Orders", "datasource_uid": "abc", "ref_id": "A"}
    await site.post("/webhook/grafana", body(labels=labels, annotations={}, values=None))
    alert = await only(site)
    assert (alert["title"], alert["subject"], alert["category"]) == (title, "Orders", "availability")


async def test_the_test_button_is_nobodys_trouble(site: Site) -> None:
    await site.post("/webhook/grafana", body(labels={"alertname": "TestAlert", "instance": "Grafana"}))
    assert (await only(site))["priority"] == "info"


async def test_the_signature_is_over_the_raw_body(tmp_path: Path) -> None:
    raw = json.dumps(SAMPLE, indent=2).encode()
    async with serving(tmp_path, signed()) as site:
        for sent, signature, status in (
            (raw, hexed(raw), 200),
            (raw, hexed(raw + b" "), 401),
            (json.dumps(SAMPLE).encode(), hexed(raw), 401),
            (raw, "", 401),
        ):
            answer = await site.post("/webhook/grafana", sent, **{"X-Grafana-Alerting-Signature": signature})
            assert answer.status == status


async def test_with_a_timestamp_header_the_time_is_signed_too(tmp_path: Path) -> None:
    raw, now = json.dumps(SAMPLE).encode(), int(time.time())
    async with serving(tmp_path, signed("X-Time")) as site:
        for stamp, message, status in (
            (str(now), str(now).encode() + b":" + raw, 200),
            (str(now - 200), str(now - 200).encode() + b":" + raw, 200),
            (str(now - 400), str(now - 400).encode() + b":" + raw, 401),
            (str(now), raw, 401),
            (str(now - 1), str(now).encode() + b":" + raw, 401),
            ("soon", b"soon:" + raw, 401),
        ):
            headers = {"X-Grafana-Alerting-Signature": hexed(message), "X-Time": stamp}
            answer = await site.post("/webhook/grafana", raw, **headers)
            assert answer.status == status, (stamp, answer.body)
        late = await site.post(
            "/webhook/grafana",
            raw,
            **{"X-Grafana-Alerting-Signature": hexed(str(now - 400).encode() + b":" + raw), "X-Time": str(now - 400)},
        )
        assert "max_age" in late.json["detail"]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"version": "4"}, "Alertmanager posts to /webhook/alertmanager"),
        ({"alerts": "x"}, "a custom payload"),
    ],
)
async def test_what_is_not_grafanas_is_refused_with_the_way_out(
    site: Site, wrong: dict[str, Any], sentence: str
) -> None:
    whole = {key: value for key, value in SAMPLE.items() if key not in ("orgId", "version")} | wrong
    answer = await site.post("/webhook/grafana", whole)
    assert answer.status == 400
    assert sentence in answer.json["detail"]
    answer = await site.post("/webhook/alertmanager", SAMPLE)
    assert answer.status == 400
    assert "/webhook/grafana" in answer.json["detail"]
