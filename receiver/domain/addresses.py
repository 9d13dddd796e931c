"""Which addresses can be shown as a link."""

from urllib.parse import urlsplit

LONGEST = 2048
"""Characters of an address."""
SCHEMES = frozenset({"http", "https", "mailto"})
NEEDED = f"an http, https or mailto address of at most {LONGEST} characters"


def usable(url: str) -> bool:
    """True for what is NEEDED, whole and on one line; what it names may not exist."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    whole = (parts.netloc or parts.scheme == "mailto") and url.isprintable() and " " not in url
    return bool(whole) and parts.scheme in SCHEMES and len(url) <= LONGEST


def reachable(url: str) -> bool:
    """True for a usable address of the web that names a server and, if any, a port that there can be."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        return False
    return usable(url) and parts.scheme != "mailto" and bool(parts.hostname)
