"""The inline chain alone: microseconds an alert, without HTTP and without a database."""

import time
from collections.abc import Callable

from bench.load import Bodies
from receiver.domain import times
from receiver.domain.enrichment import History
from receiver.flow.setup import build
from receiver.meters import Meters
from receiver.settings import load
from receiver.sources.reading import read

ALERTS, ROUNDS = 1000, 20
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


def _each(work: Callable[[], object]) -> float:
    work()
    began = time.perf_counter()
    for _ in range(ROUNDS):
        work()
    return (time.perf_counter() - began) / ROUNDS / ALERTS * 1e6
