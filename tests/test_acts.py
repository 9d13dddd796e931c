"""What people do to alerts over HTTP: the whole state table, races, versions, suppressions, and mistakes."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from receiver.domain import times
from receiver.domain.times import DAY
from receiver.store import health, sweeps
from receiver.web.keys import STORE
from tests.monitoring import eventually
from tests.servers import firing, resolved, running, webhook
from tests.support import Answer, Site, serving

STATUSES = ("active", "acknowledged", "suppressed", "resolved", "expired")
BODIES: dict[str, dict[str, Any]] = {
    "acknowledge": {"note": "looking"},
    "resolve": {},
    "suppress": {"reason": "maintenance", "duration": "1h"},
    "unsuppress": {"reason": "done"},
    "reopen": {"reason": "not over"},
    "notes": {"note": "odd"},
    "assign": {"assignee": "cleo"},
    "metadata": {"metadata": {"ticket": "OPS-1"}},
}
"""A body for each act, by the last part of its address."""
NO = None
TABLE = {
    # what another person's act makes of an alert that is active, acknowledged, suppressed, resolved, expired
    "acknowledge": ("acknowledged", NO, NO, NO, NO),
    "resolve": ("resolved", "resolved", "resolved", NO, NO),
    "suppress": ("suppressed", "suppressed", "suppressed", "resolved", "expired"),
    "unsuppress": (NO, NO, "active", NO, NO),
    "reopen": (NO, NO, NO, "active", "active"),
    "notes": STATUSES,
    "assign": STATUSES,
    "metadata": STATUSES,
}
KINDS = {
    "acknowledge": "acknowledged",
    "resolve": "resolved",
    "suppress": "suppressed",
    "unsuppress": "unsuppressed",
    "reopen": "reopened",
    "notes": "noted",
    "assign": "assigned",
    "metadata": "amended",
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The application with its defaults, judged at the end."""
    async with serving(tmp_path) as served:
        yield served
        assert await served.app[STORE].read(lambda c: list(health.problems(c))) == []


def ago(**length: float) -> str:
    """A moment in the past, as senders write it."""
    return (datetime.now(UTC) - timedelta(**length)).isoformat().replace("+00:00", "Z")


async def post(site: Site, path: str, body: Any, **headers: str) -> Answer:
    """Post JSON, under that path of alerts."""
    return await site.post(f"/api/v1/alerts/{path}", body, **{"Content-Type": "application/json"}, **headers)


async def opened(site: Site, *hosts: str) -> list[int]:
    """New alerts of these hosts; their ids."""
    taken = await site.post("/webhook", webhook(*(firing("Down", ago(minutes=5), host=host) for host in hosts)))
    assert taken.status == 200
    listed = (await site.get("/api/v1/alerts?limit=500")).json["alerts"]
    ids = {alert["labels"]["host"]: alert["id"] for alert in reversed(listed)}
    return [ids[host] for host in hosts]


async def act(site: Site, alert: int, name: str, who: str = "ada", **said: Any) -> Answer:
    """Post an act."""
    return await post(site, f"{alert}/{name}", {"who": who, **said})


async def bulk(site: Site, action: str, **said: Any) -> Answer:
    """Post a bulk act of ada's."""
    return await post(site, "bulk", {"who": "ada", "action": action, **said})


async def done(site: Site, alert: int, name: str, who: str = "ada", **said: Any) -> dict[str, Any]:
    """Post an act that must work; the alert."""
    answer = await act(site, alert, name, who, **said)
    assert answer.status == 200, answer.body
    shown: dict[str, Any] = answer.json
    assert answer.headers["ETag"] == f'"{shown["version"]}"'
    return shown


async def seen(site: Site, alert: int) -> dict[str, Any]:
    """The alert, with its Changes."""
    return _timeless((await site.get(f"/api/v1/alerts/{alert}")).json)


async def brought(site: Site, alert: int, status: str) -> None:
    """Bring an active alert into that status."""
    if status == "expired":
        await site.app[STORE].write(lambda c: sweeps.expire_silent(c, [alert], times.now() + 4 * DAY))
    elif status != "active":
        name = {"acknowledged": "acknowledge", "suppressed": "suppress", "resolved": "resolve"}[status]
        await done(site, alert, name, **({"duration": "2h"} if status == "suppressed" else {}))


