"""The terms of a search, and how their values are read: each reader raises ValueError with a plain sentence."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal, get_args

from receiver.domain.times import DAY, HOUR, MINUTE, SECOND, Instant, parse_rfc3339
from receiver.domain.vocabulary import OPEN, Category, Priority, Status


@dataclass(frozen=True, slots=True)
class Words:
    """The text stands in title, message or name, whatever its case (ASCII)."""

    text: str
    negated: bool = False


Choice = Literal["status", "priority", "category", "source", "kind", "name", "assignee", "id"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True, slots=True)
class Among:
    """The field is one of the values. An assignee "" is nobody."""

    field: Choice
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """The label is the value, or (`pattern`) all of it fits the regular expression. One that is missing is empty."""

    name: str
    value: str
    negated: bool = False
    pattern: bool = False
    at: int = field(default=0, compare=False)
    """Where the value stands in the text that it was read from."""


Figure = Literal["started_at", "last_seen_at", "ended_at", "notification_count"]
Sign = Literal["<", "<=", ">", ">=", "="]


@dataclass(frozen=True, slots=True)
class Compared:
    """The figure (a count, or an Instant) compares so with the number; what has none (`ended_at`) does not."""

    field: Figure
    sign: Sign
    than: int
    negated: bool = False


Term = Words | Among | Label | Compared


def values(choice: Choice, written: str, *, quoted: bool) -> tuple[str, ...]:
    """What one value of a field stands for: `open` for three statuses, `none` (unless quoted) for no assignee."""
    if choice == "status":
        groups = {"open": OPEN, "closed": frozenset(Status) - OPEN}
        if written.lower() in groups:
            return tuple(status.value for status in Status if status in groups[written.lower()])
        return (_one_of("status", written, (*Status, *groups)),)
    if choice == "priority":
        return (_one_of("priority", written, tuple(Priority)),)
    if choice == "category":
        return (_one_of("category", written, tuple(Category)),)
    if choice == "assignee" and written == "none" and not quoted:
        return ("",)
    if choice == "id" and not (written.isascii() and written.isdigit() and len(written) < 19):
        raise ValueError(f'"{written[:40]}" is not the id of an alert, which is a number')
    return (written,)


def _one_of(name: str, written: str, known: Sequence[str]) -> str:
    if written.lower() in known:
        return str(written.lower())
    close = get_close_matches(written.lower(), known, 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"
    raise ValueError(f'"{written[:40]}" is no {name}; {hint}')


_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def priorities(sign: str, written: str) -> tuple[str, ...]:
    """The priorities that compare so with that one, most urgent first; never none."""
    rank = Priority(_one_of("priority", written, tuple(Priority))).rank
    found = tuple(one.value for one in Priority if _COMPARE[sign](one.rank, rank))
    if not found:
        raise ValueError(f"no priority is {'above' if sign == '>' else 'below'} {written}; did you mean {sign}=?")
    return found


_SPAN = re.compile(r"(?=.)(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)
_UNITS = (7 * DAY, DAY, HOUR, MINUTE, SECOND)


def since(name: str, written: str, now: Instant) -> Instant:
    """The moment so long ago: `45m`, `1h30m`, `2d`, `1w`."""
    found = _SPAN.fullmatch(written)
    if found is None:
        hint = f"write {written}m or {written}h" if written.isdigit() else "write it like 45m, 1h30m, 2d or 1w"
        raise ValueError(f'"{written[:40]}" is no length of time; {hint}: {name}>1h')
    return now - sum(int(part or 0) * unit for part, unit in zip(found.groups(), _UNITS, strict=True))


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d.*)?", re.ASCII)


def moment(name: str, written: str) -> Instant:
    """A date or a moment; UTC unless it says another offset."""
    try:
        told = parse_rfc3339(written.upper()) if _MOMENT.fullmatch(written) else None
    except (ValueError, OverflowError):
        told = None
    if told is None:
        hint = " (for a length of time: age>1h)" if _SPAN.fullmatch(written) else ""
        raise ValueError(f'"{written[:40]}" is no moment; write {name}>2026-01-31 or {name}>2026-01-31T06:40Z{hint}')
    return told


def number(written: str) -> int:
    """A count."""
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise ValueError(f'"{written[:40]}" is no whole number: count>10')
    return int(written)
