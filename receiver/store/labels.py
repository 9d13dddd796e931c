"""The label index: one token a label pair.

On SQLite a contentless FTS5 table: ten times smaller and four times cheaper to write than rows of (name, value)
(measured, docs/performance.md). On PostgreSQL rows of (token, alert): read in the order of the list, so that a page
costs the same however many alerts have the label. A token is a 32-bit checksum, so a hit is only a candidate: queries
check it against the alert's own labels.
"""

from collections.abc import Mapping
from functools import lru_cache
from zlib import crc32


@lru_cache(4096)
def number(name: str, value: str) -> int:
    """The token of one label pair as a signed 32-bit number. Remembered, too."""
    return crc32(f"{name}\0{value}".encode()) - 2**31


@lru_cache(4096)
def token(name: str, value: str) -> str:
    """The token of one label pair as text. Remembered: most pairs of a storm's alerts are the same."""
    return format(crc32(f"{name}\0{value}".encode()), "08x")


def tokens(labels: Mapping[str, str]) -> str:
    """All tokens of an alert: what is indexed, and needed again to take it out of the index."""
    return " ".join([token(name, value) for name, value in labels.items()])
