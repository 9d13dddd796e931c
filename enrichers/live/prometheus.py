"""Asks Prometheus (or what speaks its API) about the figure of an alert: now, over the last hours, what makes it up."""

import asyncio
import math
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from enrichers import promql
from enrichers.api import Context, Problem
from enrichers.live.blanks import QueryText
from enrichers.live.contributors import contributors
from enrichers.live.promapi import Row, line, listed, vector
from enrichers.live.service import Service, document, excerpt, web_address
from enrichers.live.trend import Limit
from enrichers.live.trend import trend as course
from enrichers.promtree import clock_of, nodes_in
from enrichers.query import LONGEST as LONGEST_QUERY
from enrichers.thresholds import overage_percent
from enrichers.units import figure
from receiver.domain.enrichment import AlertView, Enrichment, Impact
from receiver.domain.phrases import Values
from receiver.domain.times import SECOND, as_datetime

POINTS = 60
"""Samples of a trend."""
SMALLEST_STEP = 15
"""Seconds between two of them."""
_NOTHING = "no such series now"
_SINGLES = ("value", "overage_percent", "impact")


def _server(text: str) -> str:
    if set("?#") & set(web_address(text)):
        raise ValueError("must not hold ? or #")
    return text.rstrip("/")


def _pairs(written: object) -> object:
    """A list of servers stands for each as it is."""
    return {server: server for server in written} if isinstance(written, list) else written


def _not_too_long(length: timedelta) -> timedelta:
    if length > timedelta(days=7):
        raise ValueError("must be at most 7d")
    return length


Server = Annotated[str, AfterValidator(_server)]
Servers = Annotated[dict[Server, Server], BeforeValidator(_pairs)]
Series = Annotated[int, Field(strict=True, ge=1, le=20)]


@dataclass(frozen=True, slots=True)
class _Figure:
    """What is asked about one alert."""

    query: str
    tree: Any
    lowest: bool
    """True when the lowest of several series is the one in trouble."""
    unit: str | None
    limit: Limit | None


@dataclass(kw_only=True)
class Prometheus(Service):
    """`url`: the server for every alert whose own is not among `servers`. `servers`: the address that alerts name as
    their Prometheus -> the address to ask; a list when they are the same. `trend`: how far back, 0s for not at all.
    `series`: how many are shown at most. `users`: PromQL of how many users are hit, with blanks.
    """

    url: Server | None = None
    servers: Servers = field(default_factory=dict)
    trend: Annotated[timedelta, AfterValidator(_not_too_long)] = timedelta(hours=3)
    series: Series = 5
    users: QueryText | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.url is None and not self.servers:
            raise Problem("names no server: set url, or servers")

    async def __call__(self, alert: AlertView, context: Context) -> Enrichment | None:
        """The facts `value_now`, `trend`, `top_series`, `prometheus_asked`; the value where none was told; the impact.

        None when nothing can be asked about it. What failed beside what did not is told in `prometheus_problems`.
        """
        server = self._server_of(alert)
        if server is None:
            return None
        asking: dict[str, Awaitable[Enrichment]] = {}
        if (measured := _figure_of(alert)) is not None:
            asking["value"] = self._now(alert, measured, server, context)
            asking["trend"] = self._trend(measured, server, context)
            asking["series"] = self._top(measured, server, context)
        asking["users"] = self._users(alert, server, context)
        found = await asyncio.gather(*asking.values(), return_exceptions=True)
        return _joined(dict(zip(asking, found, strict=True)))

    def refusal(self, body: bytes) -> str:
        """Prometheus' own words."""
        try:
            said = document(body, "")
        except Problem:
            return excerpt(body)
        if not isinstance(said, dict) or not said.get("error"):
            return excerpt(body)
        return excerpt(str(said["error"]).encode(errors="replace"), 300)

    def _server_of(self, alert: AlertView) -> str | None:
        """The one among the settings that is to be asked: what an alert says is only ever looked up in them."""
        told = alert.facts.get("prometheus")
        named = self.servers.get(told.rstrip("/")) if isinstance(told, str) else None
        return named or self.url

    async def _now(self, alert: AlertView, measured: _Figure, server: str, context: Context) -> Enrichment:
        rows = await self._rows(measured, self.series + 1, server, context)
        facts = {"value_now": _NOTHING, "prometheus_asked": f"{server}: {measured.query}"}
        if not rows:
            return Enrichment(facts=facts)
        value = rows[0][1]
        if not math.isfinite(value):
            return Enrichment(facts=facts | {"value_now": f"no figure now: Prometheus answers {value}"})
        facts["value_now"] = _told_now(value, len(rows), self.series, measured, context)
        reading = promql.read(alert.generator_url)
        if alert.value is not None:
            return Enrichment(facts=facts)
        overage = overage_percent(value, reading) if reading is not None else None
        return Enrichment(facts=facts, value=value, overage_percent=overage if overage and overage > 0 else None)

    async def _trend(self, measured: _Figure, server: str, context: Context) -> Enrichment:
        span = int(self.trend.total_seconds())
        if not span:
            return Enrichment()
        step = max(SMALLEST_STEP, math.ceil(span / POINTS))
        end = context.now // SECOND // step * step
        whole = f"{'min' if measured.lowest else 'max'}({measured.query})"
        params = [("query", whole), ("start", str(end - span)), ("end", str(end)), ("step", str(step))]
        body = await self.ask(context, f"{server}/api/v1/query_range", [*params, self._patience()])
        said = course(line(body, server), measured.unit, measured.limit)
        return Enrichment(facts={"trend": said} if said else {})

    async def _top(self, measured: _Figure, server: str, context: Context) -> Enrichment:
        inside = contributors(measured.tree, measured.lowest)
        if inside is None:
            rows = await self._rows(measured, self.series + 1, server, context)
            return Enrichment(facts={"top_series": listed(rows[: self.series], measured.unit)} if len(rows) > 1 else {})
        unit = measured.unit if inside.same_unit else None
        made = _Figure(inside.query, None, inside.lowest, unit, None)
        rows = await self._rows(made, self.series, server, context)
        # the same request as that for the value now, so it is not asked twice
        whole = await self._rows(measured, self.series + 1, server, context) if inside.summed else []
        total = whole[0][1] if len(whole) == 1 else None
        return Enrichment(facts={"top_series": listed(rows, unit, total)} if rows else {})

    async def _users(self, alert: AlertView, server: str, context: Context) -> Enrichment:
        query = self.users.fill(Values(alert)) if self.users is not None else None
        if query is None:
            return Enrichment()
        rows = await self._instant(query, server, context)
        if len(rows) > 1:
            raise Problem(f"the query gives {len(rows)} series, not one: put sum() or count() around it")
        hit = rows[0][1] if rows else math.nan
        if not 0 <= hit < 2**53:
            return Enrichment()
        return Enrichment(impact=Impact(math.ceil(hit), f"{server}: {query}"[:500]))

    async def _rows(self, measured: _Figure, most: int, server: str, context: Context) -> list[Row]:
        """That many series, those in trouble first and those without a figure last."""
        rows = await self._instant(
            f"{'bottomk' if measured.lowest else 'topk'}({most}, {measured.query})", server, context
        )
        worst = 1 if measured.lowest else -1
        return sorted(rows, key=lambda row: worst * row[1] if math.isfinite(row[1]) else math.inf)

    async def _instant(self, query: str, server: str, context: Context) -> list[Row]:
        return vector(await self.ask(context, f"{server}/api/v1/query", [("query", query), self._patience()]), server)

    def _patience(self) -> tuple[str, str]:
        """Prometheus gives up when nobody waits any more."""
        return "timeout", f"{max(1, math.ceil(self.patience.total_seconds()))}s"


