"""A job's work: run the deferred enrichers over one alert and store what they added."""

import logging
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from enrichers import AlertView, Context, Enrichment, History, Impact, Link, Term
from enrichers.chain import Described, Outcome, Said, as_stored, extend, merge, provenance
from receiver.domain import times
from receiver.domain.alert import Alert
from receiver.domain.times import span
from receiver.domain.vocabulary import Priority
from receiver.flow.runner import Runner
from receiver.flow.setup import Setup
from receiver.meters import Meters
from receiver.store import Store, codec, jobs

log = logging.getLogger("alertsage.enrich")

LOST_LEASES = 2
"""After so many attempts that ended with a lost lease (a crash, a hang) the chain is skipped, and the alert says so."""


async def work_off(job: jobs.Job, store: Store, setup: Setup, runner: Runner, meters: Meters) -> None:
    """Run the deferred chain for one claimed job and finish it. No transaction is open meanwhile."""
    found = await store.read(lambda connection: jobs.subject(connection, job.alert_id))
    if found is None:
        await store.write(lambda connection: jobs.drop(connection, job))
        return
    alert, content = found
    described = Described(_view(alert, content))
    extend(described, setup.shown, Context(now=times.now(), rules=setup.book))
    brought = await _chain(job, described.view, alert, setup, runner)
    for outcome in brought.outcomes:
        meters.enricher_ran(outcome.enricher, outcome.outcome, outcome.ms)
    added = jobs.Added(brought.fields(), brought.priority, brought.who)
    kept = await store.write(lambda connection: jobs.finish(connection, job, added, times.now()))
    level = logging.INFO if kept else logging.WARNING
    log.log(
        level,
        "enriched alert %d (%s)%s",
        job.alert_id,
        ", ".join(f"{outcome.enricher}: {outcome.outcome}" for outcome in brought.outcomes) or "nothing configured",
        "" if kept else ", but the lease was lost meanwhile: another worker's result stands",
    )


class _Brought:
    """Collects what the chain brings: for the enrichers that follow (in the view) and for the store (in API form)."""

    def __init__(self, view: AlertView) -> None:
        self.view = view
        self.outcomes: list[Outcome] = []
        self.priority: Priority | None = None
        self.who = ""
        self._fields: dict[str, Any] = {}
        self._said: list[Said] = []

    def add(self, name: str, brought: Enrichment) -> None:
        """Take what one enricher returned."""
        brought = as_stored(brought, self.view, f"enricher:{name}")
        if brought.priority is not None:
            self.priority, self.who = brought.priority, f"enricher:{name}"
        self._said.append(merge(self.view, name, brought))
        for field, value in to_jsonable_python(brought).items():
            if isinstance(value, list):
                self._fields.setdefault(field, []).extend(value)
            elif isinstance(value, dict) and field == "facts":
                self._fields.setdefault(field, {}).update(value)
            elif value is not None:
                self._fields[field] = value

    def fields(self) -> dict[str, Any]:
        """Everything added, with who added it and how each enricher fared."""
        said = {name: value for name, value in self._fields.items() if value not in ([], {})}
        return said | {"provenance": provenance(self._said), "enrichers": to_jsonable_python(self.outcomes)}


async def _chain(job: jobs.Job, view: AlertView, alert: Alert, setup: Setup, runner: Runner) -> _Brought:
    brought = _Brought(view)
    history = History(alert.episodes, alert.notification_count, alert.predecessor)
    deadline = job.news_at + span(setup.settings.enrich.budget)
    for enricher in setup.deferred:
        now = times.now()
        left = (deadline - now) / times.SECOND
        if job.attempts > LOST_LEASES:
            why = f"{job.attempts - 1} attempts before this one never ended"
        elif left <= 0:
            why = f"the time for all enrichers (enrich.budget, {setup.settings.enrich.budget}) was used up"
        else:
            seconds = min(enricher.timeout.total_seconds(), left)
            context = Context(now=now, rules=setup.book, history=history)
            added, outcome = await runner.run(enricher, view, context, seconds)
            brought.outcomes.append(outcome)
            if added is not None:
                brought.add(enricher.name, added)
            continue
        brought.outcomes.append(Outcome(enricher.name, "skipped", 0.0, why))
    return brought


def _view(alert: Alert, content: Mapping[str, Any]) -> AlertView:
    """The stored alert as enrichers see it."""
    detail = codec.described(content["detail"])
    return AlertView(
        source=alert.source,
        kind=content["kind"],
        fingerprint=alert.fingerprint,
        name=alert.name,
        labels=codec.json(content["labels"]),
        annotations=codec.json(content["annotations"]),
        generator_url=content["generator_url"],
        starts_at=alert.started_at,
        firing=alert.status.open,
        raw=codec.json(codec.unpack(content["raw"])),
        id=alert.id,
        title=content["title"],
        message=content["message"],
        category=alert.category,
        priority=alert.priority,
        priority_terms=tuple(Term(**term) for term in detail["priority_terms"]),
        impact=Impact(**detail["impact"]),
        facts=detail["facts"],
        links=tuple(Link(**link) for link in detail["links"]),
        **{name: detail[name] for name in _READ},
    )


_READ = ("subject", "metric", "value", "threshold", "direction", "unit", "overage_percent")
