"""`python -m bench.sentry`: how long Sentry waits for its answer, with the database there and with it locked.

Sentry gives a webhook one second and never sends it again. Sixteen connections post new issues; then the database file
is locked by another program, and the spool takes what comes. Afterwards everything promised is looked for.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from itertools import count
from pathlib import Path

from bench.load import Result, drive
from tests.servers import Server, running

CONNECTIONS = 16
HEAD = "POST /webhook/sentry HTTP/1.1\r\nSentry-Hook-Resource: event_alert\r\n"
SAMPLE = Path(__file__).parent.parent / "examples" / "sentry-event-alert.json"


class Issues:
    """The shipped sample as new issues, one after the other."""

    def __init__(self) -> None:
        self.serial = count(1)
        self._template = json.dumps(json.loads(SAMPLE.read_text()))

    def __call__(self) -> bytes:
        """The next body."""
        return self._template.replace("4711", str(next(self.serial))).encode()


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=10.0, help="with the database there")
    options.add_argument("--locked", type=float, default=30.0, help="with the database locked")
    asked = options.parse_args()
    bodies = Issues()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), "log: {level: warning}") as server:
        port = int(server.url.rsplit(":", 1)[1])
        print("| database | answers/s | p99 ms | longest ms | not 2xx |\n|---|--:|--:|--:|--:|")
        there = drive(port, CONNECTIONS, asked.seconds, bodies, HEAD)
        print(_line("there", there))
        other = sqlite3.connect(Path(folder) / "alertsage.db", isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        locked = drive(port, CONNECTIONS, asked.locked, bodies, HEAD)
        other.execute("ROLLBACK")
        other.close()
        print(_line(f"locked for {asked.locked:g} s", locked))
        print(f"\n{_settled(server, Path(folder), (there, locked))}")


def _line(what: str, result: Result) -> str:
    return f"| {what} | {result.rate:,.0f} | {result.p99:.0f} | {result.longest:.0f} | {result.failed} |"


def _settled(server: Server, folder: Path, results: tuple[Result, ...]) -> str:
    """Waits for the spool to drain; says how much was answered and how much is stored."""
    began, spool = time.monotonic(), folder / "alertsage.db.spool"
    while any(spool.glob("*.webhook")):
        time.sleep(0.1)
    spent = time.monotonic() - began
    server.stop()
    stored = sqlite3.connect(folder / "alertsage.db").execute(
        "SELECT count(*), count(DISTINCT fingerprint), max(notification_count) FROM alert"
    )
    rows, distinct, most = stored.fetchone()
    promised = sum(result.answered - result.failed for result in results)
    return (
        f"{promised} answered with 2xx, {distinct} issues stored in {rows} rows, each counted at most {most} times"
        f" (up to {2 * CONNECTIONS} were cut off by the end of a measurement);"
        f" the spool was empty {spent:.1f} s after the lock"
    )


if __name__ == "__main__":
    main()
