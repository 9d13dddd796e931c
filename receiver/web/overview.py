"""How many alerts there are, and how the sources are doing."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from aiohttp import web
from typing_extensions import TypedDict

from receiver.domain import times
from receiver.domain.times import Instant, rfc3339
from receiver.domain.vocabulary import Category, Priority, Status
from receiver.domain.voices import never_resolves
from receiver.store import Gauges, reads
from receiver.web.answers import answer
from receiver.web.keys import CONFIGURATION, METERS, STORE
from receiver.web.listing import only
from receiver.web.table import Asks, Operation, Route

NAMES = 20
"""Alert names with the most open alerts."""
T = TypeVar("T")
_OPEN = frozenset(status.value for status in Status if status.open)


class NameCount(TypedDict):
    """Open alerts of one name and source."""

    name: str
    source: str
    open: int


class Stats(TypedDict):
    """How many alerts are stored, heartbeats (alerts meant to fire for ever) left out."""

    open: int
    closed: int
    by_status: dict[Status, int]
    """Open and closed."""
    by_priority: dict[Priority, int]
    """Open ones, as the next two."""
    by_category: dict[Category, int]
    by_source: dict[str, int]
    names: list[NameCount]
    """The names with the most open alerts, most first."""
    jobs: int
    """Work that is owed: deferred enrichers."""


class SourceHealth(TypedDict):
    """One configured source. What the database knows is the same on every replica."""

    name: str
    kind: str
    address: str
    """Where its webhooks are posted to."""
    protected: bool
    """Whether it has to prove who it is."""
    last_seen_at: str | None
    """When an alert of it was last told of, firing or resolved (from the database); null when none ever was."""
    last_firing_at: str | None
    silent_seconds: int | None
    """For how long it has not told of any alert; null when it never did."""
    open: int
    closed: int
    """Stored alerts (from the database)."""
    quarantined: int
    """Alerts that could not be read and are kept aside (from the database)."""
    webhooks: int
    """Taken by this process since its start, as the next three."""
    last_webhook_at: str | None
    """Of one that told of no alert, too."""
    refused: dict[str, int]
    """Not taken, by reason."""
    never_resolves: bool
    """True for a source that tells of troubles but, as it is set up there, never of their ends."""


class Sources(TypedDict):
    """The configured sources."""

    sources: list[SourceHealth]
    next: None
    """There is but one page."""


async def stats(request: web.Request) -> web.Response:
    """How many alerts are stored."""
    only(request.query, ())
    return answer(counted(await request.app[STORE].gauges(NAMES, 0)))


def counted(gauges: Gauges) -> Stats:
    """The database's figures by status, and the open ones by what they are."""
    opened = [row for row in gauges.alerts if row[1] in _OPEN]
    by_status = _sums(((Status(status), n) for _, status, *_, n in gauges.alerts), Status)
    return Stats(
        open=sum(row[-1] for row in opened),
        closed=sum(n for status, n in by_status.items() if not status.open),
        by_status=by_status,
        by_priority=_sums(((Priority(row[2]), row[-1]) for row in opened), Priority),
        by_category=_sums(((Category(row[3]), row[-1]) for row in opened), Category),
        by_source=dict(_sums(((row[0], row[-1]) for row in opened), ())),
        names=[NameCount(name=name, source=source, open=n) for name, source, n in gauges.names if n],
        jobs=gauges.jobs,
    )


def _sums(pairs: Iterable[tuple[T, int]], all_of: Iterable[T]) -> dict[T, int]:
    sums = Counter[T]()
    for name in all_of:
        sums[name] = 0
    for name, n in pairs:
        sums[name] += n
    return dict(sums)


async def sources(request: web.Request) -> web.Response:
    """How each configured source is doing."""
    only(request.query, ())
    store, meters, now = request.app[STORE], request.app[METERS], times.now()
    gauges = await store.gauges(0, 0)
    heard, aside = await store.read(lambda connection: (reads.heard(connection), reads.set_aside(connection)))
    shown = []
    for name, source in request.app[CONFIGURATION].setup.settings.sources.items():
        seen, firing = heard.get(name, (0, 0))
        stored = [row for row in gauges.alerts if row[0] == name]
        opened = sum(row[-1] for row in stored if row[1] in _OPEN)
        shown.append(
            SourceHealth(
                name=name,
                kind=source.kind,
                address=f"/webhook/{source.kind}/{name}",
                protected=source.auth.configured,
                last_seen_at=_time(seen),
                last_firing_at=_time(firing),
                silent_seconds=max(0, (now - seen) // times.SECOND) if seen else None,
                open=opened,
                closed=sum(row[-1] for row in stored) - opened,
                quarantined=aside.get(name, 0),
                webhooks=meters.intake_seconds.count(name),
                last_webhook_at=_time(meters.heard_at.get(name, 0)),
                refused=meters.refusals(name),
                never_resolves=never_resolves(gauges.voices.get(name, {})),
            )
        )
    return answer({"sources": shown, "next": None})


def _time(moment: Instant) -> str | None:
    return rfc3339(moment) if moment else None


ROUTES = (
    Route(
        "GET",
        "/api/v1/stats",
        stats,
        Asks.READ,
        "how many alerts are stored, by what they are",
        Operation("get_stats", "operation", Stats),
    ),
    Route(
        "GET",
        "/api/v1/sources",
        sources,
        Asks.READ,
        "each source: when it was last heard, and what came of it",
        Operation("list_sources", "operation", Sources),
    ),
)