# --- the state table ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLE)
async def test_the_state_table(site: Site, name: str) -> None:
    alerts = await opened(site, *STATUSES)
    for alert, before, after in zip(alerts, STATUSES, TABLE[name], strict=True):
        await brought(site, alert, before)
        was = await seen(site, alert)
        assert was["status"] == before
        answer = await act(site, alert, name, "ben", **BODIES[name])
        now = await seen(site, alert)
        if after is None:
            assert answer.status == 409, (before, answer.body)
            assert answer.json["detail"].startswith(f"alert {alert} is {before} and cannot be ")
            assert any(who in answer.json["detail"] for who in ("ada ", "alertsage ", "source:alertmanager "))
            assert now == was
            continue
        assert answer.status == 200, (before, answer.body)
        assert _timeless(answer.json) == now
        assert (now["status"], now["version"]) == (after, was["version"] + 1)
        told = [now["changes"][-1][part] for part in ("kind", "who", "via", "before", "after")]
        assert told == [KINDS[name], "ben", "api:local", before, after]
        # who repeats it changes nothing
        again = await act(site, alert, name, "ben", **BODIES[name])
        assert (again.status, again.json["version"]) == (200, now["version"])


def _timeless(shown: dict[str, Any]) -> dict[str, Any]:
    """Without what is found anew, and timed, at every look."""
    return {name: held for name, held in shown.items() if name != "enrichers"}


async def test_each_change_says_what_it_altered(site: Site) -> None:
    (alert,) = await opened(site, "a")
    await done(site, alert, "assign", assignee="ben", note="knows the pool")
    await done(site, alert, "metadata", metadata={"ticket": "OPS-1", "tries": 1})
    await done(site, alert, "metadata", metadata={"ticket": None, "tries": 2})
    suppressed = await done(site, alert, "suppress", duration="1h30m", reason="maintenance")
    await done(site, alert, "unsuppress")
    reopened = await done(site, alert, "resolve", note="fixed")
    reopened = await done(site, alert, "reopen")
    last = await done(site, alert, "assign", assignee=None)
    altered = [change["altered"] for change in last["changes"]]
    until = suppressed["suppressed_until"]
    assert altered[1:6] == [
        {"assignee": [None, "ben"]},
        {"metadata.ticket": [None, "OPS-1"], "metadata.tries": [None, 1]},
        {"metadata.ticket": ["OPS-1", None], "metadata.tries": [1, 2]},
        {"suppressed_until": [None, until]},
        {"suppressed_until": [until, None]},
    ]
    assert altered[7:] == [{"ended_at": [altered[7]["ended_at"][0], None]}, {"assignee": ["ben", None]}]
    assert [change["why"] for change in last["changes"][1:]] == [
        "assigned to ben: knows the pool",
        "",
        "",
        "maintenance",
        "",
        "fixed",
        "",
        "assigned to nobody",
    ]
    assert (last["metadata"], last["assignee"], reopened["ended_at"]) == ({"tries": 2}, None, None)
    length = times.parse_rfc3339(until) - times.parse_rfc3339(suppressed["changes"][-1]["at"])  # type: ignore[operator]
    assert abs(length - 90 * times.MINUTE) <= times.MILLISECOND


async def test_without_who_the_caller_acts_and_nobody_vouches(site: Site) -> None:
    (alert,) = await opened(site, "a")
    answer = await post(site, f"{alert}/acknowledge", {})
    assert [answer.json["changes"][-1][part] for part in ("who", "via")] == ["local", "api"]


@pytest.mark.parametrize("name", ["acknowledge", "resolve", "suppress"])
async def test_repeated_with_other_words_they_are_kept_as_a_note(site: Site, name: str) -> None:
    (alert,) = await opened(site, "a")
    word = "reason" if name == "suppress" else "note"
    length = {"duration": "1h"} if name == "suppress" else {}
    await done(site, alert, name, **length, **{word: "one"})
    for _ in range(2):
        shown = await done(site, alert, name, **length, **{word: "two"})
        assert [(change["kind"], change["why"]) for change in shown["changes"][1:]] == [
            (KINDS[name], "one"),
            ("noted", "two"),
        ]
        assert (await done(site, alert, name, **length))["version"] == shown["version"]


