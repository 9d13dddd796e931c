"""The rule book over HTTP: listed, read, tried on webhooks that are stored nowhere."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.servers import firing, webhook
from tests.support import Site, serving

MINE = """- id: test
  rank: 300
  when: name = "BeatMissing"
  say: [ {text: Look at the drummer.} ]
  examples: {matches: [ {name: BeatMissing} ], ignores: [ {name: Other} ]}
"""
pytestmark = pytest.mark.only("sqlite")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    (tmp_path / "mine/recommendations").mkdir(parents=True)
    (tmp_path / "mine/recommendations/mine.yaml").write_text(MINE)
    async with serving(tmp_path, f"rules: {{folder: {tmp_path}/mine}}") as served:
        yield served


async def test_rules_are_found_by_their_words(site: Site) -> None:
    every = (await site.get("/api/v1/rules")).json["rules"]
    found = (await site.get("/api/v1/rules?q=DRUMMER+look")).json["rules"]
    assert len(every) > 100
    assert [rule["id"] for rule in found] == ["test"]
    assert found[0] in every
    assert (found[0]["kind"], found[0]["rank"], found[0]["line"]) == ("recommendation", 300, 1)


async def test_a_rule_is_read_by_its_id_whatever_that_is(site: Site) -> None:
    (rule,) = (await site.get("/api/v1/rules/test")).json["rules"]
    assert "Look at the drummer." in rule["text"]
    missing = await site.get("/api/v1/rules/nothing")
    assert (missing.status, "GET /api/v1/rules" in missing.json["detail"]) == (404, True)


async def test_a_webhook_is_tried_and_stored_nowhere(site: Site) -> None:
    tried = (await site.post("/api/v1/trials", webhook(firing("BeatMissing"), {"status": "odd"}))).json
    (alert,) = tried["alerts"]
    said = {rule["id"]: rule for rule in alert["rules"]}["test"]
    assert (said["applies"], said["says"]) == (True, ["Look at the drummer."])
    assert said["why"][0]["saw"] == '"BeatMissing"'
    assert [bad["index"] for bad in tried["unread"]] == [1]
    assert (await site.get("/api/v1/alerts")).json["alerts"] == []


async def test_one_rule_is_tried_also_where_it_does_not_apply(site: Site) -> None:
    tried = (await site.post("/api/v1/trials?rule=test", webhook(firing("Other")))).json
    (judged,) = tried["alerts"][0]["rules"]
    assert (judged["id"], judged["applies"], judged["says"]) == ("test", False, [])
    for query in ("rule=nothing", "source=nobody", "name=x"):
        assert (await site.post(f"/api/v1/trials?{query}", webhook(firing("Other")))).status in (400, 404)
