"""Silences as rows. Whoever writes one holds them all, so that their changes have an order (`stamp`)."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from pydantic_core import to_json
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from receiver.domain.matchers import Matcher, made
from receiver.domain.silences import By, InForce, Silence, Terms
from receiver.domain.times import Instant
from receiver.domain.windows import State, Window
from receiver.errors import Refused
from receiver.silencing import compiled, cron
from receiver.store import codec
from receiver.store.rows import on_postgres
from receiver.store.tables import silence

log = logging.getLogger("alertsage.silences")

COLUMNS = tuple(silence.c.keys())
IN_FORCE = f"SELECT {', '.join(COLUMNS)} FROM silence WHERE ends_at IS NULL OR ends_at > "  # noqa: S608
"""All that have not expired at a moment, for a driver: its parameter goes behind."""
HELD = "silences"
"""Where a writer's connection remembers the InForce of its database, if nobody else writes to that."""
MOST = 2_000
"""Silences in force: each new alert is held against all of them."""


def loaded(rows: Iterable[Sequence[Any]]) -> list[Silence]:
    """The silences in rows of COLUMNS; one that cannot be read any more is told of and left out."""
    found = []
    for row in rows:
        try:
            found.append(_silence(row))
        except ValueError:
            log.exception("silence %s cannot be read and holds nothing", row[0])
    return found


def _silence(row: Sequence[Any]) -> Silence:
    told = dict(zip(COLUMNS, row, strict=True))
    schedule = cron(told["schedule"], told["zone"]) if told["schedule"] else None
    window = Window(told["starts_at"], told["ends_at"], schedule, told["lasts"])
    terms = Terms(_matchers(told["matchers"]), window, told["schedule"], told["zone"], told["comment"])
    return Silence(
        told["id"],
        terms,
        told["created_by"],
        told["created_at"],
        told["version"],
        told["rule"],
        told["changed_by"],
        told["changed_at"],
        told["created_via"],
        told["changed_via"],
    )


def _matchers(text: str) -> tuple[Matcher, ...]:
    return tuple(made(name, operator, value, compiled) for name, operator, value in codec.json(text))


def in_force(connection: Connection, now: Instant) -> list[Silence]:
    """All that have not expired, the eldest first."""
    return loaded(connection.execute(_wanted(now)).all())


def _wanted(now: Instant) -> Any:
    return select(silence).where(or_(silence.c.ends_at.is_(None), silence.c.ends_at > now)).order_by(silence.c.id)


def one(connection: Connection, number: int) -> Silence | None:
    """The silence of that number; None when there is none."""
    return next(iter(loaded(connection.execute(select(silence).where(silence.c.id == number)).all())), None)


def page(
    connection: Connection, states: Iterable[State], now: Instant, limit: int, before: int | None
) -> list[Silence]:
    """Up to so many silences that stand there, the newest first, with numbers below `before`."""
    wanted = frozenset(states)
    older = () if before is None else (silence.c.id < before,)
    found = [one for one in loaded(connection.execute(_wanted(now).where(*older)).all()) if one.state(now) in wanted]
    if State.EXPIRED in wanted:
        expired = select(silence).where(silence.c.ends_at <= now, *older).order_by(silence.c.id.desc()).limit(limit)
        found += loaded(connection.execute(expired).all())
    return sorted(found, key=lambda one: -one.id)[:limit]


def counted(connection: Connection, now: Instant) -> dict[State, int]:
    """How many silences stand where."""
    count = dict.fromkeys(State, 0)
    for one in in_force(connection, now):
        count[one.state(now)] += 1
    ended = select(func.count()).select_from(silence).where(silence.c.ends_at <= now)
    count[State.EXPIRED] += connection.execute(ended).scalar_one()
    return count


# --- writing --------------------------------------------------------------------------------------------------------


def hold(connection: Connection) -> None:
    """Let nobody else write silences before the commit."""
    if on_postgres(connection):
        connection.exec_driver_sql("LOCK TABLE silence IN SHARE ROW EXCLUSIVE MODE")
    connection.info.pop(HELD, None)


def add(connection: Connection, terms: Terms, by: By, now: Instant, rule: str = "") -> Silence:
    """Write a new one. Raises Refused (409) when there are MOST already."""
    hold(connection)
    waiting = select(func.count()).select_from(_wanted(now).order_by(None).subquery())
    if connection.execute(waiting).scalar_one() >= MOST:
        raise Refused(f"{MOST:,} silences are in force already: end some, or let one have wider matchers", status=409)
    values = {**_values(terms), "created_by": by.who, "created_via": by.via, "created_at": now}
    values |= {"rule": rule, "stamp": _stamp(connection)}
    number = connection.execute(insert(silence).values(values)).inserted_primary_key
    assert number is not None  # noqa: S101 - one row has one
    return Silence(number[0], terms, by.who, now, rule=rule, created_via=by.via)


def alter(
    connection: Connection, number: int, decide: Callable[[Silence], Terms | None], by: By, now: Instant
) -> Silence | None:
    """Change the terms of one; None when there is none. `decide` returns None to leave it, and may raise."""
    hold(connection)
    known = one(connection, number)
    if known is None:
        return None
    terms = decide(known)
    return known if terms is None else _rewrite(connection, known, terms, by, now)


def _rewrite(connection: Connection, known: Silence, terms: Terms, by: By, now: Instant) -> Silence:
    changes: dict[str, Any] = {
        "version": known.version + 1,
        "changed_by": by.who,
        "changed_via": by.via,
        "changed_at": now,
    }
    changed = replace(known, terms=terms, **changes)
    values = {**_values(terms), **changes, "stamp": _stamp(connection)}
    connection.execute(update(silence).where(silence.c.id == known.id).values(values))
    return changed


def _values(terms: Terms) -> dict[str, Any]:
    parts = [(matcher.name, matcher.operator, matcher.value) for matcher in terms.matchers]
    return {
        "matchers": to_json(parts).decode(),
        "starts_at": terms.window.starts_at,
        "ends_at": terms.window.ends_at,
        "schedule": terms.schedule,
        "lasts": terms.window.lasts,
        "zone": terms.zone,
        "comment": terms.comment,
    }


def _stamp(connection: Connection) -> int:
    newest = connection.execute(select(func.max(silence.c.stamp))).scalar()
    return (newest or 0) + 1


def of_rules(connection: Connection) -> dict[str, Silence]:
    """Those that stand for rules, by their ids."""
    rows = connection.execute(select(silence).where(silence.c.rule != "").order_by(silence.c.id)).all()
    return {one.rule: one for one in loaded(rows)}


def forget(connection: Connection, before: Instant) -> None:
    """Delete those that expired before the moment; not the one changed last, by which replicas know what is new."""
    hold(connection)
    newest = select(func.max(silence.c.stamp)).scalar_subquery()
    connection.execute(delete(silence).where(silence.c.ends_at < before, silence.c.stamp < newest))


def ended(connection: Connection, before: Instant) -> bool:
    """True when `forget` would have something to delete."""
    newest = select(func.max(silence.c.stamp)).scalar_subquery()
    wanted = select(silence.c.id).where(silence.c.ends_at < before, silence.c.stamp < newest)
    return connection.execute(wanted.limit(1)).first() is not None


def judged_by(connection: Connection, now: Instant) -> InForce:
    """What is in force, as this transaction sees it."""
    return InForce(in_force(connection, now))
