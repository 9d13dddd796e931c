"""The configuration in force, and its reload: all of it or nothing."""

import gc
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from receiver.domain import times
from receiver.errors import Mistake, Mistakes
from receiver.flow.setup import Setup, build
from receiver.meters import Meters
from receiver.rulebook import rule_files
from receiver.settings import Settings, unprotected

log = logging.getLogger("alertsage.configuration")

FIXED = ("server.listen", "database", "limits.queue", "spool.folder", "spool.max_size", "spool.max_files", "log")
"""What only a restart changes: sockets, the store, the log."""


class Configuration:
    """Holds the current Setup. Raises Mistakes when the first one cannot be made."""

    def __init__(self, load: Callable[[], Settings], meters: Meters) -> None:
        self._load = load
        self._meters = meters
        self._one_by_one = threading.Lock()
        self._started = load()
        self.setup: Setup = build(self._started, meters)
        self.reloaded_at: times.Instant = times.now()
        """When a reload was last tried (or the start)."""
        self.reload_worked = True

    def reload(self) -> tuple[str, ...]:
        """Load everything again and put it in force; returns the settings that changed but need a restart.

        Raises Mistakes, having logged them: then what was in force stays in force. From any thread: one waits for the
        other, so what is in force at last was read last.
        """
        with self._one_by_one:
            return self._reload()

    def _reload(self) -> tuple[str, ...]:
        self.reloaded_at, self.reload_worked = times.now(), False
        try:
            loaded = self._load()
            fresh = build(self._in_force(loaded), self._meters)
        except Mistakes as mistakes:
            for mistake in mistakes.mistakes:
                log.warning("not reloaded: %s", mistake)
            raise
        unchanged = [path for path in FIXED if _at(self._started, path) != _at(loaded, path)]
        self.setup, self.reload_worked = fresh, True
        del fresh
        gc.collect()  # a book refers to itself in circles: without this the one before would stay for long
        log.info("reloaded the configuration")
        for path in unchanged:
            log.warning("%s changed: it takes effect after a restart", path)
        return tuple(unchanged)

    def _in_force(self, loaded: Settings) -> Settings:
        """The loaded settings with the address that is listened on: they are judged by it. Raises Mistakes."""
        document = self._started.origin.document
        if document.lines and not Path(document.file).exists():
            raise Mistakes([Mistake(document.file, 0, "", "is gone; what it said stays in force")])
        server = loaded.server.model_copy(update={"listen": self._started.server.listen})
        settings = loaded.model_copy(update={"server": server})
        if mistakes := unprotected(settings, settings.origin):
            raise Mistakes(mistakes)
        return settings

    def files(self) -> list[Path]:
        """The files that the configuration in force is made of: settings, rules, enrichers."""
        settings = self.setup.settings
        own = [Path(settings.origin.document.file).absolute()]
        for enricher in settings.enrichers.values():
            where = (enricher.use or "").rpartition(":")[0]
            if where.endswith(".py"):
                own.append(settings.folder / Path(where).expanduser())
        setup = self.setup
        own += [path for enricher in (*setup.inline, *setup.shown, *setup.deferred) for path in enricher.reads]
        return own + (rule_files(settings.rules.folder) if settings.rules.folder else [])


def _at(settings: Settings, path: str) -> object:
    found: object = settings
    for name in path.split("."):
        found = getattr(found, name)
    return found
