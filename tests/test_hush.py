"""Silences in the store: judged where alerts begin, and kept in step by any number of replicas."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from receiver.domain import acts, times
from receiver.domain.alert import Alert
from receiver.domain.rules import Book
from receiver.domain.silences import By, Draft, Silence, SilenceRule
from receiver.domain.times import HOUR, MINUTE, SECOND
from receiver.domain.vocabulary import Kind, Status
from receiver.flow import silence as flow
from receiver.flow.hush import Hush
from receiver.store import Store, hushing, rows, silences
from tests.stores import T0, open_store, seen, take

DOWN = ("alertname=Down",)


def hush(store: Store, *rules: SilenceRule) -> Hush:
    """What the sweeper runs, over a book with these silences."""
    return Hush(store, lambda: SimpleNamespace(book=Book(silences=rules)))  # type: ignore[arg-type,return-value]


async def silence(store: Store, *matchers: str, **more: Any) -> Silence:
    """A silence from now on."""
    length = {} if more else {"lasts": HOUR}
    return await flow.create(store, Draft(matchers, "disks", **length, **more), By("ann"))


async def state(store: Store, number: int) -> Alert:
    """An alert's lifecycle state."""
    found = await store.read(lambda c: rows.peek(c, number))
    assert found is not None
    return found


