"""What webhooks wait while others read: the metrics page and a list, once a second each, among very many alerts."""

import threading
import time

from bench.lists import Client, fill
from bench.load import Bodies, drive
from tests.servers import Server

SECONDS = 10.0


def measure(server: Server, stored: int) -> None:
    """Print the p99 of webhooks without and with readers."""
    fill(server, stored)
    port, bodies = int(server.url.rsplit(":", 1)[1]), Bodies(1, new=False, run=1)
    drive(port, 16, 2, bodies)
    alone = drive(port, 16, SECONDS, bodies)
    stopping = threading.Event()
    thread = threading.Thread(target=_read, args=(server, stopping))
    thread.start()
    together = drive(port, 16, SECONDS, bodies)
    stopping.set()
    thread.join()
    print(f"| webhooks of 1 alert, 16 connections, {stored:,} stored | webhooks/s | p99 ms |\n|---|--:|--:|")
    print(f"| alone | {alone.rate:,.0f} | {alone.p99:.1f} |")
    print(f"| beside a scrape and a page a second | {together.rate:,.0f} | {together.p99:.1f} |", flush=True)


def _read(server: Server, stopping: threading.Event) -> None:
    client = Client(server)
    while not stopping.is_set():
        client.get("/metrics")
        client.get("/api/v1/alerts?limit=50&label.team=rare")
        time.sleep(1)
