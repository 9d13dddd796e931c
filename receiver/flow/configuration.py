"""The configuration in force, and its reload: all of it or nothing."""

import logging
from collections.abc import Callable
from pathlib import Path

from receiver.domain import times
from receiver.errors import Mistakes
from receiver.flow.setup import Setup, build
from receiver.meters import Meters
from receiver.rulebook import rule_files
from receiver.settings import Settings

log = logging.getLogger("alertsage.configuration")

FIXED = ("server.listen", "database", "limits.queue", "spool.folder", "spool.max_size", "spool.max_files", "log")
"""What only a restart changes: sockets, the store, the log."""


class Configuration:
    """Holds the current Setup. Raises Mistakes when the first one cannot be made."""

    def __init__(self, load: Callable[[], Settings], meters: Meters) -> None:
        self._load = load
        self._meters = meters
        self.setup: Setup = build(load(), meters)
        self.reloaded_at: times.Instant = times.now()
        """When a reload was last tried (or the start)."""
        self.reload_worked = True

    def reload(self) -> tuple[str, ...]:
        """Load everything again and put it in force; returns the settings that changed but need a restart.

        Raises Mistakes, having logged them: then what was in force stays in force.
        """
        self.reloaded_at, self.reload_worked = times.now(), False
        try:
            fresh = build(self._load(), self._meters)
        except Mistakes as mistakes:
            for mistake in mistakes.mistakes:
                log.warning("not reloaded: %s", mistake)
            raise
        unchanged = [path for path in FIXED if _at(self.setup.settings, path) != _at(fresh.settings, path)]
        self.setup, self.reload_worked = fresh, True
        log.info("reloaded the configuration")
        for path in unchanged:
            log.warning("%s changed: it takes effect after a restart", path)
        return tuple(unchanged)

    def files(self) -> list[Path]:
        """The files that the configuration in force is made of: settings, rules, enrichers."""
        settings = self.setup.settings
        own = [Path(settings.origin.document.file).absolute()]
        for enricher in settings.enrichers.values():
            where = (enricher.use or "").rpartition(":")[0]
            if where.endswith(".py"):
                own.append(settings.folder / Path(where).expanduser())
        return own + (rule_files(settings.rules.folder) if settings.rules.folder else [])


def _at(settings: Settings, path: str) -> object:
    found: object = settings
    for name in path.split("."):
        found = getattr(found, name)
    return found
