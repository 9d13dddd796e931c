"""Webhooks a second of alertsage divided by those of the bare handler, both measured in turn."""

import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.load import Bodies, Result, drive

CELLS = (
    (1, 1, False),
    (1, 1, True),
    (1, 16, False),
    (1, 16, True),
    (1, 64, False),
    (1, 64, True),
    (10, 16, False),
    (10, 16, True),
    (10, 64, False),
    (10, 64, True),
    (100, 16, False),
    (100, 16, True),
    (100, 64, False),
    (100, 64, True),
)
"""(alerts a webhook, connections, True for alerts that were never told before)."""
HEAD = "| alerts | connections | | ratio | min-max | webhooks/s | p99 ms |\n|--:|--:|---|--:|---|--:|--:|"


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
