"""What is said of a body or a parameter that does not fit: one plain sentence that names the field, and nothing that
only pydantic's readers know."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import serving

ACK, SUPPRESS, BULK, SILENCES = (
    "/api/v1/alerts/1/acknowledge",
    "/api/v1/alerts/1/suppress",
    "/api/v1/alerts/bulk",
    "/api/v1/silences",
)
TOKENS, META = "/api/v1/tokens", "/api/v1/alerts/1/metadata"
MATCHERS = {"matchers": ["a=b"], "comment": "c"}
END = "2026-12-24T20:00:00+01:00"
POSTED: list[tuple[str, Any, str]] = [
    (ACK, [], "the body must be an object"),
    (ACK, {"colour": "red"}, "colour: is not known here"),
    (ACK, {"note": 5}, "note: must be text"),
    (ACK, {"note": "x" * 10_001}, "note: has more than 10000 characters"),
    (ACK, {"version": "1"}, "version: must be a whole number"),
    (ACK, {"version": 1.5}, "version: must be a whole number"),
    (ACK, {"version": -1}, "version: must be at least 0"),
    (SUPPRESS, {}, "give either duration (2h) or until (2026-11-23T08:00:00Z)"),
    (SUPPRESS, {"until": "tomorrow"}, f"until: is not a moment with its offset, e.g. {END}"),
    (SUPPRESS, {"until": "2026-12-01"}, f"until: is not a moment with its offset, e.g. {END}"),
    (SUPPRESS, {"until": "2026-12-01T00:00:00"}, f"until: does not say its offset; write e.g. {END}"),
    (SUPPRESS, {"until": 5}, f"until: must be a moment as text, e.g. {END}"),
    (META, {}, "metadata: is missing"),
    (META, {"metadata": []}, "metadata: must be an object"),
    (BULK, {"action": "acknowledge"}, "give either ids or query"),
    (BULK, {"action": "acknowledge", "ids": []}, "ids: is empty"),
    (BULK, {"action": "acknowledge", "ids": ["1"]}, "ids.0: must be a whole number"),
    (BULK, {"action": "acknowledge", "ids": list(range(1, 10_002))}, "ids: has more than 10000 of them"),
    (BULK, {"action": "acknowledge", "ids": [1], "dry_run": 1}, "dry_run: must be true or false"),
    (BULK, {"action": "note", "ids": [1]}, "note: is missing"),
    (BULK, {"action": "note", "ids": [1], "note": " "}, "note: is empty"),
    (BULK, {"action": "suppress", "ids": [1]}, "give either duration (2h) or until (2026-11-23T08:00:00Z)"),
    (BULK, {"action": "ack", "ids": [1]}, "action: must be one of acknowledge, resolve, suppress, "),
    (SILENCES, {}, "matchers: is missing"),
    (SILENCES, MATCHERS | {"matchers": 5}, "matchers: must be a list"),
    (SILENCES, MATCHERS | {"matchers": [5]}, "matchers.0: must be text"),
    (SILENCES, MATCHERS | {"lasts": 3600}, "lasts: must be text"),
    (TOKENS, {"name": "a b", "scopes": ["read"]}, "a token's name has up to 63 of a-z, 0-9, "),
    (TOKENS, {"name": "a", "scopes": []}, "scopes: is empty"),
    (TOKENS, {"name": "a", "scopes": ["all"]}, "scopes.0: must be one of intake, read, act or admin"),
]
ASKED = [
    ("limit=0", "limit: must be at least 1"),
    ("limit=501", "limit: must be at most 500"),
    ("limit=x", "limit: must be a whole number"),
    ("state=", "state.0: must be one of active, pending or expired"),
    ("colour=red", "colour: is not known here"),
]


@pytest.mark.only("sqlite")
async def test_what_does_not_fit_is_told_in_a_plain_sentence(tmp_path: Path) -> None:
    async with serving(tmp_path) as site:
        for path, body, sentence in POSTED:
            answer = await site.post(path, body, **{"Content-Type": "application/json"})
            assert answer.status == 422, (path, body, answer.body)
            assert answer.json["detail"].startswith(sentence), (path, str(body)[:80], answer.json["detail"])
        for query, sentence in ASKED:
            answer = await site.get(f"{SILENCES}?{query}")
            assert (answer.status, answer.json["detail"]) == (400, sentence)
