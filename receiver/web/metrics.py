"""/metrics: what this process counted, and the database's own figures as they are now."""

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from receiver.domain import times
from receiver.domain.voices import never_resolves
from receiver.domain.windows import State
from receiver.errors import StoreAway
from receiver.flow.configuration import Configuration
from receiver.store import Gauges, Spool, silences
from receiver.store.store import GAUGES_SECONDS
from receiver.web.keys import CONFIGURATION, INTO, METERS, STORE

SAME = "The same on every replica of one database: aggregate with max, not sum."
OTHER = "_other"
"""The alertname that stands for all names over `metrics.names`."""


async def metrics(request: web.Request) -> web.Response:
    """Prometheus text or OpenMetrics, as the scraper asks. Without the database: what this process knows by itself."""
    configuration = request.app[CONFIGURATION]
    caps = configuration.setup.settings.metrics
    try:
        gauges = await request.app[STORE].gauges(caps.names, caps.heartbeats)
        standing = await request.app[STORE].read(lambda c: silences.counted(c, times.now()), GAUGES_SECONDS)
    except StoreAway:
        gauges, standing = None, {}
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    request.app[METERS].settle()
    now = _Now(gauges, configuration, request.app[INTO].spool)
    page = encode(_Page((request.app[METERS].registry, now, _Standing(standing))))
    return web.Response(body=page, headers={"Content-Type": content_type})


class _Page(CollectorRegistry):
    """Several collectors' families as one page, without registering anything anywhere."""

    def __init__(self, parts: Iterable[Collector]) -> None:
        super().__init__(auto_describe=False)
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """All families in order."""
        for part in self._parts:
            yield from part.collect()


class _Now(Collector):
    """What is true at this moment."""

    def __init__(self, gauges: Gauges | None, configuration: Configuration, spool: Spool) -> None:
        self._gauges = gauges
        self._configuration = configuration
        self._spool = spool

    def collect(self) -> Iterator[Metric]:
        """The families of the process, then those of the database if it answers."""
        told = {"version": version("alertsage"), "python": platform.python_version()}
        yield InfoMetricFamily("alertsage_build", "What runs here.", told)
        worked, at = self._configuration.reload_worked, self._configuration.reloaded_at / times.SECOND
        yield _gauge("last_reload_success", "1 when the last start or reload of the configuration worked.", worked)
        yield _gauge("last_reload_timestamp_seconds", "When the configuration was last started with or reloaded.", at)
        yield _gauge("store_up", "1 when the database could be read for this page.", self._gauges is not None)
        yield _gauge("spool_webhooks", "Webhooks that wait in the spool of this process.", self._spool.count)
        yield _gauge("spool_bytes", "Bytes of the webhooks that wait in the spool.", self._spool.size)
        yield _gauge("spool_oldest_age_seconds", "How long the oldest of them has waited.", _age(self._spool.oldest))
        if self._gauges is not None:
            yield from _families(self._gauges)


class _Standing(Collector):
    """Silences, by where they stand."""

    def __init__(self, count: Mapping[State, int]) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        """One family, if the database answers."""
        if self._count:
            told = GaugeMetricFamily("alertsage_silences", f"Silences by state. {SAME}", labels=("state",))
            for state, count in self._count.items():
                told.add_metric((state.value,), count)
            yield told


def _families(gauges: Gauges) -> Iterator[Metric]:
    alerts = GaugeMetricFamily(
        "alertsage_alerts",
        f"Stored alerts (open: active, acknowledged, suppressed), without heartbeats. {SAME}",
        labels=("source", "status", "priority", "category"),
    )
    for *labels, count in gauges.alerts:
        alerts.add_metric(labels, count)
    yield alerts
    names = GaugeMetricFamily(
        "alertsage_alerts_by_name",
        f'Open alerts by name, at most metrics.names of them, "{OTHER}" for the rest. {SAME}',
        labels=("alertname", "source"),
    )
    for name, source, count in gauges.names:
        names.add_metric((name, source), count)
    names.add_metric((OTHER, OTHER), gauges.names_other)
    yield names
    beats = GaugeMetricFamily(
        "alertsage_heartbeat_last_seen_timestamp_seconds",
        "When an alert that is meant to fire for ever (severity none, like Watchdog) was last seen: alert on its age."
        f" {SAME}",
        labels=("alertname", "source"),
    )
    for name, source, at in gauges.heartbeats:
        beats.add_metric((name, source), at / times.SECOND)
    yield beats
    yield _gauge("jobs", f"Jobs not finished yet. {SAME}", gauges.jobs)
    age = _age(gauges.oldest_job)
    yield _gauge("oldest_job_age_seconds", f"Age of the oldest unfinished job, 0 when there is none. {SAME}", age)
    silent = GaugeMetricFamily(
        "alertsage_source_never_resolves",
        f"1 for a source that tells of troubles but, as it is set up there, never of their ends. {SAME}",
        labels=("source",),
    )
    for source, heard in gauges.voices.items():
        silent.add_metric((source,), float(never_resolves(heard)))
    yield silent


def _age(since: times.Instant | None) -> float:
    """Seconds since then; 0 for never."""
    return 0.0 if since is None else max(0.0, (times.now() - since) / times.SECOND)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"alertsage_{name}", text, value=float(value))
