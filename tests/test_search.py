"""Searching real stores: the same alerts as a look at each of them finds, page by page, while others are written."""

import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic_core import to_json
from sqlalchemy import insert, update

from receiver.domain import times
from receiver.domain.search import Sort
from receiver.domain.searchterms import Among, Compared, Label, Term, Words
from receiver.domain.times import DAY, HOUR, MINUTE, SECOND
from receiver.domain.vocabulary import Category, Priority, Status
from receiver.flow.find import query
from receiver.store import AlertQuery, Connection, Store, reads, search
from receiver.store.rows import index_labels
from receiver.store.tables import alert, content
from tests.stores import open_store, seen, take

NOW = 1_800_000_000 * SECOND
NAMES = ("HighCPU", "DiskFull", "Dead_lock", "100%", "Überlast")
TEXTS = ("The disk is full", "CPU at 92%", "a_b", "back\\slash", "nothing", 'a "quoted" word', "")


def made(number: int, chance: random.Random) -> tuple[dict[str, Any], dict[str, Any]]:
    """A row of alert and one of content."""
    status = chance.choice(list(Status))
    started = NOW - chance.randrange(5 * 24) * HOUR
    ended = None if status.open else started + chance.randrange(3) * HOUR
    labels = {"alertname": (name := chance.choice(NAMES))}
    labels |= {"team": team} if (team := chance.choice(("shop", "ops", "", None))) is not None else {}
    labels |= {"pod": f"web-{chance.randrange(20)}", "a b.c/d": chance.choice(("x", "y\nz", 'q"'))}
    added = {"title": "Enriched: " + chance.choice(TEXTS)} if chance.random() < 0.2 else None
    row = {
        "id": number,
        "source": chance.choice(("am", "grafana")),
        "fingerprint": f"f{number}",
        "latest": True,
        "created_at": started,
        "status": status.value,
        "started_at": started,
        "latest_start": started,
        "last_seen_at": started + chance.randrange(4) * HOUR,
        "last_firing_at": started,
        "ended_at": ended,
        "last_end": ended or 0,
        "closed_at": ended or 0,
        "resolved_by": "",
        "suppressed_until": 0,
        "notification_count": chance.randrange(1, 6),
        "recent": "",
        "episodes": str(started),
        "change_count": 1,
        "expire_after": DAY,
        "priority": chance.choice(list(Priority)).value,
        "category": chance.choice(list(Category)).value,
        "name": name,
        "heartbeat": False,
        "digest": b"",
        "assignee": chance.choice(("", "ada", "none")),
    }
    shown = {
        "alert_id": number,
        "kind": chance.choice(("alertmanager", "grafana")),
        "title": chance.choice(TEXTS),
        "message": chance.choice(TEXTS),
        "generator_url": "",
        "labels": json(labels),
        "annotations": "{}",
        "detail": "{}",
        "raw": b"{}",
        "added": None if added is None else json(added),
    }
    return row, shown


def json(value: Any) -> str:
    """As the store writes it."""
    return to_json(value).decode()


