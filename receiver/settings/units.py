"""Lengths of time and sizes as people write them: `1h30m`, `16MiB`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_DURATION = re.compile(r"(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?", re.ASCII)
_LONGEST = timedelta(days=36_500)

_BYTES = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"(\d{1,15})\s?([A-Za-z]{0,3})", re.ASCII)


def parse_duration(value: object) -> timedelta:
    """Read `45m`, `1h30m`, `3d`, `500ms`; days to milliseconds, whole numbers, largest unit first.

    Raises ValueError with one sentence; a bare number is refused because it does not say its unit.
    """
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)) and value:
        days, hours, minutes, seconds, milliseconds = (int(part or 0) for part in match.groups())
        try:
            length = timedelta(days, seconds, 0, milliseconds, minutes, hours)
        except OverflowError:
            length = timedelta.max
        if length > _LONGEST:
            raise ValueError(f'"{value}" is longer than {format_duration(_LONGEST)}')
        return length
    if _is_number(value):
        raise ValueError(f"{value} says no unit; write a duration, e.g. {value}s or 45m")
    raise ValueError(f"{_quoted(value)} is not a duration, e.g. 45m")


def format_duration(length: timedelta) -> str:
    """The length of time as `parse_duration` reads it: `1h30m`. Below a millisecond is cut; nothing is `0s`."""
    rest = length // timedelta(milliseconds=1)
    parts = []
    for unit, seconds in _SECONDS.items():
        count, rest = divmod(rest, round(seconds * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def parse_size(value: object) -> int:
    """Read `16MiB`, `500kB` or a plain number of bytes. Raises ValueError with one sentence."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)) and match[2] in _BYTES:
        return int(match[1]) * _BYTES[match[2]]
    raise ValueError(f"{_quoted(value)} is not a size, e.g. 16MiB, 500kB or a number of bytes")


def format_size(size: int) -> str:
    """The number of bytes as `parse_size` reads it, in the largest binary unit that keeps it whole: `16MiB`."""
    for unit in ("GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return str(size)


def parse_count(value: object) -> object:
    """Keep `true` and `false` from being read as 1 and 0. Raises ValueError with one sentence."""
    if isinstance(value, bool):
        raise ValueError(f"must be a whole number, not {_quoted(value)}")  # noqa: TRY004 - pydantic reads ValueError
    return value


def _above_zero(length: timedelta) -> timedelta:
    if not length:
        raise ValueError("must be longer than 0s")
    return length


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _quoted(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, str):
        return f'"{value}"' if len(value) <= 60 else f'"{value[:60]}…"'
    return {"NoneType": "nothing", "list": "a list", "dict": "a mapping"}.get(type(value).__name__, "this")


MOST = 2**31 - 1
"""More of anything is no bound."""
Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
"""A length of time, 0 included."""
Timeout = Annotated[Duration, AfterValidator(_above_zero)]
"""A length of time above 0."""
Size = Annotated[int, BeforeValidator(parse_size), Field(ge=1)]
"""A number of bytes, at least 1."""
Count = Annotated[int, BeforeValidator(parse_count), Field(ge=1, le=MOST)]
"""A whole number, at least 1."""
CountOrZero = Annotated[int, BeforeValidator(parse_count), Field(ge=0, le=MOST)]
"""A whole number, at least 0."""
