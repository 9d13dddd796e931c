"""`make soak`: half an hour at half of what alertsage can, new alerts all the time, with retention on.

Every webhook tells one alert that was never told before and the end of one that began a minute ago; what has closed is
deleted after a minute. Does memory grow, or the database, or its write-ahead log?
"""

import argparse
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from bench.lists import Client
from bench.load import Bodies, Result, drive
from bench.throughput import memory
from tests.servers import Server, running

CONFIG = "log: {level: warning}\nretention: {closed: 1m}\n"
LASTS = 60
"""Seconds an alert lasts."""
CONNECTIONS = 16


class Flow:
    """New alerts, and the ends of those that began LASTS seconds ago at that rate."""

    def __init__(self, rate: float) -> None:
        self._new = Bodies(1, new=True, run=int(time.time()))
        self._open: deque[bytes] = deque()
        self._most = rate * LASTS

    def __call__(self) -> bytes:
        """The next webhook."""
        begins = self._new()
        self._open.append(begins)
        if len(self._open) <= self._most:
            return begins
        alert = self._open.popleft().partition(b'"alerts":[')[2].removesuffix(b"]}")
        over = alert.replace(b'"firing"', b'"resolved"').replace(b"0001-01-01T00:00:00Z", b"2026-11-23T07:40:41.347Z")
        return begins.removesuffix(b"]}") + b"," + over + b"]}"


@dataclass
class Watch:
    """Samples every few seconds until stopped."""

    server: Server
    folder: Path
    seconds: float

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._began = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """After the sample under way."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        client = Client(self.server)
        print("| minute | memory MiB | database MiB | write-ahead log MiB | closed alerts |\n|--:|--:|--:|--:|--:|")
        while not self._stopping.wait(self.seconds):
            closed = sum(
                float(line.rsplit(" ", 1)[1])
                for line in client.get("/metrics").decode().splitlines()
                if line.startswith("alertsage_alerts{") and ('"resolved"' in line or '"expired"' in line)
            )
            sizes = [self._size("alertsage.db"), self._size("alertsage.db-wal")]
            shown = " | ".join(f"{figure:,.0f}" for figure in (memory(self.server.process.pid), *sizes, closed))
            print(f"| {(time.monotonic() - self._began) / 60:.1f} | {shown} |", flush=True)

    def _size(self, name: str) -> float:
        file = self.folder / name
        return file.stat().st_size / 2**20 if file.exists() else 0.0


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=30.0)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), CONFIG) as server:
        port = int(server.url.rsplit(":", 1)[1])
        full = drive(port, CONNECTIONS, 10, Bodies(1, new=True, run=1))
        rate = full.rate / 2
        print(f"{full.rate:,.0f} webhooks/s at full speed, so {rate:,.0f} from now on\n", flush=True)
        watch = Watch(server, Path(folder), max(5.0, asked.minutes * 2))
        spent = drive(port, CONNECTIONS, asked.minutes * 60, Flow(rate), rate=rate)
        watch.stop()
        print(f"\n{_told(spent)}")


def _told(spent: Result) -> str:
    return (
        f"{spent.answered:,} webhooks ({spent.rate:,.0f}/s), p99 {spent.p99:.0f} ms, longest {spent.longest:.0f} ms,"
        f" {spent.failed} not 2xx"
    )


if __name__ == "__main__":
    main()