def write(connection: Connection, numbers: range, chance: random.Random) -> None:
    """Random alerts, indexed."""
    rows = [made(number, chance) for number in numbers]
    connection.execute(insert(alert), [row for row, _ in rows])
    connection.execute(insert(content), [shown for _, shown in rows])
    while last := index_labels(connection, numbers[0] - 1, 1000):
        if last == numbers[-1]:
            return


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with 300 random alerts."""
    async with open_store(tmp_path / "a.db") as opened:
        await opened.write(lambda connection: write(connection, range(1, 301), random.Random(5)))
        yield opened


def lower(text: str) -> str:
    """ASCII letters only, as the search compares."""
    return re.sub("[A-Z]", lambda letter: letter[0].lower(), text)


def holds(term: Term, one: Mapping[str, Any]) -> bool:
    """Whether an alert in API form is what the term seeks."""
    match term:
        case Words():
            found = any(lower(term.text) in lower(one[name]) for name in ("title", "message", "name"))
        case Among(field="assignee"):
            found = (one["assignee"] or "") in term.values
        case Among():
            found = str(one[term.field]) in term.values
        case Label(pattern=True):
            found = re.fullmatch(term.value, one["labels"].get(term.name, ""), re.DOTALL) is not None
        case Label():
            found = one["labels"].get(term.name, "") == term.value
        case Compared():
            told = one[term.field]
            figure = times.parse_rfc3339(told) if isinstance(told, str) else told
            signs: Mapping[str, Callable[[int, int], bool]] = {
                "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "=": int.__eq__,
            }  # fmt: skip
            found = figure is not None and signs[term.sign](figure, term.than)
    return found is not term.negated


def key(sort: Sort, one: Mapping[str, Any]) -> tuple[Any, int]:
    """What it is sorted by."""
    told: Any = {Sort.NEWEST: 0, Sort.PRIORITY: Priority(one["priority"]).rank}.get(sort)
    return one[sort.value] if told is None else told, one["id"]


async def everything(store: Store) -> list[dict[str, Any]]:
    return (await store.page(AlertQuery(limit=500))).alerts


async def walked(store: Store, asked: AlertQuery) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    while True:
        page = await store.page(asked)
        found += page.alerts
        if page.next is None:
            return found
        asked = replace(asked, after=page.next)


TERMS = (
    "disk", '"is full"', "-cpu", "92%", "a_b", '"back\\\\slash"', '"say"', "überlast", "Überlast", "enriched", "100%",
    "status:open", "-status:open", "status:resolved,active", "priority:critical,low", "priority>=medium",
    "-priority:info",
    "category:database,system", "-category:database", "source:am", "-source:am", "kind:grafana", "-kind:grafana",
    "name:HighCPU,100%", "assignee:none", 'assignee:"none",ada', "-assignee:ada", "id:7,12,250,9999", "-id:7,8,9",
    "team=shop", "team!=shop", "team=", "team!=", "alertname=DiskFull", "pod=~web-1.*", "pod!~web-1.*", "team=~",
    "team=~shop|ops",
    'label."a b.c/d"="y\nz"', 'label."a b.c/d"=~"y.z"', 'label."a b.c/d"="q\\""', "nothing=x",
    "age>2d", "age<=36h", "seen<20h", "-seen<20h", "ended>2027-01-12", "-ended>2027-01-12", "started<2027-01-13",
    "count>3", "count=2", "count!=2",
)  # fmt: skip


@pytest.mark.parametrize("sort", list(Sort))
async def test_a_search_finds_what_a_look_at_each_alert_finds(store, sort):
    alerts, chance = await everything(store), random.Random(3)
    assert len(alerts) == 300
    seen_some = 0
    searches = ["", *TERMS, *(" ".join(chance.sample(TERMS, chance.choice((2, 2, 3)))) for _ in range(150))]
    for text in searches:
        asked = replace(query(text, NOW), sort=sort, limit=chance.choice((7, 100, 500)))
        right = [one for one in alerts if all(holds(term, one) for term in asked.search.terms)]
        right.sort(key=lambda one: key(sort, one), reverse=True)
        found = await walked(store, asked)
        assert [one["id"] for one in found] == [one["id"] for one in right], text
        assert found == right, text
        seen_some += bool(found)
    assert seen_some > 120


async def test_a_search_that_has_to_look_at_many_goes_on_page_by_page(store, monkeypatch):
    """Every way of walking, with such small chunks that each is taken many times."""
    for name, size in (("LOOKED_AT", 40), ("FIRST_CHUNK", 3), ("CHUNK", 11), ("FEW", 20)):
        monkeypatch.setattr(search, name, size)
    monkeypatch.setattr(search.found, "__defaults__", (40,))
    alerts = await everything(store)
    for sort in Sort:
        for text in ("disk", "pod=~web-1.*", "team=shop", "team=shop status:open", "status:open disk team=", "nowhere"):
            asked = replace(query(text, NOW), sort=sort, limit=20)
            right = sorted(
                (one for one in alerts if all(holds(term, one) for term in asked.search.terms)),
                key=lambda one: key(sort, one),
                reverse=True,
            )
            assert await walked(store, asked) == right, (sort, text)
    short = await store.page(replace(query("nowhere", NOW), limit=20))
    assert short.alerts == []
    assert short.next is not None


# --- while others write ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["status:open", "", "status:open disk", "team=shop", "pod=~web-.*"])
async def test_no_alert_that_stays_where_it_is_in_the_list_is_lost_or_doubled(store, text, engine):
    count = 301

    async def run(sort: Sort, steps: list[tuple[str, int, int]]) -> None:
        nonlocal count
        asked = replace(query(text, NOW), sort=sort, limit=11)
        before = {one["id"]: key(sort, one) for one in await walked(store, replace(asked, limit=500))}
        walk: list[int] = []
        moved: set[int] = set()
        done = False
        for step, number, which in [*steps, *[("page", 0, 0)] * 60]:
            if step == "page" and not done:
                page = await store.page(asked)
                walk += [one["id"] for one in page.alerts]
                done = page.next is None
                asked = replace(asked, after=page.next)
            elif step == "insert":
                chance = random.Random(number)
                await store.write(lambda c, n=count, r=chance: write(c, range(n, n + 2), r))
                count += 2
            elif step != "page":
                chosen = number % count
                values = {
                    "status": {"status": list(Status)[which].value},
                    "priority": {"priority": list(Priority)[which].value},
                    "seen": {
                        "last_seen_at": alert.c.last_seen_at + MINUTE,
                        "notification_count": alert.c.notification_count + 1,
                    },
                }[step]
                moved.add(chosen)
                await store.write(
                    lambda c, i=chosen, v=values: c.execute(update(alert).where(alert.c.id == i).values(v))
                )
        assert done
        after = {one["id"]: key(sort, one) for one in await walked(store, replace(asked, after=None, limit=500))}
        stayed = [one for one, where in before.items() if after.get(one) == where and one not in moved]
        assert [one for one in walk if one in set(stayed)] == stayed
        if sort is Sort.NEWEST:  # there nothing ever moves
            assert len(walk) == len(set(walk))

    rounds = 6 if engine == "sqlite" else 3
    chance = random.Random(f"{text}{engine}")
    for sort in Sort:
        for _ in range(rounds):
            kinds = ["page", "insert", "status", "priority", "seen"]
            steps = [
                (chance.choice(kinds), chance.randrange(1000), chance.randrange(5))
                for _ in range(chance.randrange(5, 40))
            ]
            await run(sort, steps)


async def test_an_alert_that_changes_between_looking_and_showing_is_not_shown_as_what_it_was(store, monkeypatch):
    real = reads.found

    def late(connection: Connection, asked: AlertQuery) -> Any:
        ids, after = real(connection, asked)
        return [*ids, 1, 9999], after

    monkeypatch.setattr(reads, "found", late)
    await store.write(lambda c: c.execute(update(alert).where(alert.c.id == 1).values(status="expired")))
    page = await store.page(query("status:open", NOW))
    assert all(one["status"] in ("active", "acknowledged", "suppressed") for one in page.alerts)


async def test_what_intake_writes_is_found(tmp_path):
    async with open_store(tmp_path / "b.db") as opened:
        await take(opened, seen("a", severity="low"), seen("b", severity="critical", team="shop"))
        await take(opened, seen("c", severity="critical"))
        page = await opened.page(replace(query("status:open", NOW), sort=Sort.PRIORITY))
        assert [one["id"] for one in page.alerts] == [3, 2, 1]
        page = await opened.page(query("team=shop priority:critical", NOW))
        assert [one["id"] for one in page.alerts] == [2]
