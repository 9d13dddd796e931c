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


def cell(pair: tuple[int, int], alerts: int, connections: int, new: bool, rounds: int, seconds: float) -> str:
    """One line of the table: the median ratio over the rounds, with its spread."""
    ours: list[Result] = []
    ratios = []
    for number in range(rounds):
        bodies = Bodies(alerts, new, run=1 + number + rounds * (connections + 1000 * alerts))
        before = drive(pair[1], connections, seconds / 2, bodies)
        ours.append(drive(pair[0], connections, seconds, bodies))
        after = drive(pair[1], connections, seconds / 2, bodies)
        ratios.append(ours[-1].rate / statistics.mean((before.rate, after.rate)))
    assert not any(result.failed for result in ours), "answers other than 200"
    rate, p99 = (statistics.median(getattr(result, name) for result in ours) for name in ("rate", "p99"))
    kind = "new" if new else "repeats"
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    return f"| {alerts} | {connections} | {kind} | **{statistics.median(ratios):.2f}** | {spread} | {rate:,.0f} | {p99:.1f} |"


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
        pair = (int(server.url.rsplit(":", 1)[1]), port)
        print(f"memory when idle: {memory(server.process.pid):.0f} MiB\n")
        print("| alerts | connections | | ratio | min-max | webhooks/s | p99 ms |\n|--:|--:|---|--:|---|--:|--:|")
        for alerts, connections in ((1, 1), (1, 16), (1, 64), (10, 16), (100, 16)):
            for new in (False, True):
                print(cell(pair, alerts, connections, new, asked.rounds, asked.seconds), flush=True)
        print(f"\nmemory under load: {memory(server.process.pid):.0f} MiB")


if __name__ == "__main__":
    main()