async def test_what_its_sender_resolved_takes_a_persons_word_of_what_fixed_it(site: Site) -> None:
    down = firing("Down", ago(minutes=5), host="a")
    await site.post("/webhook", webhook(down))
    await site.post("/webhook", webhook(resolved(down, ago(minutes=1))))
    answer = await act(site, 1, "resolve")
    assert answer.status == 409
    assert "source:alertmanager resolved it" in answer.json["detail"]
    ended = (await seen(site, 1))["ended_at"]
    shown = await done(site, 1, "resolve", note="restarted the pool")
    assert (shown["ended_at"], shown["resolved_by"], shown["changes"][-1]["why"]) == (ended, None, "restarted the pool")
    await brought(site, (await opened(site, "b"))[0], "expired")
    shown = await done(site, 2, "resolve", note="was over long ago")
    assert (shown["status"], shown["resolved_by"]) == ("resolved", "ada")
    # the next time it is told
    await site.post("/webhook", webhook(firing("Down", ago(seconds=1), host="a")))
    assert "restarted the pool" in (await seen(site, 1))["recommendations"][0]["text"]


# --- too late -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["acknowledge", "resolve"])
async def test_of_two_who_race_one_wins_and_the_other_is_told_who(site: Site, name: str) -> None:
    for round_ in range(5):
        (alert,) = await opened(site, f"h{round_}")
        answers = await asyncio.gather(*(act(site, alert, name, who, note=f"by {who}") for who in ("ada", "ben")))
        assert sorted(answer.status for answer in answers) == [200, 409]
        lost = next(answer for answer in answers if answer.status == 409).json["detail"]
        winner = (await seen(site, alert))["changes"][-1]["who"]
        assert f"{winner} {KINDS[name]} it just now (" in lost
        assert f'UTC): "by {winner}"' in lost
        assert len((await seen(site, alert))["changes"]) == 2


async def test_a_stale_page_cannot_overwrite_a_newer_state(site: Site) -> None:
    (alert,) = await opened(site, "a")
    await done(site, alert, "notes", who="ben", note="it is the disk")
    await done(site, alert, "assign", who="ben", assignee="ben", version=2)
    for said, headers in (({"version": 1}, {}), ({}, {"If-Match": '"1"'}), ({}, {"If-Match": 'W/"1"'})):
        body = {"who": "ada", **said}
        answer = await post(site, f"{alert}/resolve", body, **headers)
        assert answer.status == 409
        told = answer.json["detail"]
        assert told.startswith(f"alert {alert} has changed since version 1, it has 3 now: ben left a note just now")
        assert '"it is the disk"; ben assigned it' in told
    assert (await act(site, alert, "resolve", version=9)).status == 409
    assert (await seen(site, alert))["status"] == "active"
    shown = (await post(site, f"{alert}/resolve", {"who": "ada"}, **{"If-Match": '"3"'})).json
    assert (shown["status"], shown["version"]) == ("resolved", 4)
    # the answer was lost, and the same is sent again
    assert (await done(site, alert, "resolve", version=3))["version"] == 4


async def test_only_the_last_changes_are_told_one_by_one(site: Site) -> None:
    (alert,) = await opened(site, "a")
    for number in range(6):
        await done(site, alert, "notes", note=f"note {number}")
    told = (await act(site, alert, "resolve", version=1)).json["detail"]
    assert "3 more changes; " in told
    assert [f"note {number}" in told for number in range(6)] == [False, False, False, True, True, True]


async def _closed_long_ago(site: Site) -> None:
    """What fires now is a new row."""
    moment = times.now() - 2 * times.HOUR
    await site.app[STORE].write(lambda c: c.exec_driver_sql(f"UPDATE alert SET closed_at = {moment}"))


async def test_an_alert_that_was_followed_by_another_of_its_key_cannot_come_back(site: Site) -> None:
    down = firing("Down", ago(minutes=50), host="a")
    await site.post("/webhook", webhook(down))
    await site.post("/webhook", webhook(resolved(down, ago(minutes=40))))
    await _closed_long_ago(site)
    await site.post("/webhook", webhook(firing("Down", ago(minutes=1), host="a")))
    for name in ("reopen", "suppress"):
        answer = await act(site, 1, name, **BODIES[name])
        assert answer.status == 409
        assert "alert 1 was followed by alert 2 of the same key: " + name in answer.json["detail"]
    await done(site, 1, "notes", note="the first time")


