"""`alertsage replay`: what another configuration or book would make of the alerts that are stored."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from pydantic_core import to_jsonable_python

from receiver.domain import times
from receiver.domain.enrichment import Recommendation
from receiver.domain.times import Instant, rfc3339, span
from receiver.errors import Mistakes
from receiver.flow.replay import Difference, difference, judge, stored
from receiver.flow.setup import Setup, build
from receiver.meters import Meters
from receiver.offline import run
from receiver.settings import Settings
from receiver.settings.units import format_duration
from receiver.store import Connection, Database, migrate
from receiver.store.kept import SLICE, Kept, kept
from receiver.terminal import json_line, one_line, visible

MOST_GROUPS = 1000
"""Groups of alerts that would change in the same way that are remembered, and so many of the largest are shown."""
SHOWN = 100


def replay(settings: Settings, other: Settings | None, since: timedelta, limit: int | None, as_json: bool) -> None:
    """Print what would change for the alerts seen within that time, newest first.

    Compares the `other` configuration with these settings, or, without one, these settings with what is stored.
    Only reads. Raises Mistakes for a broken configuration and for a database that is not to be had.
    """
    present, new = build(settings, Meters()), None if other is None else build(other, Meters())
    after = present if new is None else new
    moment = times.now() - span(since)
    found = _Found(after)

    async def work(database: Database) -> None:
        async for one in _stored(database, settings, moment, limit):
            before = stored(one) if new is None else judge(one, present)
            changed = difference(one, before, judge(one, after))
            found.add(changed)
            if changed and as_json:
                click.echo(json_line(_as_json(changed)))

    run(settings, work)
    if as_json:
        click.echo(json_line({"summary": found.counts | {"since": rfc3339(moment)}}))
    else:
        _print(found, moment, compared=new is not None)


async def _stored(database: Database, settings: Settings, since: Instant, limit: int | None) -> AsyncIterator[Kept]:
    """The alerts, slice by slice, each in a transaction of its own: intake and its database go on beside it."""
    before, left = None, limit

    def work(connection: Connection) -> list[Kept]:
        if (schema := migrate.current(connection)) != migrate.newest():
            holds = "nothing of alertsage yet" if schema is None else f"the schema {schema}, not {migrate.newest()}"
            hint = "start the server once, or run alertsage db upgrade"
            raise Mistakes([settings.mistake(("database", "url"), f"holds {holds}: {hint}")])
        return kept(connection, since, before, SLICE if left is None else min(SLICE, left))

    while left is None or left > 0:
        slice_ = await database.once(work, writing=False)
        for one in slice_:
            yield one
        if len(slice_) < SLICE:
            return
        before, left = slice_[-1].id, None if left is None else left - len(slice_)


@dataclass(slots=True)
class _Group:
    example: Difference
    alerts: int = 0


@dataclass(slots=True)
class _Found:
    """What was found, in bounded memory."""

    after: Setup
    groups: dict[tuple[Any, ...], _Group] = field(default_factory=dict)
    ungrouped: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    unnamed: Counter[str] = field(default_factory=Counter)
    """Alerts of sources that the other configuration does not name, by source."""

    def add(self, one: Difference) -> None:
        """Count one alert."""
        self.counted["alerts"] += 1
        if one.kept.source not in self.after.plans:
            self.unnamed[one.kept.source] += 1
        if not one:
            return
        self.counted["changed"] += 1
        for name in ("category", "priority", "expire_after"):
            self.counted[name] += getattr(one, name) is not None
        self.counted["recommendations"] += one.advice
        if one.priority is not None:
            self.counted["raised" if one.after.priority.rank > one.before.priority.rank else "lowered"] += 1
        key = _key(one)
        if key not in self.groups and len(self.groups) >= MOST_GROUPS:
            self.ungrouped += 1
        else:
            self.groups.setdefault(key, _Group(one)).alerts += 1

    @property
    def counts(self) -> dict[str, Any]:
        """By what would change."""
        names = ("alerts", "changed", "category", "priority", "raised", "lowered", "expire_after", "recommendations")
        return {name: self.counted[name] for name in names} | {"of_unknown_sources": dict(self.unnamed)}


def _key(one: Difference) -> tuple[Any, ...]:
    """What makes alerts change in the same way: the words of recommendations hold each alert's own names."""
    rules = tuple(tuple(said.rule for said in many) for many in (one.removed, one.added))
    return (one.kept.name, one.category, one.priority, one.expire_after, *rules, one.reordered)


