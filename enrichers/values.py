"""The current value of what a rule measures, as far as the alert's own texts tell it convincingly."""

import math
import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice

from enrichers.promql import Reading
from receiver.domain.enrichment import AlertView

LOOKED_AT = 2000
"""Characters of an annotation that are searched."""
MOST_NUMBERS = 50
"""Numbers of one annotation that are considered."""
_TOLD_IN = ("description", "message", "summary", "title")
_CONTEXT = 48
"""Characters before a number that tell what it is."""

_URL = re.compile(r"\b\w{1,16}://\S+")
_TIGHT = re.compile(r"\b(value|current|now):(?=-?\d)", re.IGNORECASE)
_DURATION = re.compile(r"(?<![\w.])(?=\d)(?:(\d{1,6})d ?)?(?:(\d{1,2})h ?)?(?:(\d{1,2})m ?)?(\d{1,2})s\b")
_DURATION_SIGN = re.compile(r"\ds\b")
_NUMBER = re.compile(
    r"(?<![\w.:/#$-])(?P<number>-?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)"
    r"(?:\s?(?P<sign>%|percent|ms|milliseconds?|secs?|seconds?|s|minutes?|mins?|hours?|days?|"
    r"[kKMGTP]i?B?|B|bytes)(?![A-Za-z0-9]))?"
    r"(?P<rate>/s)?(?![\w%/:-]|[.,]\d)"
)
_PLAIN = re.compile(r"\s*(-?\d{1,18}(?:\.\d{1,18})?(?:[eE][-+]?\d{1,3})?)\s*")
_DIGIT = re.compile(r"\d")
_GLUE = r"(?:\s+(?:of|the|a|is|at|was|been|by|to|value))*\s*[=:(~]*\s*$"
_NAMED = re.compile(rf"\b(?:value|current|currently|now){_GLUE}", re.I)
_STATED = re.compile(
    rf"(?:\b(?:is|are|was|at|of|has|have|had|reached|took|takes|uses|using|used|usage|only|already|about)|\w:|\(){_GLUE}",
    re.I,
)
_LIMIT = re.compile(
    r"(?:\b(?:thresholds?|limits?|max|maximum|min|minimum|capacity|size|more|less|greater|higher|lower|"
    r"fewer|longer|over|above|below|under|beyond|exceed\w*|than|least|most|last|past|previous|within|for|every|out|per|in|next|until|after|before|"
    rf"since|top|code|status|port|version|http)(?:\s+than)?{_GLUE}|[<>≤≥]=?\s*$)",
    re.I,
)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_TIMES = {"seconds": 1.0, "milliseconds": 0.001, "minutes": 60.0, "hours": 3600.0, "days": 86400.0}
_POWERS = {"B": 0, "b": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_BYTES = frozenset({"bytes", "bytes_per_second"})


def value_in(alert: AlertView, reading: Reading, unit: str | None) -> float | None:
    """The current value on the threshold's scale; None unless a text tells it convincingly.

    Convincing is a number that the text calls the value, or that carries the unit that is measured, or that the text
    states; it is not called a limit or a time range, and lies where the rule does fire.
    """
    if reading.threshold is None or reading.direction is None:
        return None
    told = alert.annotations.get("value") or alert.labels.get("value")
    if told and (plain := _PLAIN.fullmatch(told)):
        value = float(plain[1])
        return value if fires(value, reading) else None
    for key in _TOLD_IN:
        text = alert.annotations.get(key, "")[:LOOKED_AT]
        if _DIGIT.search(text) and (found := _best(_quiet(text, alert), reading, unit)) is not None:
            return found
    return None


@lru_cache(2048)
def _best(text: str, reading: Reading, unit: str | None) -> float | None:
    """The most convincing number in a text. Remembered: without their labels, many alerts of a storm say the same."""
    return min(_candidates(text, reading, unit), default=(0, 0, None))[2]


def fires(value: float, reading: Reading) -> bool:
    """True when a rule with this comparison fires at that value."""
    limit = reading.threshold
    if limit is None or not math.isfinite(value):
        return False
    match reading.sign:
        case ">":
            return value > limit
        case ">=":
            return value >= limit
        case "<":
            return value < limit
        case "<=":
            return value <= limit
        case _:
            return value == limit


def _quiet(text: str, alert: AlertView) -> str:
    """The text without addresses and without the values of labels: their numbers are names."""
    text, _, _ = text.partition("LABELS")  # what templates list behind the value
    named = [label for label in alert.labels.values() if label in text and len(label) > 2]
    if len(named) > 1:
        named.sort(key=len, reverse=True)
    for label in named:
        if _DIGIT.search(label) and not _PLAIN.fullmatch(label):
            text = text.replace(label, "_")
    if "://" in text:
        text = _URL.sub("_", text)
    if ":" in text:
        text = _TIGHT.sub(r"\1: ", text)  # a number right behind another word's colon is a port
    return _DURATION.sub(_in_seconds, text) if _DURATION_SIGN.search(text) else text


def _in_seconds(found: re.Match[str]) -> str:
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return f"{days * 86400 + hours * 3600 + minutes * 60 + seconds} s"


def _candidates(text: str, reading: Reading, unit: str | None) -> Iterator[tuple[int, int, float]]:
    """(rank, place, value) of the numbers that may be the value; a lower rank convinces more."""
    for found in islice(_NUMBER.finditer(text), MOST_NUMBERS):
        before = text[max(0, found.start() - _CONTEXT) : found.start()]
        rank = _rank(before, text[found.end() : found.end() + 2], found["sign"], unit)
        if rank is None:
            continue
        value = _scaled(float(found["number"]), found["sign"] or "", unit, reading.threshold or 0.0)
        if value is not None and fires(value, reading):
            yield rank, found.start(), value


def _rank(before: str, after: str, sign: str | None, unit: str | None) -> int | None:
    if _NAMED.search(before):
        return 0
    if _LIMIT.search(before):
        return None
    if sign is not None and unit is not None:
        return 1
    if _STATED.search(before):
        return 2
    # A text may begin with it ("14 deadlocks in ..."), but "401 Unauthorized" is a name.
    return None if before.strip() or after[1:].isupper() else 3


def _scaled(number: float, sign: str, unit: str | None, threshold: float) -> float | None:
    """The number on the scale of the unit, None when it counts something else."""
    if sign in ("%", "percent"):
        # A share without a known unit: its threshold tells whether it counts to 1 or to 100.
        share = unit == "ratio" or (unit is None and abs(threshold) <= 1)
        return number / 100 if share else number if unit in ("percent", None) else None
    if unit == "ratio":
        # Above 1 a bare number may just as well be percent.
        return number if not sign and (abs(number) <= 1 or abs(threshold) > 1) else None
    time = _TIMES.get(unit or "")
    if time is not None:
        factor = _SECONDS.get(_time_word(sign)) if sign else time
        return None if factor is None else number * factor / time
    if not sign or (unit is None and _time_word(sign) in ("ms", "s")):
        return number
    if sign[0] in _POWERS and _time_word(sign) not in _SECONDS and (unit in _BYTES or unit is None):
        return number * float(1024 if "i" in sign else 1000) ** _POWERS[sign[0]]
    return None


def _time_word(sign: str) -> str:
    """`milliseconds`, `secs`, `minutes` in short; what is no time comes back as it is."""
    for word, short in (("milli", "ms"), ("sec", "s"), ("min", "m"), ("hour", "h"), ("day", "d")):
        if sign.startswith(word):
            return short
    return sign