# --- suppression ----------------------------------------------------------------------------------------------------


async def test_suppressed_resolved_upstream_and_refired_it_is_still_suppressed(site: Site) -> None:
    down = firing("Down", ago(minutes=5), host="a")
    await site.post("/webhook", webhook(down))
    until = (await done(site, 1, "suppress", duration="2h", reason="maintenance"))["suppressed_until"]
    await site.post("/webhook", webhook(resolved(down, ago(seconds=40))))
    assert (await seen(site, 1))["status"] == "resolved"
    again = firing("Down", ago(seconds=20), host="a")
    await site.post("/webhook", webhook(again))
    assert ((await seen(site, 1))["status"], (await seen(site, 1))["suppressed_until"]) == ("suppressed", until)
    # in a new row, too: it closed too long ago to be the same
    await site.post("/webhook", webhook(resolved(again, ago(seconds=10))))
    await _closed_long_ago(site)
    await site.post("/webhook", webhook(firing("Down", ago(seconds=1), host="a")))
    new = (await site.get("/api/v1/alerts")).json["alerts"][0]
    assert (new["predecessor"], new["status"], new["suppressed_until"]) == (1, "suppressed", until)


async def test_the_key_of_a_closed_alert_can_be_suppressed_and_let_go(site: Site) -> None:
    (alert,) = await opened(site, "a")
    await done(site, alert, "resolve")
    shown = await done(site, alert, "suppress", duration="1h")
    assert (shown["status"], shown["changes"][-1]["after"]) == ("resolved", "resolved")
    await site.post("/webhook", webhook(firing("Down", ago(seconds=0), host="a")))
    assert (await seen(site, alert))["status"] == "suppressed"
    await done(site, alert, "resolve")
    assert (await done(site, alert, "reopen"))["status"] == "suppressed"
    assert (await done(site, alert, "unsuppress"))["status"] == "active"


async def test_a_suppression_can_be_made_longer_or_shorter_by_anybody(site: Site) -> None:
    (alert,) = await opened(site, "a")
    first = (await done(site, alert, "suppress", duration="1h", reason="one"))["suppressed_until"]
    second = await done(site, alert, "suppress", who="ben", until="2199-01-01T00:00:00+01:00", reason="two")
    assert second["suppressed_until"] == "2198-12-31T23:00:00.000Z"
    assert second["changes"][-1]["altered"]["suppressed_until"] == [first, second["suppressed_until"]]
    assert len((await done(site, alert, "suppress", duration="10m"))["changes"]) == 4


def test_a_suppressed_alert_comes_back_within_5_s_of_its_end_over_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.post("/webhook", webhook(firing("Down", ago(minutes=5), host="a")))[0] == 200
        status, shown = server.post("/api/v1/alerts/1/suppress", {"who": "ada", "duration": "8s"})
        assert (status, shown["status"]) == (200, "suppressed")
        ends = times.parse_rfc3339(shown["suppressed_until"])
        assert ends is not None
        server.kill()
    with running(tmp_path) as server:
        up = times.now()
        eventually(lambda: server.get("/api/v1/alerts/1")[1]["status"] == "active", 20)
        last = server.get("/api/v1/alerts/1")[1]["changes"][-1]
        assert [last[part] for part in ("kind", "who", "via", "before", "after")] == [
            "unsuppressed",
            "alertsage",
            "alertsage",
            "suppressed",
            "active",
        ]
        at = times.parse_rfc3339(last["at"])
        assert at is not None
        assert ends <= at <= max(ends, up) + 5 * times.SECOND


# --- reopened -------------------------------------------------------------------------------------------------------


async def test_what_a_person_reopened_stays_open_until_a_new_end_is_told(site: Site) -> None:
    down = firing("Down", ago(minutes=50), host="a")
    await site.post("/webhook", webhook(down))
    over = resolved(down, ago(minutes=20))
    await site.post("/webhook", webhook(over))
    shown = await done(site, 1, "reopen", reason="still down")
    assert (shown["status"], shown["started_at"]) == ("active", down["startsAt"][:23] + "Z")
    await site.post("/webhook", webhook(over))  # its twin is late
    assert (await seen(site, 1))["status"] == "active"
    await site.post("/webhook", webhook(resolved(down, ago(minutes=1))))
    assert (await seen(site, 1))["status"] == "resolved"


