"""How the bodies of a sender that alertsage knows nothing of are read: JMESPath expressions and value maps."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from receiver.domain.times import Instant, parse_rfc3339
from receiver.sources.expression import constants, search
from receiver.sources.text import clean, moment

LONGEST = 4000
"""Characters of a picked text."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One value out of a body."""

    path: str = ""
    """JMESPath; "" for the default alone."""
    whole: bool = False
    """True to look at the whole body, False at the alert's own part of it."""
    default: str | None = None
    """What it is when there is nothing at the path."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the sender's words mean; a word that is not among them stays as it is."""

    def of(self, alert: Any, body: Any, where: str) -> Any:
        """The value, None when there is none. Raises Refused naming `where` if the path does not fit."""
        found = search(self.path, body if self.whole else alert, where) if self.path else None
        return self._meant(self.default if found is None else found)

    def text(self, alert: Any, body: Any, where: str) -> str:
        """The value as text; "" when there is none. Raises Refused."""
        return clean(as_text(self.of(alert, body, where))[:LONGEST])

    @property
    def constants(self) -> list[Any]:
        """The values that are written in it, as they come out: they can be judged before any body comes."""
        written = constants(self.path) if self.default is None else [*constants(self.path), self.default]
        return [*self.values.values(), *map(self._meant, written)]

    def _meant(self, found: Any) -> Any:
        return self.values.get(as_text(found), found) if self.values else found


@dataclass(frozen=True, slots=True)
class Test:
    """Whether a value is one of some words."""

    pick: Pick
    among: frozenset[str]

    def holds(self, alert: Any, body: Any, where: str) -> bool:
        """True when it is. Raises Refused."""
        return self.pick.text(alert, body, where) in self.among


@dataclass(frozen=True, slots=True)
class Layout:
    """What is found where. `alerts` leads to a list with a part for each alert; without it the body is one alert."""

    name: Pick
    alerts: str = ""
    fingerprint: tuple[Pick, ...] = ()
    resolved: Test | None = None
    ignore: Test | None = None
    fields: Mapping[str, Pick] = field(default_factory=dict)
    """title, message, severity, category, subject, starts_at, ends_at, users, priority, metric, value, threshold,
    unit, direction."""
    labels: Mapping[str, Pick] = field(default_factory=dict)
    facts: Mapping[str, Pick] = field(default_factory=dict)
    links: Mapping[str, Pick] = field(default_factory=dict)


def as_text(value: Any) -> str:
    """A JSON value as people write it; "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def as_count(value: Any) -> int | None:
    """A JSON value as a number of things; None when it is none, and for more than any store counts."""
    told = as_text(value).strip()
    return int(told) if told.isascii() and told.isdigit() and len(told) <= _DIGITS else None


def as_number(value: Any) -> float | None:
    """A JSON number, or a text that is one; None when it is none or not finite."""
    told = as_text(value).strip()
    return float(told) if _NUMBER.fullmatch(told) and math.isfinite(float(told)) else None


SIDES = ("above", "below")
"""On which side of a threshold the trouble lies."""
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?", re.ASCII)
_DIGITS = 18
_NO_TIMES = (None, "", 0)
"""What senders write for a time that there is not."""
_NO_NUMBER = "out of range: seconds or milliseconds since 1970, up to the year 2200"


def as_time(value: Any) -> Instant | None:
    """A JSON value as a time; None for none and for dates that only stand for none, beyond 1970 to 2200.

    Raises ValueError saying what it is instead.
    """
    told = value.strip() if isinstance(value, str) else value
    number = float(told) if isinstance(told, str) and told.replace(".", "", 1).isdecimal() else told
    if number in _NO_TIMES:
        return None
    when = moment(number)
    if when is None and not _is_date(number):
        # a number is not taken for none: it is most likely a time in another unit
        numeric = isinstance(number, int | float) and not isinstance(number, bool)
        raise ValueError(_NO_NUMBER if numeric else "not a time: RFC 3339 or seconds since 1970")
    return when


def _is_date(value: Any) -> bool:
    try:
        parse_rfc3339(value)
    except (OverflowError, TypeError, ValueError):
        return False
    return True
