"""The contract between alertsage and an enricher."""

import logging
from collections.abc import Awaitable, Mapping
from dataclasses import field
from typing import Any, Protocol

import aiohttp

from receiver.domain.enrichment import AlertView, Enrichment, History
from receiver.domain.rules import Book
from receiver.domain.times import Instant
from receiver.domain.value import value

_LOG = logging.getLogger("alertsage.enrichers")

Additions = Enrichment | Mapping[str, Any] | None
"""What an enricher returns: an Enrichment, a mapping with the names of its fields, or None for "nothing to add"."""


@value
class Context:
    """What an enricher may use besides the alert."""

    now: Instant
    """Microseconds since 1970 (UTC)."""
    rules: Book
    history: History = field(default_factory=History)
    log: logging.Logger = _LOG
    http: aiohttp.ClientSession | None = None
    """A shared session, for async enrichers only (None for inline and sync ones). Closed by alertsage."""


class Problem(Exception):  # noqa: N818 - what somebody has to put right, not a fault of ours
    """What is wrong, in one plain sentence. Raised by an enricher it is the detail of the outcome, and while it is
    made the mistake in its settings: both as it stands, without the name of a class.
    """


class Bytes(int):
    """A number of bytes. As the type of a setting it is written 64KiB, 16MiB or as a number."""


class JMESPath(str):
    """A JMESPath expression. As the type of a setting it is checked when the configuration is loaded."""

    __slots__ = ()


class Enricher(Protocol):
    """A callable that says more about an alert. Its dataclass fields, if it is a dataclass, are its settings.

    It may return an awaitable; then it runs on a loop of its own, beside intake. It never changes the alert.
    """

    def __call__(self, alert: AlertView, context: Context, /) -> Additions | Awaitable[Additions]:
        """Return what this enricher adds to the alert."""
        ...