async def test_an_expired_alert_that_was_reopened_does_not_expire_at_once(site: Site) -> None:
    (alert,) = await opened(site, "a")
    store = site.app[STORE]
    old = times.now() - 5 * DAY
    await store.write(lambda c: c.exec_driver_sql(f"UPDATE alert SET last_seen_at = {old}, last_firing_at = {old}"))
    await store.write(lambda c: sweeps.expire_silent(c, [alert], times.now()))
    assert (await done(site, alert, "reopen"))["status"] == "active"
    assert await store.read(lambda c: sweeps.silent(c, times.now(), 0)) == []


async def test_reopened_alerts_are_enriched_again(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        'def count(alert, context): return {"facts": {"opened": len(context.history.episodes)}}'
    )
    async with serving(tmp_path, "enrichers: {mine: {use: './mine.py:count'}}\n") as site:
        (alert,) = await opened(site, "a")
        await _until(lambda found: found["facts"].get("opened") == 1, site, alert)
        await done(site, alert, "resolve")
        await done(site, alert, "reopen")
        await _until(lambda found: found["facts"].get("opened") == 2, site, alert)


async def _until(holds: Any, site: Site, alert: int) -> None:
    async with asyncio.timeout(10):
        while not holds(await seen(site, alert)):
            await asyncio.sleep(0.05)


# --- metadata, assignment -------------------------------------------------------------------------------------------


async def test_what_people_added_is_kept_over_whatever_the_sender_tells(site: Site) -> None:
    (alert,) = await opened(site, "a")
    await done(
        site, alert, "metadata", metadata={"ticket": "OPS-1", "nested": {"a": [1, None, 2.5]}, "\u0000": "x\u0000"}
    )
    await done(site, alert, "assign", assignee="ben")
    changed = firing("Down", ago(minutes=4), {"summary": "worse", "ticket": "other"}, host="a", severity="critical")
    fingerprint = (await seen(site, alert))["fingerprint"]
    await site.post("/webhook", webhook(changed | {"fingerprint": fingerprint}))
    shown = await seen(site, alert)
    assert (shown["title"], shown["priority"], shown["assignee"]) == ("worse", "critical", "ben")
    assert shown["metadata"] == {"ticket": "OPS-1", "nested": {"a": [1, None, 2.5]}, "\ufffd": "x\ufffd"}
    version = shown["version"]
    assert (await done(site, alert, "metadata", metadata={"ticket": "OPS-1"}))["version"] == version
    assert (await done(site, alert, "assign", who="cleo", assignee="ben"))["version"] == version
    assert (await done(site, alert, "metadata", metadata={"ticket": True}))["version"] == version + 1
    assert (await done(site, alert, "metadata", metadata={"ticket": 1}))["version"] == version + 2


async def test_metadata_is_bounded(site: Site) -> None:
    (alert,) = await opened(site, "a")
    await done(site, alert, "metadata", metadata={"big": "x" * 40_000})
    answer = await act(site, alert, "metadata", metadata={"more": "x" * 40_000})
    assert (answer.status, "200 names and 64 KiB" in answer.json["detail"]) == (422, True)
    assert (await act(site, alert, "metadata", metadata={f"n{n}": n for n in range(300)})).status == 422
    shown = await done(site, alert, "metadata", metadata={"big": "y" * 40_000})
    assert len(json.dumps(shown["changes"][-1]["altered"])) < 1200


# --- many at once ---------------------------------------------------------------------------------------------------


async def test_a_bulk_act_is_done_to_all_and_counted(site: Site) -> None:
    ids = await opened(site, *(f"h{number}" for number in range(30)))
    await done(site, ids[3], "acknowledge", who="ben")
    for dry in (True, False, True):
        answer = await bulk(site, "acknowledge", ids=[*ids, ids[0]], note="storm", dry_run=dry)
        changed = 29 if answer.json["changed"] else 0
        assert answer.json == {"action": "acknowledge", "changed": changed, "skipped": 30 - changed, "dry_run": dry}
    assert changed == 0
    last = (await seen(site, ids[0]))["changes"][-1]
    assert [last[part] for part in ("kind", "who", "why", "via", "before", "after")] == [
        "acknowledged",
        "ada",
        "storm",
        "api:local",
        "active",
        "acknowledged",
    ]
    assert (await seen(site, ids[3]))["changes"][-1]["who"] == "ben"


