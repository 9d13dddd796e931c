"""Running the command as its user does: through pipes, and on a terminal of a given width."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import ALERTSAGE

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it printed, line by line."""
        return self.out.splitlines()


@dataclass(frozen=True)
class User:
    """Somebody with a home of their own, in which no command finds what this machine's has."""

    home: Path
    url: str = ""

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """What their commands see."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ALERTSAGE", "XDG"))}
        for name in ("NO_COLOR", "COLUMNS", "FORCE_COLOR"):
            kept.pop(name, None)
        named = {"ALERTSAGE_URL": self.url} if self.url else {}
        return kept | {"HOME": str(self.home), "TERM": "xterm-256color", "LOGNAME": "ada", "TZ": "UTC"} | named | more

    def does(self, *arguments: str, told: str = "", **environment: str) -> Done:
        """Run it through pipes, with that on standard input."""
        done = subprocess.run(
            [ALERTSAGE, *arguments],
            cwd=self.home,
            env=self.environment(environment),
            input=told,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def sees(self, *arguments: str, columns: int, **environment: str) -> Done:
        """Run it on a terminal that is so wide; what is printed there, errors included, is `out`."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [ALERTSAGE, *arguments],
            cwd=self.home,
            env=self.environment(environment),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := os.read(ours, 65536):
                shown += chunk
        except OSError:  # how Linux tells that nobody writes to a terminal any more
            pass
        os.close(ours)
        return Done(process.wait(30), shown.decode().replace("\r\n", "\n"), "")

    @contextmanager
    def doing(self, *arguments: str, **environment: str) -> Iterator["Running"]:
        """Start it, for commands that do not end by themselves."""
        process = subprocess.Popen(
            [ALERTSAGE, *arguments],
            cwd=self.home,
            env=self.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            yield Running(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate()


@dataclass
class Running:
    """A command that goes on."""

    process: subprocess.Popen[bytes]
    out: str = ""
    err: str = ""

    def until(self, text: str, seconds: float = 20) -> None:
        """Read on until it has printed that, on either output."""
        deadline = time.monotonic() + seconds
        while text not in self.out + self.err:
            assert time.monotonic() < deadline, f"{text!r} did not come; there is {self.out!r} and {self.err!r}"
            self._read(0.1)

    def quiet(self, seconds: float) -> None:
        """Read on for so long."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(0.1)

    def interrupt(self) -> int:
        """Ctrl-C; returns its exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(10)
        self._read(0.1)
        return code

    def _read(self, seconds: float) -> None:
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        assert err is not None
        for one in select.select([out, err], [], [], seconds)[0]:
            read = os.read(one.fileno(), 65536).decode(errors="replace")
            if one is out:
                self.out += read
            else:
                self.err += read
