"""The store on real databases: what is kept, found, counted and forgotten."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, update

from receiver.domain import acts, times
from receiver.domain.sighting import Quarantined, Sightings
from receiver.domain.times import DAY, HOUR, MINUTE
from receiver.errors import StoreAway
from receiver.flow.find import query
from receiver.meters import Meters
from receiver.store import AlertQuery, Store, jobs, migrate, postgres_sql, sqlite_sql, sweeps
from receiver.store.batch import BATCH_PART
from receiver.store.codec import STATE
from receiver.store.labels import number, token
from receiver.store.tables import alert, content, job, metadata
from tests import engines
from tests.stores import T0, PlainPlan, annotated, database, open_store, ready, seen, take


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    async with open_store(tmp_path / "a.db") as opened:
        yield opened


async def ids(store: Store, search: str = "") -> list[int]:
    """The ids a search finds, in order."""
    page = await store.page(query(search, T0))
    return [found["id"] for found in page.alerts]


# --- what is kept ---------------------------------------------------------------------------------------------------


async def test_an_alert_comes_back_with_its_changes_and_what_was_sent(store):
    await take(store, replace(seen("a", severity="high"), raw={"generatorURL": "x"}))
    await take(store, seen("a", firing=False, end=T0 + HOUR))
    found = await store.alert(1)
    assert found is not None
    assert [change["kind"] for change in found["changes"]] == ["opened", "resolved"]
    assert (found["status"], found["priority"], found["category"]) == ("resolved", "high", "system")
    assert found["raw"] == {
        "labels": {"alertname": "Down", "severity": "high"},
        "annotations": {},
        "generatorURL": "x",
    }
    assert await store.alert(2) is None


async def test_a_repeat_that_says_something_new_is_described_anew(store):
    await take(store, seen("a"))
    await take(store, annotated(seen("a"), {"summary": "97 % full"}))
    found = await store.alert(1)
    assert found is not None
    assert (found["title"], found["annotations"]) == ("97 % full", {"summary": "97 % full"})
    assert len(found["changes"]) == 1


async def test_a_rise_in_priority_is_an_escalated_change_and_a_fall_is_explained(store):
    await take(store, seen("a", severity="high"))
    assert await take(store, seen("a", severity="critical")) == {"escalated": 1}
    await take(store, seen("a", severity="low"))
    found = await store.alert(1)
    assert found is not None
    assert [change["kind"] for change in found["changes"]] == ["opened", "escalated"]
    assert found["priority"] == "critical"


async def test_numbers_are_never_used_twice_even_after_the_newest_were_deleted_and_a_restart(tmp_path):
    async with open_store(tmp_path / "a.db") as store:
        await take(store, seen("a"), seen("b"))
        await take(store, seen("b", firing=False, end=T0 + HOUR))
        assert await store.write(lambda c: sweeps.forget(c, [2])) == 1
    async with open_store(tmp_path / "a.db") as store:
        await take(store, seen("c"))
        assert await ids(store) == [3, 1]


async def test_one_webhook_with_more_alerts_than_one_commit_takes(store):
    count = BATCH_PART * 2 + 1
    assert await take(store, *[seen(f"f{n}") for n in range(count)]) == {"opened": count}
    assert (await store.gauges(10, 10)).names == [("Down", "am", count)]


async def test_only_so_many_deliveries_are_remembered(store):
    async def deliver(place: int, fingerprint: str) -> dict[str, int]:
        told = Sightings((seen(fingerprint),), delivery=f"key:{place}")
        return dict((await store.accept("am", told, PlainPlan())).outcomes)

    for place in range(5):
        assert await deliver(place, f"a{place}") == {"opened": 1}
    oldest = await store.read(lambda c: sweeps.oldest_kept(c, 2))
    assert await store.read(lambda c: sweeps.delivered_before(c, oldest))
    await store.write(lambda c: sweeps.forget_deliveries(c, oldest))
    assert not await store.read(lambda c: sweeps.delivered_before(c, oldest))
    assert [await deliver(place, f"b{place}") for place in (4, 3, 0)] == [{"duplicate": 1}] * 2 + [{"opened": 1}]
    assert await store.read(lambda c: sweeps.oldest_kept(c, 100)) == 0


async def test_quarantined_alerts_are_kept_with_their_reason(store):
    bad = Quarantined(1, "labels is not an object", '{"labels": 3}')
    await store.accept("am", Sightings((seen("a"),), (bad,)), PlainPlan())
    (kept,) = await store.quarantine(10)
    assert (kept["source"], kept["reason"], kept["excerpt"]) == ("am", bad.reason, bad.excerpt)
    await store.write(lambda c: sweeps.trim_quarantine(c, 0))
    assert await store.quarantine(10) == []


async def test_one_bad_webhook_does_not_fail_its_neighbours(store):
    good = [take(store, seen(f"g{n}")) for n in range(20)]
    answers = await asyncio.gather(*good, take(store, seen("p", alertname="Poison")), return_exceptions=True)
    assert [isinstance(answer, ValueError) for answer in answers] == [False] * 20 + [True]
    assert (await store.gauges(10, 10)).names == [("Down", "am", 20)]


async def test_the_same_key_from_two_sources_is_two_alerts(store):
    await take(store, seen("a"))
    await store.accept("other", Sightings((replace(seen("a"), source="other"),)), PlainPlan())
    assert await ids(store, "source:other") == [2]


# --- what is found --------------------------------------------------------------------------------------------------


async def test_pages_follow_each_other_without_gap_or_overlap(store):
    await take(store, *[seen(f"f{n}") for n in range(25)])
    walked: list[int] = []
    after = None
    while True:
        page = await store.page(AlertQuery(limit=10, after=after))
        walked += [found["id"] for found in page.alerts]
        if page.next is None:
            break
        after = page.next
    assert walked == list(range(25, 0, -1))


async def test_labels_are_found_by_exact_value_and_absence(store):
    await take(store, seen("a", team="shop"), seen("b", team="shop front"), seen("c"), seen("d", **{'we"ird': "ü\n'"}))
    assert await ids(store, "team=shop") == [1]
    assert await ids(store, "team=") == [4, 3]
    assert await ids(store, 'label."we\\"ird"="ü\n\'" alertname=Down') == [4]
    assert await ids(store, "team=shop alertname=Up") == []


async def test_two_labels_with_one_checksum_are_told_apart(store):
    """The index holds 32-bit checksums: `plumless` and `buckeroo` share theirs."""
    await take(store, seen("a", w="plumless"), seen("b", w="buckeroo"))
    assert await ids(store, "w=buckeroo") == [2]


async def test_a_label_page_is_paged_too(store):
    await take(store, *[seen(f"f{n}", team="shop" if n % 2 else "ops") for n in range(40)])
    asked = replace(query("team=shop", T0), limit=5)
    first = await store.page(asked)
    second = await store.page(replace(asked, after=first.next))
    assert [found["id"] for found in first.alerts + second.alerts] == list(range(40, 20, -2))


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("100%", [2]),
        ("_", [3]),
        ("down", [3, 2, 1]),
        ("status:resolved", [1]),
        ("status:active,resolved", [3, 2, 1]),
        ("priority:high", [2]),
        ("category:database", []),
    ],
)
async def test_every_other_filter(store, search, found):
    await take(store, seen("a"))
    await take(store, annotated(seen("b", severity="high"), {"summary": "100% down"}))
    await take(store, annotated(seen("c"), {"summary": "a_b down"}))
    await take(store, seen("a", firing=False, end=T0 + HOUR))
    assert await ids(store, search) == found


async def test_changed_labels_of_a_known_fingerprint_are_found_by_the_new_ones_only(store):
    await take(store, seen("a", team="shop"))
    await take(store, seen("a", team="ops"))
    assert await ids(store, "team=shop") == []
    assert await ids(store, "team=ops") == [1]


# --- what is counted ------------------------------------------------------------------------------------------------


async def test_counts_equal_a_count_of_the_rows_after_anything(store):
    """Opened, escalated, resolved, reopened, replaced, acted on, expired, forgotten: the sums stay true."""
    for n in range(30):
        await take(store, seen(f"f{n}", severity=("high", "low")[n % 2], alertname=f"N{n % 4}"))
    await take(store, seen("f0", severity="critical", alertname="N0"))
    await take(store, *[seen(f"f{n}", firing=False, end=T0 + MINUTE) for n in range(0, 20, 3)])
    await take(store, replace(seen("f3", alertname="N3"), starts_at=times.now() - MINUTE))
    await take(
        store, replace(seen("f6", alertname="N2"), starts_at=times.now()), plan=PlainPlan(policy=_never_reopens())
    )
    now = times.now()
    await store.act(2, lambda state: acts.acknowledge(state, "ada", now))
    await store.act(5, lambda state: acts.suppress(state, "ada", now + HOUR, now))
    await store.act(6, lambda state: acts.resolve(state, "ada", now))
    await store.write(lambda c: sweeps.expire_silent(c, [8, 9], now + 4 * DAY))
    await store.write(lambda c: sweeps.forget(c, [1, 8, 20]))
    rows = (await store.page(AlertQuery(limit=500))).alerts
    counted = Counter((r["source"], r["status"], r["priority"], r["category"]) for r in rows)
    gauges = await store.gauges(100, 100)
    assert {(*key,): n for *key, n in gauges.alerts if n} == counted
    names = Counter(r["name"] for r in rows if r["status"] in ("active", "acknowledged", "suppressed"))
    assert {name: n for name, _, n in gauges.names if n} == names


def _never_reopens():
    return replace(PlainPlan().policy, reopen_within=0)


async def test_names_over_the_cap_are_counted_together(store):
    await take(store, *[seen(f"f{n}", alertname=f"N{n % 5}") for n in range(23)])
    gauges = await store.gauges(2, 10)
    assert [name for name, _, _ in gauges.names] == ["N0", "N1"]
    assert gauges.names_other == 13


async def test_a_resolved_name_stays_listed_with_zero(store):
    await take(store, seen("a"))
    await take(store, seen("a", firing=False, end=T0 + HOUR))
    gauges = await store.gauges(10, 10)
    assert gauges.names == [("Down", "am", 0)]
    assert ("am", "active", "medium", "system", 0) in gauges.alerts


async def test_heartbeats_are_not_trouble_but_are_seen(store):
    await take(store, seen("w", alertname="Watchdog", severity="none"))
    gauges = await store.gauges(10, 10)
    assert (gauges.alerts, gauges.names, gauges.names_other) == ([], [], 0)
    ((name, source, last_seen),) = gauges.heartbeats
    assert (name, source) == ("Watchdog", "am")
    assert abs(last_seen - times.now()) < MINUTE


# --- jobs -----------------------------------------------------------------------------------------------------------


async def test_news_owes_one_job_and_repeats_owe_none(store):
    plan = PlainPlan(deferred=True)
    await take(store, seen("a"), plan=plan)
    await take(store, seen("a"), plan=plan)
    await take(store, seen("a", severity="critical"), plan=plan)
    await take(store, seen("b"), plan=plan)
    assert (await store.gauges(1, 1)).jobs == 2
    assert store.work.is_set()


async def test_a_job_is_one_workers_until_its_lease_ends_and_the_loser_cannot_finish(store):
    await take(store, seen("a"), plan=PlainPlan(deferred=True))
    now = times.now()
    (first,) = await store.write(lambda c: jobs.claim(c, MINUTE, 10))
    assert await store.write(lambda c: jobs.claim(c, MINUTE, 10)) == []
    await store.write(lambda c: c.execute(update(job).values(lease_until=0)))
    (second,) = await store.write(lambda c: jobs.claim(c, MINUTE, 10))
    late = jobs.Added({"facts": {"by": "the first"}})
    right = jobs.Added({"facts": {"by": "the second"}})
    assert not await store.write(lambda c: jobs.finish(c, first, late, now))
    assert await store.write(lambda c: jobs.finish(c, second, right, now))
    found = await store.alert(1)
    assert found is not None
    assert found["facts"] == {"episodes": 1, "by": "the second"}
    assert (await store.gauges(1, 1)).jobs == 0


# --- time -----------------------------------------------------------------------------------------------------------


async def test_silent_alerts_expire_and_others_do_not(store):
    await take(store, seen("a"), seen("b"))
    now = times.now()
    assert await store.read(lambda c: sweeps.silent(c, now + 2 * DAY, 0)) == []
    later = now + 3 * DAY + MINUTE
    assert await store.read(lambda c: sweeps.silent(c, later, 0)) == [1, 2]
    await take(store, seen("b", firing=False, end=T0 + HOUR))
    assert await store.write(lambda c: sweeps.expire_silent(c, [1, 2], later)) == 1
    assert await ids(store, "status:expired") == [1]


async def test_a_suppression_ends_in_time(store):
    await take(store, seen("a"))
    now = times.now()
    await store.act(1, lambda state: acts.suppress(state, "ada", now + HOUR, now, "maintenance"))
    assert await store.read(lambda c: sweeps.suppressed_until(c, now + HOUR - 1)) == []
    assert await store.read(lambda c: sweeps.suppressed_until(c, now + HOUR)) == [1]
    assert await store.write(lambda c: sweeps.wake(c, [1], now + HOUR)) == 1
    found = await store.alert(1)
    assert found is not None
    assert (found["status"], found["changes"][-1]["kind"]) == ("active", "unsuppressed")


async def test_retention_deletes_closed_alerts_with_all_that_belongs_to_them(store, tmp_path):
    await take(store, seen("a", team="shop"), seen("b", team="shop"), seen("c"))
    await take(store, seen("a", firing=False, end=T0 + HOUR), seen("c", firing=False, end=T0 + HOUR))
    tomorrow = times.now() + DAY
    assert await store.read(lambda c: sweeps.outlived(c, times.now() - DAY, 0)) is None
    assert await store.read(lambda c: sweeps.outlived(c, tomorrow, 0)) == ([1, 3], 3)
    assert await store.write(lambda c: sweeps.forget(c, [1, 2, 3])) == 2
    assert await ids(store, "team=shop") == [2]
    url = engines.address(tmp_path, "a.db")
    left = [engines.ask(url, f"SELECT count(*) FROM {table}")[0][0] for table in ("alert", "content", "change")]
    if url.startswith("sqlite"):
        hits = engines.ask(url, "SELECT rowid FROM alert_label(?)", token("team", "shop"))
    else:
        hits = engines.ask(url, "SELECT alert_id FROM alert_label WHERE token = $1", number("team", "shop"))
    assert (left, hits) == ([1, 1, 1], [(2,)])


async def test_only_so_many_closed_alerts_are_kept(store):
    await take(store, *[seen(f"f{n}") for n in range(5)])
    await take(store, *[seen(f"f{n}", firing=False, end=T0 + HOUR) for n in range(4)])
    assert await store.read(lambda c: sweeps.surplus(c, 4)) == []
    assert await store.read(lambda c: sweeps.surplus(c, 3)) == [1]


async def test_an_act_on_an_alert_that_is_not_there_says_so(store):
    with pytest.raises(LookupError, match="no alert 7"):
        await store.act(7, lambda state: acts.acknowledge(state, "ada", times.now()))


# --- the database away ----------------------------------------------------------------------------------------------


@pytest.mark.only("sqlite")
async def test_a_locked_database_refuses_quickly_and_comes_back_by_itself(store, tmp_path):
    await take(store, seen("a"))
    locker = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    locker.execute("BEGIN IMMEDIATE")
    began = asyncio.get_running_loop().time()
    with pytest.raises(StoreAway, match="locked"):
        await take(store, seen("b"))
    assert asyncio.get_running_loop().time() - began < 2
    assert "locked" in store.state
    with pytest.raises(StoreAway):
        await store.ping()
    assert await ids(store) == [1]
    locker.execute("ROLLBACK")
    locker.close()
    await ready(store)
    await store.ping()
    assert await take(store, seen("b")) == {"opened": 1}


async def why_away(path):
    """What a store says that cannot open this database."""
    other = Store(database(path, busy_timeout=0.1), queue=1, meters=Meters())
    await other.start()
    try:
        async with asyncio.timeout(5):
            while other.state == "migrating":
                await asyncio.sleep(0.01)
        return other.state
    finally:
        await other.close()


@pytest.mark.only("sqlite")
async def test_a_second_process_on_the_same_file_is_told_to_stay_away(store, tmp_path):
    assert "another alertsage uses this database" in await why_away(tmp_path / "a.db")


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path):
    async with open_store(tmp_path / "a.db"):
        pass
    engines.ask(engines.address(tmp_path, "a.db"), "UPDATE alembic_version SET version_num = '9999'")
    assert "of a newer alertsage" in await why_away(tmp_path / "a.db")


# --- the schema -----------------------------------------------------------------------------------------------------


def schema_of(connection: Connection) -> dict[str, Any]:
    """All tables and indexes, as the database itself tells of them; columns in the order of the alphabet."""
    if connection.dialect.name == "postgresql":
        columns = (
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_schema = current_schema()"
        )
        others = {
            "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
            "settings": "SELECT relname, relkind, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace",
            "constraints": "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace AND contype <> 'n'",
            "sequences": "SELECT sequence_name, data_type FROM information_schema.sequences",
        }
    else:
        columns = (
            'SELECT m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk'
            " FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
        )
        others = {
            "indexes": "SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index'",
            "tables": "SELECT name, sql LIKE '%WITHOUT ROWID%', sql LIKE '%AUTOINCREMENT%', sql LIKE '%fts5%'"
            " FROM sqlite_master WHERE type = 'table'",
        }
    return {
        what: sorted(map(tuple, connection.exec_driver_sql(sql).all()), key=str)
        for what, sql in {"columns": columns, **others}.items()
    }


def ours(name: str | None, kind: str, _: object) -> bool:
    """All but the label index, which is no table of `metadata`."""
    return kind != "table" or not str(name).startswith("alert_label")


async def test_a_new_database_is_what_all_migrations_make(tmp_path):
    found = {}
    for name, steps in (("new.db", ("head",)), ("old.db", ("0001", "head"))):
        opened = database(tmp_path / name)

        def make(connection: Connection, steps: tuple[str, ...] = steps) -> dict[str, Any]:
            for step in steps:
                migrate.upgrade(connection, step)
            context = MigrationContext.configure(connection, opts={"include_name": ours})
            made = compare_metadata(context, metadata)
            assert [row for row in made if "sqlite_sequence" not in str(row)] == []
            return schema_of(connection)

        found[name] = await opened.once(make, writing=True)
        await opened.close()
    assert found["new.db"] == found["old.db"]
    assert len(found["new.db"]["columns"]) > 100


def test_the_writers_statements_name_the_columns_in_the_order_they_are_given():
    written = [c.name for c in alert.columns if c.name not in ("latest", "has_note", "assignee")]
    assert written == list(STATE)
    (first, _), *_ = sqlite_sql.INSERT_ALERT.statements([()])
    for text in (first, postgres_sql.WRITE[postgres_sql.WRITE.index("INSERT INTO alert ") :]):
        assert text.split("(")[1].split(")")[0].split(", ") == [*STATE[:3], "latest", *STATE[3:]]


@pytest.mark.only("sqlite")
async def test_a_database_that_was_deleted_or_replaced_is_not_written_to(store, tmp_path):
    await take(store, seen("a"))
    moved = (tmp_path / "a.db").rename(tmp_path / "aside.db")
    with pytest.raises(StoreAway, match=r"a\.db is gone"):
        await take(store, seen("b"))
    (tmp_path / "a.db").write_bytes(b"")
    await asyncio.sleep(0.4)
    with pytest.raises(StoreAway, match="was replaced"):
        await take(store, seen("b"))
    (tmp_path / "a.db").unlink()
    moved.rename(tmp_path / "a.db")
    await ready(store)
    assert await take(store, seen("b")) == {"opened": 1}


@pytest.mark.only("sqlite")
async def test_readers_make_no_new_file_where_one_was_deleted(store, tmp_path):
    await take(store, seen("a"))
    (tmp_path / "a.db").rename(tmp_path / "aside.db")
    await store._database.readers.dispose()
    with pytest.raises(StoreAway):
        await store.page(AlertQuery())
    assert not (tmp_path / "a.db").exists()


@pytest.mark.only("sqlite")
async def test_the_database_is_readable_by_nobody_else(store, tmp_path):
    await take(store, seen("a"))
    for file in tmp_path.glob("a.db*"):
        assert file.stat().st_mode & 0o77 == 0, file.name


@pytest.mark.only("sqlite")
async def test_a_file_that_is_no_database_is_told_and_never_overwritten(tmp_path):
    (tmp_path / "a.db").write_bytes(b"holiday pictures" * 100)
    assert "not a database" in await why_away(tmp_path / "a.db")
    assert (tmp_path / "a.db").read_bytes().startswith(b"holiday")


async def test_descriptions_as_they_were_stored_before_short_rows_are_still_read(store):
    await take(store, seen("a"))
    old = {
        "priority_terms": [{"rule": "severity", "input": "warning", "effect": "medium"}],
        "impact": {"users": 3, "source": "x"},
        "links": [{"title": "t", "url": "https://x.example.org"}],
        "enrichers": [["priority", "ok", 0.1]],
        "provenance": {"title": "thresholds"},
    }
    await store.write(lambda c: c.execute(update(content).values(detail=json.dumps(old))))
    found = await store.alert(1)
    assert found is not None
    assert {name: found[name] for name in ("priority_terms", "impact", "links", "provenance")} == {
        name: old[name] for name in ("priority_terms", "impact", "links", "provenance")
    } | {"priority_terms": found["priority_terms"]}
    assert found["priority_terms"][0] == old["priority_terms"][0]
    assert found["enrichers"] == [{"enricher": "priority", "outcome": "ok", "ms": 0.1, "detail": None}]
