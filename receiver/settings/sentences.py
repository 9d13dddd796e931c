"""pydantic's findings in our own plain words."""

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic_core import ErrorDetails

_FIXED = {
    "missing": "is missing",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "dict_type": "must be a mapping with keys of its own",
    "mapping_type": "must be a mapping with keys of its own",
    "model_type": "must be a mapping with keys of its own",
    "model_attributes_type": "must be a mapping with keys of its own",
    "string_pattern_mismatch": "is not a name; use up to 63 of a-z, 0-9, - and _, beginning with a letter or digit",
    "finite_number": "must be a finite number",
    "invalid_key": "has a key that is not text",
    "string_too_short": "is empty; give it a value or leave it out",
}
_NUMBERS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of usual size",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
    "too_long": ("max_length", "has more items than"),
    "too_short": ("min_length", "has fewer items than"),
}


def sentence(error: ErrorDetails) -> str:
    """One plain sentence for one finding. Quotes what was written only for numbers and choices, never for text."""
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "value_error":
        return str(context["error"])
    if kind in _NUMBERS:
        return f"must be {_NUMBERS[kind]}{_instead(value)}"
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]}"
    if kind in {"literal_error", "enum"}:
        choices = str(context["expected"]).replace("'", "")
        return f"must be {'one of ' if ' or ' in choices else ''}{choices}{_instead(value)}"
    if kind == "string_type" and isinstance(value, (int, float)):
        return "must be text; put a number in quotes"
    return _FIXED.get(kind) or f"is not right: {error['msg'][:1].lower()}{error['msg'][1:]}"


def unknown(what: str, key: str, known: Iterable[str]) -> str:
    """The sentence for a key that is not known (`is not a setting`), with the nearest known one."""
    near = difflib.get_close_matches(key, list(known), n=1)
    return f'{what}; did you mean "{near[0]}"?' if near else what


def _instead(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, (int, float)):
        return f", not {value}"
    if isinstance(value, str) and len(value) <= 40:
        return f', not "{value}"'
    return ""