async def kinds(store: Store, number: int) -> list[tuple[str, str]]:
    """The kinds of its Changes, and where they left it."""
    shown = await store.alert(number)
    assert shown is not None
    return [(change["kind"], change["after"]) for change in shown["changes"]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of a database."""
    return tmp_path / "alerts.db"


async def test_a_silence_holds_from_the_next_transaction_on(path: Path) -> None:
    async with open_store(path) as store:
        await take(store, seen("a"))
        first = await silence(store, *DOWN)
        await take(store, seen("b"), seen("a"))
        assert ((await state(store, 2)).hushed_by, (await state(store, 1)).hushed_by) == (first.id, 0)
        await flow.expire(store, first.id, None, By("ann"))
        await take(store, seen("c"))
        assert (await state(store, 3)).status is Status.ACTIVE
        await silence(store, *DOWN, starts_at=times.now() + SECOND // 2, ends_at=times.now() + HOUR)
        await take(store, seen("d"))
        await asyncio.sleep(0.6)
        await take(store, seen("e"))
        assert [(await state(store, number)).status.value for number in (4, 5)] == ["active", "suppressed"]


@pytest.mark.only("postgresql")
async def test_a_silence_of_one_replica_holds_for_the_others_at_once(path: Path) -> None:
    async with open_store(path) as one, open_store(path) as other:
        await take(other, seen("a"))
        first = await silence(one, *DOWN)
        await take(other, seen("b"))
        assert (await state(one, 2)).hushed_by == first.id
        await flow.edit(one, first.id, flow.Edit({"matchers": ("x=y",)}, None), By("bob"))
        await take(other, seen("c"))
        await flow.edit(other, first.id, flow.Edit({"matchers": DOWN}, 2), By("bob"))
        await take(one, seen("d"))
        assert [(await state(one, number)).hushed_by for number in (3, 4)] == [0, first.id]


@pytest.mark.only("postgresql")
async def test_replicas_that_look_at_once_leave_one_change(path: Path) -> None:
    async with open_store(path) as one, open_store(path) as other:
        await take(one, *[seen(f"f{number}") for number in range(150)])
        made = await silence(one, *DOWN)
        lookers = [hush(one), hush(other)]
        await asyncio.gather(*(looker.look() for looker in lookers))
        await flow.expire(other, made.id, None, By("ann"))
        await asyncio.gather(*(looker.look() for looker in lookers))
        for number in (1, 75, 150):
            assert await kinds(one, number) == [
                ("opened", "active"),
                ("suppressed", "suppressed"),
                ("unsuppressed", "active"),
            ]


@pytest.mark.only("postgresql")
async def test_many_who_make_silences_at_once_each_leave_their_stamp(path: Path) -> None:
    async with open_store(path) as one, open_store(path) as other:
        await asyncio.gather(*(silence(store, f"n={number}") for number in range(10) for store in (one, other)))
        read = await one.read(lambda c: c.exec_driver_sql("SELECT stamp FROM silence ORDER BY stamp").scalars().all())
        assert list(read) == list(range(1, 21))


async def test_a_rule_is_one_silence_however_many_replicas_take_it(path: Path) -> None:
    rule = SilenceRule("nightly", Draft(DOWN, "backup", lasts=HOUR, schedule="0 2 * * *"), "ops", "f", 1)
    async with open_store(path) as store:
        await asyncio.gather(*(flow.take_rules(store, (rule,)) for _ in range(4)))
        known = await store.read(lambda c: silences.in_force(c, times.now()))
        assert [(one.rule, one.version) for one in known] == [("nightly", 1)]
        await flow.take_rules(store, (replace(rule, line=7),))
        assert await store.read(silences.of_rules) == {"nightly": known[0]}, "another place in the file is no change"


@pytest.mark.parametrize("indexed", [True, False])
async def test_all_that_fit_are_found(path: Path, indexed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hushing, "FEW", 0 if indexed else 10**6)
    monkeypatch.setattr(hushing, "LOOKED_AT", 20)
    monkeypatch.setattr(hushing, "SLICE", 7)
    async with open_store(path) as store:
        severities = ("critical", "high", "medium", "low")
        many = [seen(f"f{n}", team=f"t{n % 3}", severity=severities[n % 4], n=str(n)) for n in range(150)]
        await take(store, *many)
        await take(store, *[seen(f"f{n}", firing=False, end=T0 + MINUTE) for n in range(30)])
        made = await silence(store, "team=t1", 'severity="high"', 'n!~"1.*"')
        looker = hush(store)
        await looker.look()
        held = [n + 1 for n in range(30, 150) if n % 3 == 1 and n % 4 == 1 and not str(n).startswith("1")]
        assert [n for n in range(1, 151) if (await state(store, n)).hushed_by] == held
        assert len(held) > 4
        await flow.edit(store, made.id, flow.Edit({"matchers": ("team=t1", 'severity="high"')}, None), By("bob"))
        await looker.look()
        assert len([n for n in range(1, 151) if (await state(store, n)).hushed_by]) == 10
        await flow.expire(store, made.id, None, By("ann"))
        await looker.look()
        assert not [n for n in range(1, 151) if (await state(store, n)).status is Status.SUPPRESSED]
        gauges = await store.gauges(10, 10)
        assert sum(n for _, status, *_, n in gauges.alerts if status == "active") == 120


async def test_who_else_holds_it_keeps_it(path: Path) -> None:
    async with open_store(path) as store:
        await take(store, seen("a"), seen("b"))
        until = times.now() + 10 * MINUTE
        await store.act(1, lambda alert: acts.suppress(alert, "bob", until, times.now()))
        await store.act(2, lambda alert: acts.suppress(alert, "bob", times.now() + SECOND // 2, times.now()))
        made = await silence(store, *DOWN)
        looker = hush(store)
        await looker.look()
        assert [(await state(store, n)).hushed_by for n in (1, 2)] == [made.id, made.id]
        await asyncio.sleep(0.6)
        from receiver.store import sweeps

        assert await store.read(lambda c: sweeps.suppressed_until(c, times.now())) == [], "the silence holds it"
        await flow.expire(store, made.id, None, By("ann"))
        await looker.look()
        assert [(await state(store, n)).status.value for n in (1, 2)] == ["suppressed", "active"]
        shown = await store.alert(1)
        assert shown is not None
        assert shown["changes"][-1]["why"].startswith("ann ended silence 1; still suppressed until 20")


async def test_an_acknowledged_alert_stays_so_until_it_escalates(path: Path) -> None:
    async with open_store(path) as store:
        await take(store, seen("a", severity="low"), seen("b", severity="low"))
        for number in (1, 2):
            await store.act(number, lambda alert: acts.acknowledge(alert, "bob", times.now()))
        made = await silence(store, *DOWN)
        looker = hush(store)
        await looker.look()
        assert [((one := await state(store, n)).status.value, one.hushed_by) for n in (1, 2)] == [
            ("acknowledged", 1)
        ] * 2
        await take(store, seen("a", severity="critical"))
        assert (await kinds(store, 1))[-1] == ("escalated", "suppressed")
        await flow.expire(store, made.id, None, By("ann"))
        await looker.look()
        assert [(await kinds(store, n))[-1] for n in (1, 2)] == [
            ("unsuppressed", "active"),
            ("unsuppressed", "acknowledged"),
        ]


async def test_an_open_alert_with_other_labels_is_judged_anew(path: Path) -> None:
    """A sender's own fingerprint may come with other labels."""
    async with open_store(path) as store:
        await silence(store, "team=shop")
        await take(store, seen("a", team="web"))
        await take(store, seen("a", team="shop"))
        await take(store, seen("a", team="web"))
        assert await kinds(store, 1) == [("opened", "active"), ("suppressed", "suppressed"), ("unsuppressed", "active")]


async def test_repeats_ask_for_no_silences(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(path) as store:
        await silence(store, *DOWN)
        await take(store, seen("a"))
        await silence(store, "x=y")

        def refuse(*_: Any) -> Any:
            raise AssertionError

        monkeypatch.setattr(silences, "loaded", refuse)
        await take(store, seen("a"))
        with pytest.raises(AssertionError):
            await take(store, seen("b"))


async def test_what_began_while_a_silence_ended_is_found_by_a_later_look(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another replica had judged it before, and committed it after, the look that the end brought."""
    from receiver.flow import hush as module

    monkeypatch.setattr(module, "LOOKS", (0.0, 0.3))
    async with open_store(path) as store:
        made, looker = await silence(store, *DOWN), hush(store)
        await take(store, seen("a"))
        await looker.look()
        await flow.expire(store, made.id, None, By("ann"))
        await looker.look()

        def late(alert: Alert) -> Any:
            alert.hushed_by, alert.status = made.id, Status.SUPPRESSED
            return replace(acts.change(alert, Kind.REOPENED, times.now(), "source:am", "late"))

        await store.act(1, late)
        await looker.look()
        assert (await state(store, 1)).status is Status.SUPPRESSED
        await asyncio.sleep(0.3)
        await looker.look()
        assert (await state(store, 1)).status is Status.ACTIVE


async def test_a_clock_that_is_set_is_noticed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_store(path) as store:
        await take(store, seen("a"))
        real = times.now
        await silence(store, *DOWN, starts_at=real() + HOUR, ends_at=real() + 2 * HOUR)
        looker = hush(store)
        for jump, status in ((0, "active"), (90 * MINUTE, "suppressed"), (0, "active"), (3 * HOUR, "active")):
            monkeypatch.setattr(times, "now", lambda jump=jump: real() + jump)
            await looker.look()
            assert (await state(store, 1)).status.value == status
            fingerprint = f"{jump}{status}"
            await take(store, seen(fingerprint))
            newest = await store.read(lambda c: c.exec_driver_sql("SELECT max(id) FROM alert").scalar_one())
            assert (await state(store, newest)).status.value == status


async def test_expired_silences_are_forgotten_but_the_newest(path: Path) -> None:
    async with open_store(path) as store:
        for number in range(3):
            made = await silence(store, f"n={number}")
            await flow.expire(store, made.id, None, By("ann"))
        later = times.now() + HOUR
        assert await store.read(lambda c: silences.ended(c, later))
        await store.write(lambda c: silences.forget(c, later))
        assert not await store.read(lambda c: silences.ended(c, later))
        known = [await store.read(partial(silences.one, number=number)) for number in (1, 2, 3)]
        assert [one is None for one in known] == [True, True, False]


async def test_there_are_only_so_many(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from receiver.errors import Refused

    monkeypatch.setattr(silences, "MOST", 2)
    async with open_store(path) as store:
        await silence(store, "n=1")
        await silence(store, "n=2")
        with pytest.raises(Refused, match="2 silences are in force already"):
            await silence(store, "n=3")
        await flow.expire(store, 1, None, By("ann"))
        await silence(store, "n=3")


async def test_a_silence_that_cannot_be_read_stops_no_webhook(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with open_store(path) as store:
        made = await silence(store, *DOWN)
        broken = f'UPDATE silence SET matchers = \'[["a","=~","("]]\' WHERE id = {made.id}'
        await store.write(lambda c: (silences.hold(c), c.exec_driver_sql(broken))[1].rowcount)
        await silence(store, "host=h")
        await take(store, seen("a"), seen("b", host="h"))
        assert [(await state(store, n)).hushed_by for n in (1, 2)] == [0, 2]
        assert "silence 1 cannot be read and holds nothing" in caplog.text
