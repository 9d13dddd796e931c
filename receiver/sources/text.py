"""JSON from outside, made safe to store: no NUL, no half characters, no NaN, no bottomless nesting."""

import codecs
import json
import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json, to_json

from receiver.domain.times import MILLISECOND, SECOND, Instant, parse_rfc3339
from receiver.errors import Refused

DEEPEST = 100
"""Nesting that any store and any reader bears."""
_UNWELCOME = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes, values: int) -> Any:
    """The body as Python values, scrubbed. Raises Refused for what is not JSON, too deep or of more than `values`."""
    if not body.strip():
        raise Refused("the body is empty", reason="invalid")
    body = readable(body, values)
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError:
        return scrub(_leniently(body))
    # What passed a strict parser can hold NUL only as an escape, and too large numbers, which are written as null.
    return scrub(document) if b"\\u0000" in body else document


def readable(body: bytes, values: int) -> bytes:
    """The body without the mark of its encoding. Raises Refused for more than `values`."""
    # Every value but the first of its list or object is behind a comma: counting them bounds the work before it.
    if body.count(b",") >= values:
        raise Refused(f"the body holds more than {values} values (limits.values)", status=413, reason="too_large")
    return body.removeprefix(codecs.BOM_UTF8)


def _leniently(body: bytes) -> Any:
    """What a strict parser refuses but a person can read: lone surrogates, NaN. Raises Refused for the rest."""
    try:
        return json.loads(body.decode("utf-8"))
    except RecursionError:
        raise Refused("the body is nested too deeply", reason="invalid") from None
    except UnicodeDecodeError as error:
        raise Refused(f"the body is not UTF-8 text (byte {error.start})", reason="invalid") from None
    except ValueError as error:
        raise Refused(f"the body is not JSON: {error}", reason="invalid") from None


def scrub(value: Any, depth: int = 0) -> Any:
    """The value with U+FFFD for NUL and lone surrogates, null for infinities and NaN. Raises Refused when too deep."""
    if depth > DEEPEST:
        raise Refused(f"the body is nested more than {DEEPEST} levels deep", reason="invalid")
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): scrub(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [scrub(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def clean(text: str) -> str:
    """The text with U+FFFD for what no store takes."""
    return _UNWELCOME.sub("\ufffd", text)


def bounded(fields: Mapping[str, Any], size: int) -> dict[str, Any]:
    """The fields, scrubbed, in about `size` bytes of JSON; the largest are left out and `left_out` tells of them.

    Raises Refused for values that are nested too deep.
    """
    clean_fields = {name: value if isinstance(value, str) else scrub(value, 2) for name, value in fields.items()}
    room, kept = size, set()
    for taken, name in sorted((_size(name, value, size), name) for name, value in clean_fields.items()):
        room -= taken
        if room < 0:
            break
        kept.add(name)
    found = {name: value for name, value in clean_fields.items() if name in kept}
    if len(kept) < len(fields):
        dropped = [name[:40] for name in fields if name not in kept]
        more = f" and {len(dropped) - 5} more" if len(dropped) > 5 else ""
        found["left_out"] = f"too large to keep: {', '.join(dropped[:5])}{more}"
    return found


def _size(name: str, value: Any, most: int) -> int:
    """Bytes of JSON; for text that is longer than `most` anyway, just its length."""
    length = len(value) if isinstance(value, str) else 0
    return len(name) + (length if length > most else len(to_json(value)))


CUT = "…[cut]"
EXCERPT_SIZE = 2 * 2**10
EARLIEST, LATEST = 0, 7_258_118_400 * SECOND
"""1970 .. 2200: beyond, a time is a mistake."""
MILLISECONDS_FROM = 100_000_000_000
"""Numbers above are milliseconds since 1970: as seconds they would be in the year 5138."""


def moment(*values: Any) -> Instant | None:
    """The first of the values that is a time: RFC 3339 text, or seconds or milliseconds since 1970."""
    for value in values:
        try:
            if isinstance(value, str):
                found = parse_rfc3339(value.strip()[:64])
            elif isinstance(value, int | float) and not isinstance(value, bool):
                found = int(value * (SECOND if abs(value) < MILLISECONDS_FROM else MILLISECOND))
            else:
                continue
        except (ValueError, OverflowError):
            continue
        if found is not None and EARLIEST < found <= LATEST:
            return found
    return None


def excerpt(value: Any) -> str:
    """The start of the value as JSON text, for people to see what could not be read."""
    return to_json(value).decode()[:EXCERPT_SIZE]


def cut(text: str, longest: int) -> str:
    """The text, at most that many characters of it, with a mark where it was cut."""
    return text if len(text) <= longest else text[:longest] + CUT


def kind_of(value: Any) -> str:
    """What JSON calls it."""
    names = {str: "string", bool: "boolean", type(None): "null", list: "array", dict: "object"}
    return names.get(type(value), "number")


def shown(value: Any) -> str:
    """A value that is not as it should be, in a sentence about it."""
    if value is None:
        return "missing"
    if isinstance(value, str):
        return f'"{value[:60]}"'
    return f"a JSON {kind_of(value)}"


SAFE_SCHEMES = frozenset({"http", "https", "mailto"})
LONGEST_URL = 2048


def safe_url(value: Any) -> str | None:
    """The value when it is a whole http, https or mailto address that is safe to show as a link; else None."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_URL:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    whole = (parts.netloc or parts.scheme == "mailto") and value.isprintable() and not set(value) & _UNSAFE
    return value if whole and parts.scheme in SAFE_SCHEMES else None


_UNSAFE = frozenset(" \"'<>`\\")
