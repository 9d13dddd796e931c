"""Everything alertsage counts about itself, in one registry of its own (never the process-wide default).

Gauges that describe the database are not here: they are read when scraped (`receiver.web.metrics`).
"""

from bisect import bisect_left
from collections import Counter as Counted
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, disable_created_metrics
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from receiver.domain.times import Instant, now

SUM = "Counted by this process: sum over replicas."


class Meters:
    """The counters, gauges and histograms of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a series more for each series, which nobody asks for
        self._chains: Counted[tuple[tuple[str, ...], tuple[str, ...]]] = Counted()
        self._received: Counted[str] = Counted()
        self._outcomes: Counted[tuple[str, str]] = Counted()
        self._shown: defaultdict[Counter, Counted[Any]] = defaultdict(Counted)
        self.heard_at: dict[str, Instant] = {}
        """When a webhook of a source was last taken by this process."""
        self._of_intake()
        self._of_callers()
        self._of_the_store()
        self._of_enrichers()

    def introduce(self, sources: Iterable[str]) -> None:
        """Show these sources with 0 before anything has come, so that a first increase is seen as one."""
        for source in sources:
            for counter in (self.received, self.quarantined, self.truncated, self.redacted):
                counter.labels(source)
            self.intake_seconds.introduce(source)

    def took(self, source: str, outcomes: Mapping[str, int], received: int) -> None:
        """Count the alerts of one stored webhook."""
        self._received[source] += received
        for outcome, count in outcomes.items():
            self._outcomes[source, outcome] += count

    def answered(self, source: str, seconds: float) -> None:
        """Observe how long one webhook waited for its answer."""
        self.intake_seconds.observe(seconds, source)
        self.heard_at[source] = now()

    def refusals(self, source: str) -> dict[str, int]:
        """How many webhooks of the source were not taken, by reason."""
        samples = (sample for metric in self.refused.collect() for sample in metric.samples)
        here = (one for one in samples if one.name.endswith("_total") and one.labels["source"] == source)
        return {one.labels["reason"]: int(one.value) for one in here}

    def enricher_ran(self, enricher: str, outcome: str, milliseconds: float) -> None:
        """Count one run of a deferred enricher."""
        self.enricher_runs.labels(enricher, outcome).inc()
        self.enricher_seconds.observe(milliseconds / 1000, enricher)

    def chain_ran(self, enrichers: tuple[str, ...], outcomes: tuple[str, ...]) -> None:
        """Count the outcome of each enricher of one alert's inline chain."""
        self._chains[enrichers, outcomes] += 1

    def settle(self) -> None:
        """Bring the counters up to date before they are shown: counting in a storm costs less than their locks."""
        ran: Counted[tuple[str, str]] = Counted()
        for (enrichers, outcomes), count in list(self._chains.items()):
            for pair in zip(enrichers, outcomes, strict=True):
                ran[pair] += count
        for counter, counts in (
            (self.received, self._received),
            (self.sightings, self._outcomes),
            (self.enricher_runs, ran),
        ):
            shown = self._shown[counter]
            for labels, count in list(counts.items()):
                names = (labels,) if isinstance(labels, str) else labels
                counter.labels(*names).inc(count - shown[labels])
                shown[labels] = count

    def _of_intake(self) -> None:
        self.received = self._counter("received_alerts", "Alerts read from accepted webhooks, by source.", "source")
        self.sightings = self._counter(
            "sightings",
            "What became of received alerts: opened, reopened, escalated, repeated, resolved, duplicate (a retry, an "
            "HA twin, the same delivery again), stale (overtaken by newer news), held (a person has just resolved it), "
            "suppressed (by its sender), noted (a remark), unknown (a remark about an alert that is not known).",
            "source",
            "outcome",
        )
        self.quarantined = self._counter(
            "quarantined_alerts", "Alerts of taken webhooks that could not be read and were kept aside.", "source"
        )
        self.truncated = self._counter(
            "truncated_alerts", "Alerts that senders left out of their webhooks (max_alerts).", "source"
        )
        self.ignored = self._counter(
            "ignored_webhooks", "Webhooks that concern no alert, by what they were.", "source", "event"
        )
        self.redacted = self._counter("redactions", "Secrets taken out of webhooks.", "source")
        self.spooled = self._counter(
            "spooled_webhooks", "Webhooks kept in the spool because the database was away or slow.", "source"
        )
        self.refused = self._counter("refused_webhooks", "Webhooks not taken, by reason.", "source", "reason")
        self.intake_seconds = self._spread(
            "intake_seconds",
            "From the first byte of a webhook to its answer.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            "source",
        )

    def _of_callers(self) -> None:
        self.refused_credentials = self._counter(
            "refused_credentials",
            "Requests refused for who asked: missing (no token), wrong (none that is in force), scope (a token that may"
            " not do this), host and cross_site (without a token, not from here). Webhooks are in refused_webhooks.",
            "reason",
        )
        for reason in ("missing", "wrong", "scope", "host", "cross_site"):
            self.refused_credentials.labels(reason)

    def _of_the_store(self) -> None:
        self.batch_webhooks = self._spread(
            "batch_webhooks", "Webhooks stored in one commit.", (1, 2, 4, 8, 16, 32, 64, 128, 256)
        )
        self.batch_seconds = self._spread(
            "batch_seconds",
            "One transaction of the writer, from its first statement to the end of its commit.",
            (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
        )
        self.store_failures = self._counter("store_failures", "Transactions that failed, by reason.", "reason")
        self.queue_depth = Gauge(
            "alertsage_queue_depth",
            f"Webhooks waiting for the writer. {SUM}",
            registry=self.registry,
        )

    def _of_enrichers(self) -> None:
        self.enricher_runs = self._counter(
            "enricher_runs", "Enricher runs by outcome: ok, nothing, failed, timed out, skipped.", "enricher", "outcome"
        )
        self.enricher_seconds = self._spread(
            "enricher_seconds",
            "One run of one of your own enrichers (those that come with alertsage take microseconds).",
            (0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60),
            "enricher",
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"alertsage_{name}", f"{text} {SUM}", labels, registry=self.registry)

    def _spread(self, name: str, text: str, bounds: tuple[float, ...], *labels: str) -> "Spread":
        spread = Spread(f"alertsage_{name}", f"{text} {SUM}", labels, bounds)
        self.registry.register(spread)
        return spread


class Spread(Collector):
    """A histogram that costs an addition: what is shown is made when somebody asks. Used by one thread."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...], bounds: tuple[float, ...]) -> None:
        self._name, self._text, self._labels, self._bounds = name, text, labels, bounds
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: dict[tuple[str, ...], float] = {}
        if not labels:
            self.introduce()

    def introduce(self, *labels: str) -> None:
        """Show it with 0 for these labels from now on."""
        self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        self._sums.setdefault(labels, 0.0)

    def observe(self, amount: float, *labels: str) -> None:
        """Count one."""
        if labels not in self._counts:
            self.introduce(*labels)
        self._counts[labels][bisect_left(self._bounds, amount)] += 1
        self._sums[labels] += amount

    def count(self, *labels: str) -> int:
        """How many were counted."""
        return sum(self._counts.get(labels, ()))

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client shows it."""
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        for labels, counts in list(self._counts.items()):
            so_far = list(zip(bounds, map(float, accumulate(counts)), strict=True))
            family.add_metric(labels, so_far, self._sums[labels])
        yield family

    def describe(self) -> Iterator[Metric]:
        """Its name, so that no other can take it."""
        yield HistogramMetricFamily(self._name, self._text, labels=self._labels)
