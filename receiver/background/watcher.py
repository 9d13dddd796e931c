"""The watcher: reloads when a file that the configuration is made of has changed and come to rest."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from receiver.errors import Mistakes
from receiver.flow.configuration import Configuration

log = logging.getLogger("alertsage.watcher")

EVERY_SECONDS = 2.0

Seen = Mapping[Path, tuple[int, int] | None]
"""Modification time (nanoseconds) and size of each file; None for one that is not there."""


class Watcher:
    """Runs until cancelled. A change counts once two looks in a row agree: nobody saves a file in one stroke."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    async def run(self) -> None:
        """Look every two seconds, for ever."""
        loaded = before = await asyncio.to_thread(self._look)
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            now = await asyncio.to_thread(self._look)
            if now != loaded and now == before:
                log.info("%s changed", ", ".join(_changed(loaded, now)))
                await asyncio.to_thread(self._reload)
                loaded = await asyncio.to_thread(self._look)
            before = now

    def _reload(self) -> None:
        try:
            self._configuration.reload()
        except Mistakes:
            log.warning("what was in force stays in force until the files are right")

    def _look(self) -> Seen:
        return {path: _stamp(path) for path in self._configuration.files()}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _changed(before: Seen, now: Seen) -> list[str]:
    return sorted(str(path) for path in before.keys() | now.keys() if before.get(path) != now.get(path))
