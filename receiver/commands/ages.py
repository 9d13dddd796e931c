"""Moments and lengths of time, short enough for a table."""

from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"))


def instant(moment: object) -> datetime | None:
    """The moment that an answer tells in RFC 3339; None when it is none."""
    if not isinstance(moment, str):
        return None
    try:
        told = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return told if told.tzinfo else told.replace(tzinfo=UTC)


def age(moment: object, now: float) -> str:
    """How long ago it was, as `12 m`; "" when there is no such moment."""
    told = instant(moment)
    return "" if told is None else short(now - told.timestamp())


def until(moment: object, now: float) -> str:
    """How long it is until then, to the nearest `12 m`; "" when there is no such moment."""
    told = instant(moment)
    return "" if told is None else _near(told.timestamp() - now)


def short(seconds: float) -> str:
    """A length of time in its largest unit: `40 s`, `12 m`, `5 h`, `3 d`. Below nothing is `0 s`."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def _near(seconds: float) -> str:
    size = next((size for size, _ in _UNITS if seconds >= size), 1)
    return short(round(seconds / size) * size)
