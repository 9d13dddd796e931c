"""What the environment tells commands that talk to a server. `receiver.settings` reads the server's own settings.

ALERTSAGE_URL, ALERTSAGE_TOKEN_FILE and ALERTSAGE_WHO are defaults of options, which click reads.
"""

import os
from pathlib import Path
from zoneinfo import ZoneInfo

TOKEN = "ALERTSAGE_TOKEN"  # noqa: S105 - the name of a variable


def own_token() -> str | None:
    """The token that the environment holds; None without one."""
    return os.environ.get(TOKEN, "").strip() or None


def plain() -> bool:
    """True when nothing is to be coloured (https://no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))


def client_file() -> Path:
    """Where the address of the server and the token may be kept."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    # the specification has relative paths ignored
    return (Path(base) if base.startswith("/") else Path("~/.config").expanduser()) / "alertsage" / "client.yaml"


def own_zone() -> str:
    """The IANA name of this machine's time zone; UTC when it does not say."""
    told = os.environ.get("TZ", "").removeprefix(":")
    link = str(Path("/etc/localtime").resolve())
    for name in (told, link.partition("/zoneinfo/")[2].removeprefix("posix/")):
        try:
            return ZoneInfo(name).key
        except (ValueError, LookupError, OSError):
            continue
    return "UTC"
