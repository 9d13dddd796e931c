"""`make bench`: alertsage beside a bare handler, its lists, its metrics page, its memory, on SQLite and PostgreSQL.

Only ratios mean something: the machine, its disk and its other users change the absolute figures.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import acts, beside, chain, history, lists, patterns, search
from bench.throughput import CELLS, HEAD, Cell, bare, memory
from tests import engines
from tests.servers import Server, running

QUIET = "log: {level: warning}\nretention: {max_closed: 10000000}\n"
COUNTED = "lifecycle: {repeat_within: 0s}\n"
"""Otherwise repeats are here what retries and twins are: within two minutes of the last, with the same start."""
MOST_PASTS = MOST_OPEN = 100_000


@contextmanager
def serving(engine: str, more: str = "") -> Iterator[Server]:
    """A new alertsage on a new database of that engine, as durable as it is for users; `more` is configuration."""
    with new_database(engine) as (home, url), running(home, QUIET + more, url=url) as server:
        yield server


@contextmanager
def new_database(engine: str) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of an empty database of that engine."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if engine == engines.SQLITE:
            yield home, f"sqlite:///{home}/alertsage.db"
        else:
            with engines.server(durable=True) as postgres:
                yield home, engines.create(postgres, "bench")


def listed(engine: str, asked: argparse.Namespace) -> None:
    """Lists, with more and more alerts stored."""
    with serving(engine) as server:
        lists.measure(server, sorted(asked.stored))


def alongside(engine: str, asked: argparse.Namespace) -> None:
    """What else is served, among the most alerts asked for."""
    with serving(engine) as server:
        beside.measure(server, max(asked.stored))


def acted(engine: str, _: argparse.Namespace) -> None:
    """What people do, with MOST_OPEN alerts open."""
    with serving(engine) as server:
        acts.measure(server, MOST_OPEN)


def counted(engine: str, asked: argparse.Namespace) -> None:
    """Patterns of the last week, alone and among the most alerts asked for."""
    for stored in sorted({patterns.LATELY, max(asked.stored)}):
        counted_among(engine, stored)


def counted_among(engine: str, stored: int) -> None:
    """Patterns of the last week, among so many alerts in all."""
    with new_database(engine) as (home, url):
        patterns.fill(url, stored)
        with running(home, QUIET, url=url) as server:
            patterns.measure(server, f"{patterns.LATELY:,} alerts of the last week, {stored:,} stored")
            if engine == engines.POSTGRES:
                engines.ask(url, "ANALYZE")
                patterns.measure(server, "the same, analysed")


def searches(engine: str, asked: argparse.Namespace) -> None:
    """Lists with OPEN alerts open, alone and among the most alerts asked for."""
    for closed in sorted({0, max(0, max(asked.stored) - search.OPEN)}):
        with new_database(engine) as (home, url):
            search.fill(url, search.OPEN, closed)
            if engine == engines.POSTGRES:
                engines.ask(url, "ANALYZE")
            with running(home, QUIET, url=url) as server:
                search.measure(server, f"{search.OPEN:,} open alerts, {closed:,} closed")


def pasts(engine: str, asked: argparse.Namespace) -> None:
    """One alert with many past ones stored; with statistics of the tables, too, where the planner goes by them."""
    stored = max(count for count in asked.stored if count <= MOST_PASTS)
    with new_database(engine) as (home, url):
        history.fill(url, stored)
        with running(home, QUIET, url=url) as server:
            history.measure(server, f"{stored:,} past alerts")
            if engine == engines.POSTGRES:
                engines.ask(url, "ANALYZE")
                history.measure(server, "the same, analysed")


def throughput(engine: str, asked: argparse.Namespace) -> None:
    """The table of ratios, and memory before and after."""
    with serving(engine, COUNTED if asked.counted else "") as server, bare() as port:
        ours = int(server.url.rsplit(":", 1)[1])
        idle = memory(server.process.pid)
        print(HEAD)
        for alerts, connections, new in CELLS:
            if asked.connections in (None, connections):
                print(Cell(alerts, connections, new).measure(ours, port, asked.rounds, asked.seconds), flush=True)
        print(f"\nmemory: {idle:.0f} MiB idle, {memory(server.process.pid):.0f} MiB under load", flush=True)


CHAIN = "chain"
"""The one part without a database: it is measured once, not on each engine."""
PARTS: dict[str, Callable[[str, argparse.Namespace], None]] = {
    "throughput": throughput,
    "lists": listed,
    "beside": alongside,
    "acts": acted,
    "history": pasts,
    "search": searches,
    "patterns": counted,
}


def arguments() -> argparse.Namespace:
    """What to measure, and how much of it."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--engine", choices=(engines.SQLITE, engines.POSTGRES), help="default: both")
    options.add_argument("--part", choices=(CHAIN, *PARTS), help="default: all")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0, help="of alertsage in each round")
    options.add_argument("--connections", type=int, choices=(1, 16, 64), help="default: all three")
    options.add_argument("--counted", action="store_true", help="every repeat counts and is written down")
    options.add_argument("--stored", type=int, nargs="+", default=[1_000, 100_000, 1_000_000], help="alerts, for lists")
    return options.parse_args()


def main() -> None:
    """Measure and print."""
    asked = arguments()
    if asked.part in (None, CHAIN):
        chain.measure()
        chain.advice()
    parts = [measure for name, measure in PARTS.items() if asked.part in (None, name)]
    if not parts:
        return
    for engine in (asked.engine,) if asked.engine else (engines.SQLITE, engines.POSTGRES):
        print(f"\n## {engine}\n", flush=True)
        for measure in parts:
            measure(engine, asked)


if __name__ == "__main__":
    main()
