"""The inline chain alone: microseconds an alert, without HTTP and without a database."""

import statistics
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

from bench.load import Bodies
from enrichers import Context
from enrichers.chain import describe, extend
from receiver.domain import times
from receiver.domain.enrichment import History
from receiver.domain.sighting import Sighting
from receiver.flow.setup import build
from receiver.meters import Meters
from receiver.rulebook.prove import sighting_of
from receiver.settings import load
from receiver.sources.reading import read

ALERTS, ROUNDS = 1000, 20
STORM = 20
"""Alerts of one rule, one after the other: a storm is many alerts of few rules."""
ONCE = History((1,), 1, None)


def measure() -> None:
    """Print them."""
    setup = build(load(None, {}), Meters())
    context, plan = setup.contexts["alertmanager"], setup.plans["alertmanager"]
    body = Bodies(ALERTS, new=True, run=1)()
    told = read({}, body, context, times.now())
    print("\n## the inline chain, microseconds an alert\n\n| part | us |\n|---|--:|")
    for name, work in (
        ("parse, check, redact", lambda: read({}, body, context, times.now())),
        ("digest: is it what it was?", lambda: [plan.digest(sighting) for sighting in told.alerts]),
        ("enrich and encode", lambda: [plan.describe(sighting, ONCE, times.now()) for sighting in told.alerts]),
    ):
        print(f"| {name} | {_each(work):.1f} |", flush=True)


def advice() -> None:
    """Print what an alert of a rule costs that was not seen before, with the whole rule book; and the next one."""
    setup = build(load(None, {}), Meters())
    plan = setup.plans["alertmanager"]
    alerts = {e.expr: sighting_of(e) for rule in setup.book.rules for e in rule.examples if e.expr}
    context = Context(now=times.now(), rules=setup.book)
    seen: dict[str, list[float]] = {}
    described = []
    for sighting in alerts.values():
        others = [
            replace(sighting, labels={**sighting.labels, "instance": f"host-{number}:9100"}) for number in range(STORM)
        ]
        began = time.perf_counter()
        described.append(describe(setup.inline, sighting, context))
        seen.setdefault("inline, rule not seen before", []).append((time.perf_counter() - began) * 1e6)
        for name, work in (
            ("inline, next alerts of the same rule", lambda other: describe(setup.inline, other, context)),
            ("the same, made ready to be stored", lambda other: plan.describe(other, ONCE, context.now)),
            ("unchanged repeat", plan.digest),
        ):
            seen.setdefault(name, []).append(_once(partial(_for_each, work, others)) / STORM)
    for alert in described:
        again = deepcopy(alert)
        for name, of in (("looked at, rule not seen before", alert), ("looked at again", again)):
            seen.setdefault(name, []).append(_once(partial(extend, of, setup.shown, context)))
    print(f"\n## advice: {len(setup.book.rules)} rules, {len(alerts)} alerting rules, median microseconds an alert\n")
    print("| what | us |\n|---|--:|")
    for name, taken in seen.items():
        print(f"| {name} | {statistics.median(taken):.1f} |", flush=True)


def _for_each(work: Callable[[Sighting], object], alerts: list[Sighting]) -> None:
    for alert in alerts:
        work(alert)


def _once(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e6


def _each(work: Callable[[], object]) -> float:
    work()
    began = time.perf_counter()
    for _ in range(ROUNDS):
        work()
    return (time.perf_counter() - began) / ROUNDS / ALERTS * 1e6
