"""Searches among more alerts than one chunk of the store's walk holds, through a real server."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.servers import Server, firing, running, webhook

MANY = 5_000
EACH = 200


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """One that knows MANY alerts, the eldest first in their numbers."""
    with running(tmp_path) as started:
        for first in range(0, MANY, EACH):
            alerts = [firing(f"Storm{n % 7}", host=f"h{n}", job="storm") for n in range(first, first + EACH)]
            assert started.post("/webhook", webhook(*alerts))[0] == 200
        yield started


def walked(server: Server, **asked: str) -> list[list[int]]:
    """The ids on each page of a list."""
    pages: list[list[int]] = []
    cursor = ""
    while True:
        status, page = server.get(f"/api/v1/alerts?{urlencode(asked | {'cursor': cursor} if cursor else asked)}")
        assert status == 200, page
        pages.append([alert["id"] for alert in page["alerts"]])
        assert len(pages) <= MANY / 100
        if page["next"] is None:
            return pages
        cursor = page["next"]


def test_pages_and_acts_find_each_of_many_alerts_once(server: Server) -> None:
    pages = walked(server, query="storm", limit="500")
    every = [number for page in pages for number in page]
    assert len(pages) == MANY / 500
    assert len(every) == len(set(every)) == MANY
    for sort in ("newest", "priority", "started_at"):
        pages = walked(server, query="nowhere", sort=sort)
        assert not any(pages)
        assert len(pages) <= 2, "a page looks at thousands before it leaves the rest to the next"
    for query, found in (("storm", MANY), ("job=storm status:active", MANY), ("job=~sto.*", MANY), ("nowhere", 0)):
        body = {"action": "note", "note": "all of them", "query": query, "dry_run": True}
        assert server.post("/api/v1/alerts/bulk", body) == (
            200,
            {"action": "note", "changed": found, "skipped": 0, "dry_run": True},
        )