@pytest.mark.parametrize("name", TABLE)
async def test_every_act_can_be_done_in_bulk(site: Site, name: str) -> None:
    ids = await opened(site, "a", "b")
    for alert in ids:
        await brought(site, alert, {"unsuppress": "suppressed", "reopen": "resolved"}.get(name, "active"))
    action = "note" if name == "notes" else name
    answers = [(await bulk(site, action, ids=ids, **BODIES[name])).json for _ in range(2)]
    assert [(answer["changed"], answer["skipped"]) for answer in answers] == [(2, 0), (0, 2)], answers
    for alert in ids:
        assert (await seen(site, alert))["changes"][-1]["kind"] == KINDS[name]


async def test_if_any_does_not_fit_nothing_is_changed_and_the_first_is_named(site: Site) -> None:
    ids = await opened(site, *(f"h{number}" for number in range(10)))
    await done(site, ids[4], "resolve", who="ben", note="gone")
    await done(site, ids[7], "suppress", who="ben", duration="1h")
    for dry in (True, False):
        answer = await bulk(site, "acknowledge", ids=ids, dry_run=dry)
        assert answer.status == 409
        told = answer.json["detail"]
        assert told.startswith(f"alert {ids[4]} is resolved and cannot be acknowledged: ben resolved it just now (")
        assert '"gone"' in told
        assert told.endswith("; 2 of 10 do not fit, and nothing was changed")
    answer = await bulk(site, "acknowledge", ids=[*ids, 777, 888])
    assert (answer.status, answer.json["detail"]) == (
        404,
        "there is no alert 777, nor are 1 others of these; nothing was changed",
    )
    found = [await seen(site, alert) for alert in ids]
    assert [shown["status"] for shown in found] == [
        *["active"] * 4,
        "resolved",
        *["active"] * 2,
        "suppressed",
        *["active"] * 2,
    ]
    assert [shown["version"] for shown in found] == [1, 1, 1, 1, 2, 1, 1, 2, 1, 1]


async def test_what_a_search_finds_is_acted_on_and_nothing_else(site: Site) -> None:
    await opened(site, "a", "b", "c")
    await site.post("/webhook", webhook(firing("Slow", ago(minutes=1), host="a")))
    answer = await bulk(site, "acknowledge", query="status:active label.host=a name:Down")
    assert answer.json == {"action": "acknowledge", "changed": 1, "skipped": 0, "dry_run": False}, answer.body
    assert [(await seen(site, alert))["status"] for alert in (1, 2, 3, 4)] == ["acknowledged", *["active"] * 3]
    assert (await bulk(site, "resolve", query="label.host=nowhere")).json["changed"] == 0
    answer = await bulk(site, "resolve", query='"never closed')
    assert answer.status == 422
    assert answer.json["detail"].startswith("query: ")


# --- mistakes -------------------------------------------------------------------------------------------------------