def _print(found: _Found, since: Instant, *, compared: bool) -> None:
    named: Counter[str] = Counter()
    for group in found.groups.values():
        named[group.example.kept.name] += group.alerts
    groups = sorted(found.groups.values(), key=lambda group: (*_rank(group, named), -group.alerts))
    for group in groups[:SHOWN]:
        for line in _lines(group):
            click.echo(visible(line))
    if left := sum(group.alerts for group in groups[SHOWN:]) + found.ungrouped:
        click.echo(f"... and {left:,} alerts more that would change in other ways; --json tells of each\n")
    told = found.counted
    word = "would change" if compared else "would be judged otherwise than they were"
    click.echo(f"{told['alerts']:,} alerts seen since {rfc3339(since)}, {told['changed']:,} {word}")
    for name, what in (("priority", "priority"), ("category", "category"), ("expire_after", "expiry")):
        ways = f" ({told['raised']:,} up, {told['lowered']:,} down)" if name == "priority" and told[name] else ""
        click.echo(f"  {what:16} {told[name]:,}{ways}")
    if compared:
        click.echo(f"  {'recommendations':16} {told['recommendations']:,}")
    for source, many in found.unnamed.most_common(20):
        click.echo(visible(f"  {many:,} of source {source}, which that configuration does not name"))


def _rank(group: _Group, named: Counter[str]) -> tuple[int, str]:
    """Alerts of one name stand together, the most frequent name first."""
    name = group.example.kept.name
    return -named[name], name


def _lines(group: _Group) -> list[str]:
    one = group.example
    alert, many = one.kept, f"{group.alerts:,} alert{'' if group.alerts == 1 else 's'}"
    lines = [f"{alert.name or 'without a name'}: {many}, e.g. {alert.id}: {one_line(alert.title)}"]
    for name, pair, told in (
        ("priority", one.priority, str),
        ("category", one.category, str),
        ("expires after", one.expire_after, _duration),
    ):
        if pair is not None:
            tell: Callable[[Any], str] = told
            lines.append(f"    {name} {tell(pair[0])} -> {tell(pair[1])}")
    lines += [f"    - {_said(said)}" for said in one.removed] + [f"    + {_said(said)}" for said in one.added]
    if one.reordered:
        order = dict.fromkeys(said.rule or "an enricher" for said in one.after.recommendations or ())
        lines.append(f"    in another order: {', '.join(order)}")
    return [*lines, ""]


def _said(said: Recommendation) -> str:
    return f"{one_line(said.text)}  [{said.rule or 'an enricher'}]"


def _duration(length: int) -> str:
    return format_duration(timedelta(microseconds=length))


def _as_json(one: Difference) -> dict[str, Any]:
    alert = one.kept
    pairs = {"category": one.category, "priority": one.priority}
    if one.expire_after is not None:
        pairs["expire_after"] = tuple(map(_duration, one.expire_after))  # type: ignore[assignment]
    changed = {name: {"before": str(pair[0]), "after": str(pair[1])} for name, pair in pairs.items() if pair}
    told = {"id": alert.id, "source": alert.source, "name": alert.name, "title": alert.title, **changed}
    if one.advice:
        advice = {"removed": one.removed, "added": one.added}
        told["recommendations"] = {**to_jsonable_python(advice), "reordered": one.reordered}
    return told
