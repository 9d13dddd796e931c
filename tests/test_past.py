"""What a store remembers of an alert's key and of similar ones."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, MetaData, insert

from receiver.domain import acts, times
from receiver.domain.history import Past
from receiver.domain.sighting import Sightings
from receiver.domain.times import DAY, HOUR, MINUTE, Instant
from receiver.store import Store, migrate, sweeps
from tests.stores import PlainPlan, database, open_store, seen, take

NOW = times.now()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    async with open_store(tmp_path / "a.db") as opened:
        yield opened


async def fire(store: Store, ago: int, fingerprint: str = "f", **labels: str) -> int:
    """It began to fire so long ago; the number of the alert."""
    at = NOW - ago
    await told(store, at, replace(seen(fingerprint, **labels), starts_at=at))
    return await newest(store, fingerprint)


async def newest(store: Store, fingerprint: str) -> int:
    """The number of its last alert."""
    return await store.read(
        lambda c: c.exec_driver_sql(f"SELECT max(id) FROM alert WHERE fingerprint = '{fingerprint}'").scalar_one()
    )


async def told(store: Store, at: Instant, *sightings) -> None:
    """A webhook that came then."""
    await store.accept("am", Sightings(sightings, came=at), PlainPlan())


async def fixed(store: Store, alert_id: int, ago: int, note: str, who: str = "ada") -> None:
    """A person resolved it so long ago."""
    await store.act(alert_id, lambda state: acts.resolve(state, who, NOW - ago, note))


async def recall(store: Store, alert_id: int) -> Past:
    """What is remembered of it."""
    found = await store.past(alert_id)
    assert found is not None
    return found


def notes(found: Past) -> list[str]:
    """The notes in order; similar ones with a tilde."""
    return [f"{'~' if fix.similar else ''}{fix.note}" for fix in found.fixes]


async def test_notes_of_earlier_alerts_and_of_this_ones_flaps_newest_first(store):
    first = await fire(store, 9 * DAY)
    await fixed(store, first, 9 * DAY - 20 * MINUTE, "long ago")
    second = await fire(store, 3 * DAY)
    await fixed(store, second, 3 * DAY - 32 * MINUTE, "last week")
    assert await fire(store, 3 * DAY - 50 * MINUTE) == second
    await fixed(store, second, 3 * DAY - 60 * MINUTE, "a flap", "bob")
    third = await fire(store, HOUR)
    assert len({first, second, third}) == 3
    found = await recall(store, third)
    assert notes(found) == ["a flap", "last week", "long ago"]
    assert [fix.who for fix in found.fixes] == ["bob", "ada", "ada"]
    assert [fix.took for fix in found.fixes] == [10 * MINUTE, 32 * MINUTE, 20 * MINUTE]
    assert [fix.alert_id for fix in found.fixes] == [second, second, first]
    assert found.fixes[0].at == NOW - 3 * DAY + 60 * MINUTE
    assert [(e.alert_id, e.ended and e.ended - e.began) for e in found.episodes] == [
        (third, None),
        (second, 10 * MINUTE),
        (second, 32 * MINUTE),
        (first, 20 * MINUTE),
    ]
    assert found.openings == tuple(reversed([e.began for e in found.episodes]))


async def test_an_exact_match_ranks_over_a_newer_similar_one(store):
    old = await fire(store, 20 * DAY, service="shop")
    await fixed(store, old, 20 * DAY - HOUR, "the same")
    for ago, name, labels in (
        (5, "near", {"service": "shop", "pod": "2"}),
        (4, "nearer", {"service": "shop", "pod": "3"}),
        (3, "elsewhere", {"service": "bank"}),
        (2, "another", {"service": "shop", "alertname": "Slow"}),
    ):
        other = await fire(store, ago * DAY, name, **labels)
        await fixed(store, other, ago * DAY - HOUR, name)
    latest = await fire(store, HOUR, service="shop")
    assert notes(await recall(store, latest)) == ["the same", "~nearer", "~near"]


async def test_what_ended_this_time_and_what_came_later_is_not_before(store):
    first = await fire(store, 9 * DAY)
    await fixed(store, first, 9 * DAY - HOUR, "one")
    second = await fire(store, 6 * DAY)
    await fixed(store, second, 6 * DAY - HOUR, "two")
    near = await fire(store, 5 * DAY, "near")
    await fixed(store, near, 5 * DAY - HOUR, "of another")
    third = await fire(store, 3 * DAY)
    await fixed(store, third, 3 * DAY - HOUR, "three")
    assert notes(await recall(store, first)) == []
    assert notes(await recall(store, second)) == ["one"]
    assert notes(await recall(store, third)) == ["two", "one", "~of another"]
    fourth = await fire(store, MINUTE)
    assert notes(await recall(store, fourth)) == ["three", "two", "one", "~of another"]


async def test_what_a_sender_says_of_an_end_is_no_note_and_a_resolve_without_one_neither(store):
    first = await fire(store, 9 * DAY)
    over = replace(
        seen("f", firing=False, end=NOW - 8 * DAY), starts_at=NOW - 9 * DAY, who="Ada", why="in next release"
    )
    await told(store, NOW - 8 * DAY, over)
    second = await fire(store, 3 * DAY)
    await fixed(store, second, 2 * DAY, "  ")
    found = await recall(store, await fire(store, HOUR))
    assert found.fixes == ()
    assert [(e.alert_id, e.by) for e in found.episodes[1:]] == [(second, "ada"), (first, "source:am (Ada)")]


async def test_notes_older_than_what_is_walked_back_to_are_found_and_only_the_newest_are_shown(store):
    for n in range(60, 0, -1):
        number = await fire(store, n * DAY)
        await fixed(store, number, n * DAY - HOUR, f"note {n}" if n > 48 else "")
    found = await recall(store, await fire(store, HOUR))
    assert notes(found) == [f"note {n}" for n in range(49, 59)]
    assert len(found.openings) == 31
    assert [e.began for e in found.episodes] == list(reversed(found.openings))


async def test_an_early_alert_of_many_knows_what_was_before_it(store):
    numbers = []
    for n in range(20, 0, -1):
        numbers.append(await fire(store, n * DAY))
        await fixed(store, numbers[-1], n * DAY - HOUR, f"note {n}")
    assert notes(await recall(store, numbers[1])) == ["note 20"]


async def test_what_a_sender_says_is_no_note_beside_one_either(store):
    number = await fire(store, 3 * DAY)
    await fixed(store, number, 3 * DAY - MINUTE, "by hand")
    assert await fire(store, 3 * DAY - 20 * MINUTE) == number
    over = replace(seen("f", firing=False, end=NOW - 2 * DAY), starts_at=NOW - 3 * DAY + 20 * MINUTE, why="now")
    await told(store, NOW - 2 * DAY, over)
    assert notes(await recall(store, await fire(store, HOUR))) == ["by hand"]


async def test_times_of_more_than_30_days_ago_are_not_counted_in_an_alert_that_is_older(store):
    number = await fire(store, 40 * DAY)
    await fixed(store, number, 2 * HOUR, "")
    assert await fire(store, 90 * MINUTE) == number
    found = await recall(store, number)
    assert found.openings == (NOW - 90 * MINUTE,)
    assert [e.began for e in found.episodes] == [NOW - 90 * MINUTE]


async def test_what_was_deleted_is_not_missed(store):
    first = await fire(store, 9 * DAY)
    await fixed(store, first, 9 * DAY - HOUR, "gone")
    latest = await fire(store, HOUR)
    await store.write(lambda c: sweeps.forget(c, [first]))
    found = await recall(store, latest)
    assert (found.fixes, [e.alert_id for e in found.episodes]) == ((), [latest])
    assert len(found.openings) == 2
    assert await store.past(first) is None


async def test_an_end_that_was_heard_of_first_has_no_past(store):
    await take(store, seen("f", firing=False, end=NOW))
    found = await recall(store, 1)
    assert found == Past((), (), ())


async def test_alerts_without_a_name_are_similar_to_nothing(store):
    other = await fire(store, 3 * DAY, "other", alertname="")
    await fixed(store, other, 2 * DAY, "of something else")
    assert notes(await recall(store, await fire(store, HOUR, alertname=""))) == []


async def test_notes_from_before_they_were_looked_for_are_found(tmp_path):
    def fill(connection: Connection) -> None:
        migrate.upgrade(connection, "0002")
        old = MetaData()  # the tables as they were then
        old.reflect(connection, only=("alert", "change", "content"))
        alert, change, content = (old.tables[name] for name in ("alert", "change", "content"))
        kept = {column.name: 0 for column in alert.columns if column.name not in ("latest", "predecessor")}
        texts = ("source", "fingerprint", "status", "resolved_by", "recent", "episodes", "priority", "category", "name")
        row = kept | dict.fromkeys(texts, "") | {"digest": b"", "heartbeat": False, "silenced": False, "latest": True}
        row |= {"id": 1, "source": "am", "fingerprint": "f", "status": "resolved", "name": "Down", "change_count": 2}
        row |= {"priority": "high", "category": "system", "closed_at": NOW - DAY, "last_seen_at": NOW - DAY}
        connection.execute(insert(alert), [row])
        described = dict.fromkeys(("kind", "title", "message", "generator_url"), "")
        described |= {"labels": '{"alertname":"Down"}', "annotations": "{}", "detail": "{}"}
        connection.execute(insert(content), [{"alert_id": 1, "raw": b"{}", **described}])
        made = [
            {"alert_id": 1, "seq": 1, "at": NOW - DAY - HOUR, "kind": "opened", "who": "source:am", "why": ""},
            {"alert_id": 1, "seq": 2, "at": NOW - DAY, "kind": "resolved", "who": "ada", "why": "from before"},
        ]
        connection.execute(insert(change), made)

    before = database(tmp_path / "a.db")
    await before.once(fill, writing=True)
    await before.close()
    async with open_store(tmp_path / "a.db") as store:
        assert notes(await recall(store, await fire(store, HOUR))) == ["from before"]