MISTAKES = [
    ("acknowledge", {"note": "x" * 10_001}, "note: "),
    ("acknowledge", {"who": "x" * 201}, "who: "),
    ("acknowledge", {"who": "a\nb"}, "who: has a character that cannot be seen"),
    ("acknowledge", {"who": "a\u0000b"}, "who: has a character that cannot be seen"),
    ("acknowledge", {"who": "a\u202eb"}, "who: has a character that cannot be seen"),
    ("acknowledge", {"who": "  "}, "who: is empty"),
    ("acknowledge", {"who": "Alertsage"}, 'who: "Alertsage" is a name that alertsage keeps'),
    ("acknowledge", {"who": "source:am"}, 'who: "source:am" is a name that alertsage keeps'),
    ("acknowledge", {"why": "x"}, "why: "),
    ("acknowledge", {"note": 3}, "note: "),
    ("acknowledge", {"version": "3"}, "version: "),
    ("acknowledge", {"version": -1}, "version: "),
    ("suppress", {}, "give either duration (2h) or until"),
    ("suppress", {"duration": "1h", "until": "2199-01-01T00:00:00Z"}, "give either duration"),
    ("suppress", {"duration": "-1h"}, "duration: "),
    ("suppress", {"duration": "0s"}, "duration: must be longer than 0s"),
    ("suppress", {"duration": 3600}, "duration: 3600 says no unit"),
    ("suppress", {"until": "2020-01-01T00:00:00Z"}, "until: 2020-01-01 00:00:00+00:00 is over already"),
    ("suppress", {"until": "9999-12-31T23:59:59Z"}, "the suppression would end after the year 2200"),
    ("suppress", {"until": "2199-01-01T00:00:00"}, "until: "),
    ("suppress", {"until": "tomorrow"}, "until: "),
    ("notes", {}, "note: "),
    ("notes", {"note": " \n"}, "note: is empty"),
    ("assign", {}, "assignee: "),
    ("assign", {"assignee": ""}, "assignee: is empty"),
    ("metadata", {"metadata": {}}, "metadata: is empty"),
    ("metadata", {"metadata": [1]}, "metadata: "),
    ("metadata", {"metadata": {" ": 1}}, 'metadata: the name " " is empty'),
    ("bulk", {"action": "explode", "ids": [1]}, "action: "),
    ("bulk", {"action": "resolve"}, "give either ids or query"),
    ("bulk", {"action": "resolve", "ids": [1], "query": "x"}, "give either ids or query"),
    ("bulk", {"action": "resolve", "ids": []}, "ids: "),
    ("bulk", {"action": "resolve", "ids": [0]}, "ids.0: "),
    ("bulk", {"action": "resolve", "ids": list(range(1, 10_002))}, "ids: "),
    ("bulk", {"action": "resolve", "query": " "}, "query: is empty"),
    ("bulk", {"action": "resolve", "ids": [1], "duration": "1h"}, "duration does not go with resolve"),
    ("bulk", {"action": "suppress", "ids": [1]}, "give either duration"),
    ("bulk", {"action": "assign", "ids": [1]}, "assignee: "),
    ("bulk", {"action": "resolve", "ids": [1], "version": 1}, "version: "),
]


async def test_mistakes_are_told_in_a_sentence_and_change_nothing(site: Site) -> None:
    (alert,) = await opened(site, "a")
    before = await seen(site, alert)
    for name, body, sentence in MISTAKES:
        path = "bulk" if name == "bulk" else f"{alert}/{name}"
        answer = await post(site, f"{path}", body)
        assert answer.status == 422, (name, body, answer.body)
        assert sentence in answer.json["detail"], (name, body, answer.json["detail"])
        assert len(answer.json["detail"]) < 300
    assert await seen(site, alert) == before


async def test_an_alert_that_is_not_there_is_404(site: Site) -> None:
    for alert in ("7", "x", "-1", "9" * 18, "9" * 30, "1.0"):
        for name, body in BODIES.items():
            assert (await post(site, f"{alert}/{name}", body)).status == 404, (alert, name)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"{}", 200),
        (b"[]", 422),
        (b"null", 422),
        (b"{", 400),
        (b'{"note": "\\ud800"}', 400),
        (b'{"note": "\\u0000"}', 200),
        (b"\xff", 400),
        (b'{"note": "x", "note": "y"}', 200),
        (b'\xef\xbb\xbf{"note": "x"}', 200),
        (b'{"note": "' + b" " * 2**20 + b'"}', 413),
    ],
    ids=lambda told: told[:30] if isinstance(told, bytes) else told,
)
async def test_odd_bodies(site: Site, body: bytes, status: int) -> None:
    (alert,) = await opened(site, "a")
    answer = await post(site, f"{alert}/acknowledge", body)
    assert answer.status == status, answer.body


@pytest.mark.parametrize("held", [b"1e999", b"NaN", b"9" * 5000, b"[" * 300 + b"]" * 300, b"-0.0", b'"\\u0000"'])
async def test_odd_metadata_is_kept_or_refused_but_never_a_fault(site: Site, held: bytes) -> None:
    (alert,) = await opened(site, "a")
    answer = await post(site, f"{alert}/metadata", b'{"metadata": {"odd": %s}}' % held)
    assert answer.status in (200, 400, 422), answer.body
    assert (await site.get(f"/api/v1/alerts/{alert}")).status == 200
