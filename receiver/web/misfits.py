"""What does not fit a form that was posted, or the parameters of a URL, in one plain sentence."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

_FIXED = {
    "missing": "is missing",
    "extra_forbidden": "is not known here",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "datetime_type": "must be a moment as text, e.g. 2026-12-24T20:00:00+01:00",
    "datetime_parsing": "is not a moment with its offset, e.g. 2026-12-24T20:00:00+01:00",
    "datetime_from_date_parsing": "is not a moment with its offset, e.g. 2026-12-24T20:00:00+01:00",
    "timezone_aware": "does not say its offset; write e.g. 2026-12-24T20:00:00+01:00",
    "string_unicode": "is not text",
}
_BOUNDS = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_long": "has more than {max_length} characters",
    "string_too_short": "is empty",
    "too_long": "has more than {max_length} of them",
    "too_short": "is empty",
}
_KIND = re.compile(r"(list|tuple|set|dict)\[")


def told(error: ValidationError) -> str:
    """The first finding, with the field that it is about."""
    first = error.errors(include_url=False, include_input=False)[0]
    # Where a field may be of several types, pydantic names the type in the place, which says nothing to who posts.
    place = ".".join(str(part) for part in first["loc"] if not _KIND.match(str(part)))[:200]
    what = _what(first["type"], first.get("ctx", {}), first["msg"])
    if place:
        return f"{place}: {what}"
    return what if first["type"] == "value_error" else f"the body {what}"


def _what(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "enum"}:
        choices = str(context["expected"]).replace("'", "")
        return f"must be {'one of ' if ' or ' in choices else ''}{choices}"
    if kind in _BOUNDS:
        return _BOUNDS[kind].format_map(context)
    return _FIXED.get(kind) or f"is not right: {message[:1].lower()}{message[1:]}"
