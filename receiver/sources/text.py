"""JSON from outside, made safe to store: no NUL, no half characters, no NaN, no bottomless nesting."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json, to_json

from receiver.errors import Refused

DEEPEST = 100
"""Nesting that any store and any reader bears."""
_UNWELCOME = re.compile("[\x00\ud800-\udfff]")


def decode(body: bytes, values: int) -> Any:
    """The body as Python values, scrubbed. Raises Refused for what is not JSON, too deep or of more than `values`."""
    # Every value but the first of its list or object is behind a comma: counting them bounds the work before it.
    if body.count(b",") >= values:
        raise Refused(f"the body holds more than {values} values (limits.values)", status=413, reason="too_large")
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError:
        return scrub(_leniently(body))
    # What passed a strict parser can hold NUL only as an escape, and too large numbers, which are written as null.
    return scrub(document) if b"\\u0000" in body else document


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
