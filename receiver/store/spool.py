"""The spool: webhooks of senders that never retry, safe on the disk while the database is away.

A file is a webhook: one line of JSON about it, then its body without secrets. It is written under another name, synced,
renamed, and its folder synced, so that what has its name is whole, whatever happens in between.
"""

import asyncio
import json
import logging
import os
import re
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nsmallest
from pathlib import Path

from receiver.domain.times import Instant
from receiver.errors import StoreAway
from receiver.store.filelock import FileLock

log = logging.getLogger("alertsage.spool")

WHOLE, BAD, UNFINISHED = ".webhook", ".unreadable", ".part"
_NAME = re.compile(rf"\d{{20}}-[\w-]+{re.escape(WHOLE)}")
UNFINISHED_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Spooled:
    """One verified webhook that waits."""

    source: str
    delivery: str
    """Tells the store that it has this one already, should that be so."""
    at: Instant
    """When it came."""
    headers: Mapping[str, str]
    body: bytes
    path: Path = field(default_factory=Path)
    """Where it lies, once it does."""


class Spool:
    """A bounded folder of waiting webhooks, of one process at a time. `open` it, use it, `close` it."""

    def __init__(self, folder: Path, max_size: int, max_files: int) -> None:
        self._folder = folder
        self._max_size = max_size
        self._max_files = max_files
        self._lock = threading.Lock()
        file = folder.with_name(f"{folder.name}.lock")
        self._held = FileLock(file, f"another alertsage uses the spool ({file} is locked): give each its spool.folder")
        self._why_closed = "it is being opened"
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._writing = 0
        self.filled = asyncio.Event()
        """Set whenever there is something to take in."""

    def open(self) -> None:
        """Take hold of the folder and see what waits in it. Raises StoreAway while another process has it."""
        if not self._why_closed:
            return
        try:
            self._held.take()
        except StoreAway as error:
            self._why_closed = str(error)
            raise
        self._sizes = self._found()
        self._bytes, self._why_closed = sum(self._sizes.values()), ""
        if self._sizes:
            self.filled.set()

    def close(self) -> None:
        """Let go of it."""
        self._held.release()
        self._why_closed = "it is closed"

    @property
    def count(self) -> int:
        """How many wait."""
        return len(self._sizes)

    @property
    def size(self) -> int:
        """Their bytes."""
        return self._bytes

    @property
    def oldest(self) -> Instant | None:
        """When the one that waits longest came; None when none does."""
        with self._lock:
            names = list(self._sizes)
        return int(min(names).partition("-")[0]) if names else None

    async def keep(self, webhook: Spooled) -> None:
        """Put it on the disk; returns when it would outlive a power cut. Raises StoreAway when that cannot be."""
        await asyncio.to_thread(self._write, webhook)
        self.filled.set()

    def waiting(self, most: int) -> list[Spooled]:
        """The oldest of them, oldest first. One that cannot be read is put aside in the folder, and told of."""
        found = []
        with self._lock:
            names = nsmallest(most, self._sizes)
        for name in names:
            path = self._folder / name
            try:
                found.append(_read(path))
            except FileNotFoundError:
                self._forget(name)  # somebody took it away
            except (OSError, ValueError, KeyError, TypeError) as error:
                log.error("%s cannot be read and is put aside: %s", path, error)  # noqa: TRY400 - one line for people
                self._put_aside(path)
        return found

    def put_aside(self, webhook: Spooled) -> None:
        """It cannot be taken in: keep it in the folder under another name, for people to look at."""
        self._put_aside(webhook.path)

    def _put_aside(self, path: Path) -> None:
        self._forget(path.name)
        if path.exists():
            path.rename(path.with_suffix(BAD))

    def done(self, webhook: Spooled) -> None:
        """It is in the database: delete it."""
        webhook.path.unlink(missing_ok=True)
        self._forget(webhook.path.name)

    def _found(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            try:
                if path.is_file() and _NAME.fullmatch(path.name):
                    sizes[path.name] = path.stat().st_size
                elif path.suffix == UNFINISHED and time.time() - path.stat().st_mtime > UNFINISHED_SECONDS:
                    path.unlink()  # a write that was cut off: it was never promised
            except OSError as error:
                log.warning("%s in the spool is left alone: %s", path, error.strerror)
        return sizes

    def _forget(self, name: str) -> None:
        with self._lock:
            self._bytes -= self._sizes.pop(name, 0)

    def _write(self, webhook: Spooled) -> None:
        about = {
            "source": webhook.source,
            "delivery": webhook.delivery,
            "at": webhook.at,
            "headers": dict(webhook.headers),
        }
        if self._why_closed:
            raise StoreAway(f"the database is away and the spool cannot be used: {self._why_closed}")
        content = json.dumps(about).encode() + b"\n" + webhook.body
        name = f"{webhook.at:020d}-{uuid.uuid4().hex}{WHOLE}"
        self._reserve(len(content))
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            _write_through(self._folder, name, content)
        except OSError as error:
            with self._lock:
                self._writing, self._bytes = self._writing - 1, self._bytes - len(content)
            raise StoreAway(f"the database is away and the spool cannot be written: {error.strerror}") from error
        with self._lock:  # not before it is whole: whoever drains must not find half of it
            self._writing, self._sizes[name] = self._writing - 1, len(content)

    def _reserve(self, size: int) -> None:
        with self._lock:
            if len(self._sizes) + self._writing >= self._max_files or self._bytes + size > self._max_size:
                raise StoreAway("the database is away and the spool is full (spool.max_size, spool.max_files)")
            self._writing, self._bytes = self._writing + 1, self._bytes + size


def _write_through(folder: Path, name: str, content: bytes) -> None:
    unfinished = folder / f"{name}{UNFINISHED}"
    try:
        with open(unfinished, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(folder / name)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path) -> Spooled:
    line, _, body = path.read_bytes().partition(b"\n")
    about = json.loads(line)
    return Spooled(about["source"], about["delivery"], int(about["at"]), dict(about["headers"]), body, path)
