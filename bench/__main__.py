"""`make bench`: alertsage beside a bare handler, its lists, its metrics page, its memory, on SQLite and PostgreSQL.

Only ratios mean something: the machine, its disk and its other users change the absolute figures.
"""

import argparse
import tempfile
from collections.abc import Iterator
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
PARTS = ("throughput", "chain", "lists", "beside", "history", "acts", "patterns", "search")


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


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    options.add_argument("--engine", choices=(engines.SQLITE, engines.POSTGRES), help="default: both")
    options.add_argument("--part", choices=PARTS, help="default: all")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0, help="of alertsage in each round")
    options.add_argument("--connections", type=int, choices=(1, 16, 64), help="default: all three")
    options.add_argument("--counted", action="store_true", help="every repeat counts and is written down")
    options.add_argument("--stored", type=int, nargs="+", default=[1_000, 100_000, 1_000_000], help="alerts, for lists")
    asked = options.parse_args()
    wanted = (asked.part,) if asked.part else PARTS
    if "chain" in wanted:
        chain.measure()
        chain.advice()
    if wanted == ("chain",):
        return
    for engine in (asked.engine,) if asked.engine else (engines.SQLITE, engines.POSTGRES):
        print(f"\n## {engine}\n", flush=True)
        if "throughput" in wanted:
            throughput(engine, asked)
        if "lists" in wanted:
            with serving(engine) as server:
                lists.measure(server, sorted(asked.stored))
        if "beside" in wanted:
            with serving(engine) as server:
                beside.measure(server, max(asked.stored))
        if "acts" in wanted:
            with serving(engine) as server:
                acts.measure(server, MOST_OPEN)
        if "history" in wanted:
            pasts(engine, max(stored for stored in asked.stored if stored <= MOST_PASTS))
        if "patterns" in wanted:
            for stored in sorted({patterns.LATELY, max(asked.stored)}):
                counted(engine, stored)

        if "search" in wanted:
            searches(engine, max(asked.stored))


def counted(engine: str, stored: int) -> None:
    """Patterns of the last week, among so many alerts in all."""
    with new_database(engine) as (home, url):
        patterns.fill(url, stored)
        with running(home, QUIET, url=url) as server:
            patterns.measure(server, f"{patterns.LATELY:,} alerts of the last week, {stored:,} stored")
            if engine == engines.POSTGRES:
                engines.ask(url, "ANALYZE")
                patterns.measure(server, "the same, analysed")


def searches(engine: str, stored: int) -> None:
    """Lists with OPEN alerts open, alone and among so many."""
    for closed in sorted({0, max(0, stored - search.OPEN)}):
        with new_database(engine) as (home, url):
            search.fill(url, search.OPEN, closed)
            if engine == engines.POSTGRES:
                engines.ask(url, "ANALYZE")
            with running(home, QUIET, url=url) as server:
                search.measure(server, f"{search.OPEN:,} open alerts, {closed:,} closed")


def pasts(engine: str, stored: int) -> None:
    """One alert with so many past ones stored; with statistics of the tables, too, where the planner goes by them."""
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


if __name__ == "__main__":
    main()
