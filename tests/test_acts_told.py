"""What is said of acts that do not fit because of a silence, and of notes that are sent again meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import firing, webhook
from tests.support import Site, serving

JSON = {"Content-Type": "application/json"}
ALERTS = "/api/v1/alerts"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults."""
    async with serving(tmp_path) as served:
        yield served


async def done(site: Site, path: str, **said: Any) -> Any:
    """Post something that must work; the answer."""
    answer = await site.post(path, said, **JSON)
    assert answer.status < 300, answer.body
    return answer.json


async def test_who_cannot_acknowledge_is_told_what_to_end(site: Site) -> None:
    """What an unsuppress would not wake is not sent to it."""
    made = await done(site, "/api/v1/silences", matchers=["host=a"], comment="disks", lasts="2h", who="ops")
    await site.post("/webhook", webhook(firing("Down", host="a"), firing("Down", host="b")))
    held, other = sorted(alert["id"] for alert in (await site.get(ALERTS)).json["alerts"])
    assert (await site.get(f"{ALERTS}/{held}")).json["status"] == "suppressed"
    refused = await site.post(f"{ALERTS}/{held}/acknowledge", {"who": "ada"}, **JSON)
    assert refused.status == 409
    assert refused.json["detail"].endswith(f"(expire silence {made['id']} first)")
    await done(site, f"{ALERTS}/{other}/suppress", who="ops", duration="1h")
    refused = await site.post(f"{ALERTS}/{other}/acknowledge", {"who": "ada"}, **JSON)
    assert refused.json["detail"].endswith("(unsuppress it first)")


@pytest.mark.parametrize("many", [False, True])
async def test_a_note_that_is_sent_again_is_one_also_when_something_happened_between(site: Site, many: bool) -> None:
    await site.post("/webhook", webhook(firing("Down", host="a")))
    (alert,) = ((await site.get(ALERTS)).json)["alerts"]
    number = alert["id"]

    async def note(text: str) -> None:
        if many:
            await done(site, f"{ALERTS}/bulk", who="ada", action="note", ids=[number], note=text)
        else:
            await done(site, f"{ALERTS}/{number}/notes", who="ada", note=text)

    await note("the replica lags")
    await done(site, f"{ALERTS}/{number}/acknowledge", who="ben")
    await note("the replica lags")
    await note("it catches up")
    kinds = [made["kind"] for made in (await site.get(f"{ALERTS}/{number}")).json["changes"]]
    assert kinds == ["opened", "noted", "acknowledged", "noted"]
