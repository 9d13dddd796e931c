"""Silences as people use them, over HTTP, against the real program."""

import json
import time
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from tests.monitoring import eventually
from tests.servers import Server, firing, resolved, running, webhook

ALL = "/api/v1/silences"


def call(server: Server, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def silence(server: Server, *matchers: str, **more: Any) -> dict[str, Any]:
    """A new silence, of two hours unless it is told otherwise."""
    length = {} if more.keys() & {"ends_at", "lasts"} else {"lasts": "2h"}
    status, made = call(server, "POST", ALL, {"matchers": list(matchers), "comment": "disks", **length, **more})
    assert status == 201, made
    return dict(made)


def alert(server: Server, number: int) -> dict[str, Any]:
    """One alert."""
    status, found = server.get(f"/api/v1/alerts/{number}")
    assert status == 200
    return dict(found)


def stands(server: Server, number: int, status: str) -> dict[str, Any]:
    """Wait until it does, for the 5 seconds that are promised."""
    found = eventually(lambda: (one := alert(server, number))["status"] == status and one, 5)
    assert isinstance(found, dict)
    return found


def soon(seconds: float) -> str:
    """A moment so far from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A running one."""
    with running(tmp_path) as started:
        yield started


def test_what_opens_while_a_silence_is_active_was_never_active(server: Server) -> None:
    made = silence(server, 'alertname="Down"', 'host!~"db.*"', who="ann")
    assert server.post("/webhook", webhook(firing("Down", host="web1"), firing("Down", host="db1")))[0] == 200
    (opened,) = alert(server, 1)["changes"]
    assert (opened["kind"], opened["after"], opened["altered"]) == (
        "opened",
        "suppressed",
        {"silence": [None, made["id"]]},
    )
    assert opened["why"] == "silence 1 (ann: disks) holds it"
    assert alert(server, 2)["status"] == "active"


def test_open_alerts_are_held_and_woken(server: Server) -> None:
    server.post("/webhook", webhook(firing("Down", host="a"), firing("Down", host="b"), firing("Up", host="a")))
    made = silence(server, '{alertname="Down",host=~"a|b"}')
    held = stands(server, 1, "suppressed")["changes"][-1]
    assert (held["kind"], held["who"], held["before"]) == ("suppressed", "alertsage", "active")
    stands(server, 2, "suppressed")
    assert alert(server, 3)["status"] == "active"
    edited = {"matchers": 'host="a"', "version": 1, "who": "bob"}
    assert call(server, "PUT", f"{ALL}/{made['id']}", edited)[1]["version"] == 2
    stands(server, 3, "suppressed")
    assert stands(server, 2, "active")["changes"][-1]["why"] == "bob changed silence 1"
    assert call(server, "DELETE", f"{ALL}/{made['id']}?version=2&who=cy")[1]["state"] == "expired"
    woken = stands(server, 1, "active")["changes"][-1]
    assert (woken["kind"], woken["why"]) == ("unsuppressed", "cy ended silence 1")
    assert [change["kind"] for change in alert(server, 1)["changes"]] == ["opened", "suppressed", "unsuppressed"]


def test_suppressed_resolved_upstream_and_refired_it_is_still_suppressed(server: Server) -> None:
    server.post("/webhook", webhook(firing("Down", soon(-100))))
    silence(server, "alertname=Down")
    stands(server, 1, "suppressed")
    server.post("/webhook", webhook(resolved(firing("Down", soon(-100)), soon(-50))))
    assert alert(server, 1)["status"] == "resolved"
    server.post("/webhook", webhook(firing("Down", soon(-10))))
    again = alert(server, 1)
    assert again["status"] == "suppressed"
    assert [(change["kind"], change["after"]) for change in again["changes"]] == [
        ("opened", "active"),
        ("suppressed", "suppressed"),
        ("resolved", "resolved"),
        ("reopened", "suppressed"),
    ]


def test_an_alert_comes_back_after_the_end_with_a_restart_in_between(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        silence(server, "alertname=Down", ends_at=soon(4))
        server.post("/webhook", webhook(firing("Down")))
        assert alert(server, 1)["status"] == "suppressed"
        ends = time.monotonic() + 4
        server.kill()
    with running(tmp_path) as server:
        while time.monotonic() < ends - 0.5:
            assert alert(server, 1)["status"] == "suppressed"
            time.sleep(0.1)
        time.sleep(max(0.0, ends - time.monotonic()))
        woken = stands(server, 1, "active")["changes"][-1]
    assert (woken["kind"], woken["why"]) == ("unsuppressed", "silence 1 ended")


def test_an_alert_comes_back_when_the_silence_ended_while_nothing_ran(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        silence(server, "alertname=Down", ends_at=soon(1))
        server.post("/webhook", webhook(firing("Down")))
    time.sleep(1)
    with running(tmp_path) as server:
        stands(server, 1, "active")


def test_a_silence_that_begins_later_is_pending_and_then_holds(server: Server) -> None:
    server.post("/webhook", webhook(firing("Down")))
    made = silence(server, "alertname=Down", starts_at=soon(2), ends_at=soon(60))
    assert made["state"] == "pending"
    assert made["next_start"] == made["starts_at"]
    assert alert(server, 1)["status"] == "active"
    eventually(lambda: alert(server, 1)["status"] == "suppressed", 7)


def test_another_silence_takes_over(server: Server) -> None:
    first, second = silence(server, "alertname=Down"), silence(server, "host=a")
    server.post("/webhook", webhook(firing("Down", host="a"), firing("Down", host="b")))
    call(server, "DELETE", f"{ALL}/{first['id']}")
    stands(server, 2, "active")
    change = alert(server, 1)["changes"][-1]
    assert (change["kind"], change["after"]) == ("suppressed", "suppressed")
    assert change["altered"] == {"silence": [first["id"], second["id"]]}
    assert change["why"] == "silence 2 (local: disks) holds it (local ended silence 1)"
    call(server, "DELETE", f"{ALL}/{second['id']}")
    stands(server, 1, "active")


REFUSED: list[tuple[Mapping[str, Any], str]] = [
    ({"matchers": []}, "matchers: has none"),
    ({"matchers": "{}"}, "matchers: has none"),
    ({"matchers": ['a=""', 'b=~".*"']}, "matchers: fit the empty text"),
    ({"matchers": ["a"]}, "'a' is not a matcher"),
    ({"matchers": ["a=~("]}, "'(' is no regular expression"),
    ({"matchers": ['a=~"a)|(b"']}, "is no regular expression"),
    ({"matchers": ["a=b"] * 51}, "matchers: has more than 50"),
    ({"matchers": [f'a=~"{"x" * 3000}"']}, "longer than 2000"),
    ({"matchers": [1]}, "matchers"),
    ({"comment": "  "}, "comment: is empty"),
    ({"comment": "x" * 2001}, "comment"),
    ({"comment": None}, "comment"),
    ({"lasts": None}, "ends_at: is missing"),
    ({"lasts": "0s"}, "lasts: must be longer than 0s"),
    ({"lasts": "soon"}, "lasts: "),
    ({"ends_at": "2099-01-01T00:00:00Z"}, "lasts: stands beside ends_at"),
    ({"lasts": None, "ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
    ({"lasts": None, "ends_at": "2099-01-01"}, "ends_at: is not a moment with its offset"),
    ({"lasts": None, "ends_at": "9999-12-31T23:59:59Z"}, "ends_at: is not a moment"),
    ({"lasts": "1h", "starts_at": "2020-01-01T00:00:00Z"}, "ends_at: lies in the past"),
    ({"zone": "Europe/Berlin"}, "zone: goes with a schedule"),
    ({"schedule": "0 2 * *"}, "schedule: "),
    ({"schedule": "0 2 * * *", "zone": "Berlin"}, "zone: "),
    ({"schedule": "0 2 * * *", "lasts": None}, "lasts: is missing"),
    ({"schedule": "0 2 * * *", "lasts": "400d"}, "lasts: is longer than 366 days"),
    ({"who": ""}, "who"),
    ({"who": "a\0b"}, "who"),
    ({"who": "alertsage"}, "who"),
    ({"until": "tomorrow"}, "until"),
]


def test_what_makes_no_silence(server: Server) -> None:
    for body, told in REFUSED:
        asked = {"matchers": ["a=b"], "comment": "c", "lasts": "2h"} | body
        status, answer = call(server, "POST", ALL, {name: value for name, value in asked.items() if value is not None})
        assert status == 422, (body, answer)
        assert told in answer["detail"], body
    assert server.get(ALL)[1]["silences"] == []


def test_a_length_counts_from_the_start_that_is_told(server: Server) -> None:
    began = datetime.now(UTC) - timedelta(minutes=30)
    made = silence(server, "a=b", lasts="2h", starts_at=began.isoformat())
    assert datetime.fromisoformat(made["ends_at"]) - began < timedelta(hours=2, seconds=1)
    assert datetime.fromisoformat(made["starts_at"]) > began


def test_a_silence_is_changed_by_who_has_seen_it_as_it_is(server: Server) -> None:
    made = silence(server, "alertname=Down", who="ann")
    path = f"{ALL}/{made['id']}"
    assert (made["state"], made["version"], made["created_by"]) == ("active", 1, "ann")
    assert (made["created_via"], made["changed_via"]) == ("api:local", None), "who was only told is vouched for"
    longer = call(server, "PUT", path, {"lasts": "4h", "version": 1})[1]
    assert longer["starts_at"] == made["starts_at"]
    assert longer["ends_at"] > made["ends_at"]
    status, stale = call(server, "PUT", path, {"comment": "mine", "version": 1})
    assert status == 409
    assert stale["detail"].startswith("silence 1 is version 2 by now, not 1: local changed it at 20")
    assert call(server, "DELETE", f"{path}?version=1")[0] == 409
    assert call(server, "PUT", path, {"comment": "disks"})[1] == longer, "the same again changes nothing"
    assert call(server, "PUT", path, {"ends_at": "2020-01-01T00:00:00Z"})[0] == 422
    nightly = call(
        server, "PUT", path, {"schedule": "0 2 * * *", "lasts": "1h", "zone": "Europe/Berlin", "ends_at": None}
    )[1]
    assert (nightly["schedule"], nightly["lasts"], nightly["zone"], nightly["ends_at"]) == (
        "0 2 * * *", "1h", "Europe/Berlin", None,
    )  # fmt: skip
    once = call(server, "PUT", path, {"schedule": None, "lasts": "3h"})[1]
    assert (once["schedule"], once["zone"], once["lasts"], once["ends_at"] is None) == (None, None, None, False)
    ended = call(server, "DELETE", path)[1]
    assert (ended["state"], ended["changed_by"], ended["changed_via"]) == ("expired", "local", "api")
    assert call(server, "DELETE", path) == (200, ended), "ended once more it stays as it is"
    status, late = call(server, "PUT", path, {"comment": "mine"})
    assert (status, late["detail"][:19]) == (409, "silence 1 expired a")
    for method in ("GET", "PUT", "DELETE"):
        assert call(server, method, f"{ALL}/77", {} if method == "PUT" else None)[0] == 404
        assert call(server, method, f"{ALL}/x", {} if method == "PUT" else None)[0] == 404


def test_silences_are_listed_by_where_they_stand_page_by_page(server: Server) -> None:
    for number in range(5):
        silence(server, f"n={number}", **({"starts_at": soon(3600), "ends_at": soon(7200)} if number % 2 else {}))
    call(server, "DELETE", f"{ALL}/1")

    def listed(query: str) -> list[int]:
        found, cursor = [], ""
        while cursor is not None:
            page = server.get(f"{ALL}?{query}&limit=2&cursor={cursor}")[1]
            found += [one["id"] for one in page["silences"]]
            cursor = page["next"]
        return found

    assert listed("") == [5, 4, 3, 2]
    assert listed("state=active,expired") == [5, 3, 1]
    assert listed("state=pending") == [4, 2]
    assert listed("state=active&state=pending&state=expired") == [5, 4, 3, 2, 1]
    assert server.get(f"{ALL}?state=asleep")[0] == 400
    assert server.get(f"{ALL}?cursor=%00")[0] == 400
    assert 'alertsage_silences{state="active"} 2.0' in server.get("/metrics")[1]
    assert 'alertsage_silences{state="expired"} 1.0' in server.get("/metrics")[1]


def test_a_preview_tells_what_would_be_held_and_holds_nothing(server: Server) -> None:
    server.post("/webhook", webhook(*[firing("Down", host=f"h{number}") for number in range(30)], firing("Up")))
    status, told = call(server, "POST", f"{ALL}/preview", {"matchers": ["alertname=Down", 'host!="h3"']})
    assert (status, told["count"], len(told["alerts"])) == (200, 29, 20)
    assert told["alerts"][0]["labels"] == {"alertname": "Down", "host": "h29"}
    assert call(server, "POST", f"{ALL}/preview", {"matchers": "alertname=None"})[1]["alerts"] == []
    assert call(server, "POST", f"{ALL}/preview", {"matchers": 'a=""'})[0] == 422
    assert server.get(ALL)[1]["silences"] == []
    time.sleep(2.5)
    assert alert(server, 1)["status"] == "active"


RULES = """
- id: nightly
  comment: the backup runs
  matchers: [alertname=~"Slow.*"]
  schedule: '* * * * *'
  lasts: 5m
- id: move
  comment: racks move
  by: ops
  matchers: '{rack="7"}'
  ends_at: 2099-01-01T00:00:00Z
- id: over
  comment: long ago
  matchers: [a=b]
  ends_at: 2020-01-01T00:00:00Z
"""


def test_silences_of_a_file_are_kept_as_the_file_says(tmp_path: Path) -> None:
    rules = tmp_path / "rules" / "silences.yaml"
    rules.parent.mkdir()
    rules.write_text(RULES)
    with running(tmp_path, "rules: {folder: rules}") as server:

        def listed() -> dict[str, Any]:
            return {one["rule"]: one for one in server.get(f"{ALL}?state=active,pending,expired")[1]["silences"]}

        eventually(lambda: listed().keys() == {"nightly", "move"}, 5)
        before = listed()
        assert (before["move"]["created_by"], before["nightly"]["created_by"]) == ("ops", "silences.yaml")
        assert before["move"]["created_via"] == "file"
        server.post("/webhook", webhook(firing("SlowQuery"), firing("Down", rack="7"), firing("Down", rack="8")))
        assert [alert(server, number)["status"] for number in (1, 2, 3)] == ["suppressed", "suppressed", "active"]
        path = f"{ALL}/{before['move']['id']}"
        for method, body in (("PUT", {"comment": "mine"}), ("DELETE", None)):
            status, answer = call(server, method, path, body)
            assert status == 409
            assert "is move of silences.yaml in your folder of rules: change it there" in answer["detail"]
        rules.write_text(RULES.replace("racks move", "racks stay").replace("id: nightly", "id: daily"))
        eventually(lambda: listed().get("daily"), 10)
        after = listed()
        assert (after["move"]["comment"], after["move"]["version"]) == ("racks stay", 2)
        assert after["move"]["starts_at"] == before["move"]["starts_at"]
        assert (after["nightly"]["state"], after["daily"]["state"]) == ("expired", "active")
        assert stands(server, 1, "suppressed")["changes"][-1]["altered"]["silence"][-1] == after["daily"]["id"]
        rules.write_text("[]")
        stands_later = eventually(lambda: alert(server, 1)["status"] == "active", 10)
        assert stands_later
    rules.write_text(RULES)
    with running(tmp_path, "rules: {folder: rules}") as server:
        eventually(lambda: listed()["nightly"]["state"] == "active", 5)
        assert listed()["nightly"]["id"] == before["nightly"]["id"], "the same rule is the same silence"
        stands(server, 1, "suppressed")
