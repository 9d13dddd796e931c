"""`make bench`: webhooks a second of alertsage divided by those of the bare handler, both measured in turn.

Only the ratios mean something: the machine, its disk and its other users change the absolute figures.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Bodies, Result, drive
from tests.servers import running


@contextmanager
def bare() -> Iterator[int]:
    """The bare handler's port."""
    process = subprocess.Popen([sys.executable, "-m", "bench.bare"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.terminate()
        process.communicate()


def memory(pid: int) -> float:
    """Resident MiB of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


@dataclass(frozen=True)
class Cell:
    """What one line of the table measures."""

    alerts: int
    connections: int
    new: bool

    def measure(self, ours: int, theirs: int, rounds: int, seconds: float) -> str:
        """The line: the median ratio over the rounds, with its spread. `ours` and `theirs` are ports."""
        results: list[Result] = []
        ratios = []
        for number in range(rounds):
            bodies = Bodies(self.alerts, self.new, run=1 + number + rounds * (self.connections + 1000 * self.alerts))
            before = drive(theirs, self.connections, seconds / 2, bodies)
            results.append(drive(ours, self.connections, seconds, bodies))
            after = drive(theirs, self.connections, seconds / 2, bodies)
            ratios.append(results[-1].rate / statistics.mean((before.rate, after.rate)))
        assert not any(result.failed for result in results), "answers other than 200"
        rate, p99 = (statistics.median(getattr(result, name) for result in results) for name in ("rate", "p99"))
        what = f"{self.alerts} | {self.connections} | {'new' if self.new else 'repeats'}"
        spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
        return f"| {what} | **{statistics.median(ratios):.2f}** | {spread} | {rate:,.0f} | {p99:.1f} |"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=1.0)
    asked = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), "log: {level: warning}") as server,
        bare() as port,
    ):
        ours = int(server.url.rsplit(":", 1)[1])
        print(f"memory when idle: {memory(server.process.pid):.0f} MiB\n")
        print("| alerts | connections | | ratio | min-max | webhooks/s | p99 ms |\n|--:|--:|---|--:|---|--:|--:|")
        for alerts, connections in ((1, 1), (1, 16), (1, 64), (10, 16), (100, 16)):
            for new in (False, True):
                print(Cell(alerts, connections, new).measure(ours, port, asked.rounds, asked.seconds), flush=True)
        print(f"\nmemory under load: {memory(server.process.pid):.0f} MiB")


if __name__ == "__main__":
    main()
