"""The database file and folders of ours on this machine: private, and one process's at a time."""

import fcntl
import os
from pathlib import Path

from receiver.errors import StoreAway


def make_private(path: Path) -> None:
    """Make the file if it is not there, readable by nobody else: SQLite would ask nobody. Raises StoreAway."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreAway(f"{path} cannot be opened: {error.strerror}") from error


def unusable(path: Path) -> str | None:
    """Why no waiting will make this file a database of ours, in one phrase; None when it may become one."""
    if path.is_dir():
        return f"{path} is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} is not there"
    try:
        with path.open("rb") as file:
            begin = file.read(16)
    except OSError as error:
        return None if isinstance(error, FileNotFoundError) else f"{path} cannot be read: {error.strerror}"
    return None if begin in (b"", b"SQLite format 3\0") else f"{path} is not an SQLite database"


class FileLock:
    """Holds a file for this process. The system lets go of it when the process ends, however it ends."""

    def __init__(self, path: Path, taken: str) -> None:
        """`taken` is the sentence that says what is wrong when another process has it."""
        self._path = path
        self._taken = taken
        self._file: int | None = None

    def take(self) -> None:
        """Take it, unless it is held already. Raises StoreAway while another process has it or it cannot be made."""
        if self._file is not None:
            return
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreAway(f"{self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise StoreAway(self._taken) from None
        self._file = file

    def release(self) -> None:
        """Let go of the file, if held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class SameFile:
    """Sees to it that a path goes on naming the file first seen there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None

    def check(self) -> None:
        """Raises StoreAway when it does not: what is written now would be lost."""
        try:
            found = self._path.stat()
        except OSError as error:
            raise StoreAway(f"{self._path} is gone ({error.strerror}): put it back or restart alertsage") from error
        seen = (found.st_dev, found.st_ino)
        if self._seen not in (None, seen):
            raise StoreAway(f"{self._path} was replaced while in use: restart alertsage")
        self._seen = seen