def _figure_of(alert: AlertView) -> _Figure | None:
    """What the fact `promql` asks for; None without one that can be read."""
    query = alert.facts.get("promql")
    if not isinstance(query, str) or len(query) > LONGEST_QUERY or (tree := promql.parsed(query)) is None:
        return None
    reading = promql.read(alert.generator_url)
    if reading is not None and reading.clock == "since" and clock_of(nodes_in(tree)) is None:
        query = f"time() - ({query})"  # a moment says nothing, how long ago it was does
        tree = promql.parsed(query)
    limit = None if alert.threshold is None or alert.direction is None else Limit(alert.threshold, alert.direction)
    return _Figure(query, tree, alert.direction == "below", alert.unit, limit)


def _told_now(value: float, rows: int, most: int, measured: _Figure, context: Context) -> str:
    """E.g. "97.2% at 14:05 UTC, the highest of 3 series"."""
    said = f"{figure(value, measured.unit)} at {as_datetime(context.now).strftime('%H:%M')} UTC"
    if rows > 1:
        more = f"more than {most}" if rows > most else str(rows)
        said += f", the {'lowest' if measured.lowest else 'highest'} of {more} series"
    limit = measured.limit
    if limit is not None and not limit.beyond(value):
        said += f", no longer {limit.words} {figure(limit.threshold, measured.unit)}"
    return said


def _joined(found: Mapping[str, Enrichment | BaseException]) -> Enrichment:
    """What the requests brought. Raises Problem when all that there is are problems, and what was no Problem."""
    problems: dict[str, str] = {}
    facts: dict[str, Any] = {}
    singles: dict[str, Any] = {}
    for name, one in found.items():
        if isinstance(one, Problem):
            problems[name] = str(one)
        elif isinstance(one, BaseException):
            raise one
        else:
            facts |= one.facts
            singles |= {key: told for key in _SINGLES if (told := getattr(one, key)) is not None}
    if problems and not facts and not singles:
        raise Problem("; ".join(dict.fromkeys(problems.values())))
    if problems:
        facts["prometheus_problems"] = [f"{name}: {why}" for name, why in problems.items()]
    return Enrichment(facts=facts, **singles)
