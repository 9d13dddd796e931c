"""Moments as whole microseconds since 1970-01-01T00:00:00Z (UTC).

One integer form serves every engine and every comparison: no time zones to lose, no float to round.
"""

import time
from datetime import UTC, datetime, timedelta

Instant = int
"""A moment: microseconds since the Unix epoch."""
Span = int
"""A length of time: microseconds."""

MILLISECOND: Span = 1_000
SECOND: Span = 1_000_000
MINUTE: Span = 60 * SECOND
HOUR: Span = 60 * MINUTE
DAY: Span = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def now() -> Instant:
    """The wall clock, in microseconds since the epoch."""
    return time.time_ns() // 1_000


def instant(moment: datetime) -> Instant:
    """The moment as an Instant; a datetime without a zone is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND


def as_datetime(moment: Instant) -> datetime:
    """The Instant as an aware UTC datetime. Raises OverflowError outside the years 1..9999."""
    return _EPOCH + timedelta(microseconds=moment)


def parse_rfc3339(text: str) -> Instant | None:
    """Read a sender's timestamp; None for the zero time that Go writes for "not set" (any moment in year 1).

    Takes 0 to 9 fractional digits and any offset (Alertmanager, Grafana); digits beyond microseconds are cut.
    Raises ValueError when the text is no timestamp.
    """
    moment = datetime.fromisoformat(text)
    return None if moment.year == 1 else instant(moment)


def rfc3339(moment: Instant) -> str:
    """The Instant as RFC 3339 in UTC, with milliseconds: 2026-11-23T06:40:41.347Z."""
    return as_datetime(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def span(length: timedelta) -> Span:
    """The timedelta in microseconds."""
    return length // _MICROSECOND
