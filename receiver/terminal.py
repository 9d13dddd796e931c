"""Texts from outside on a terminal: nothing in them is obeyed."""

import re
from typing import Any, TypeVar, cast

from pydantic_core import to_json

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys, or what makes it show another order than the text has; line ends and tabs are not among it."""


def json_line(told: object) -> str:
    """The value as JSON on one line, control characters escaped."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", to_json(told, inf_nan_mode="null").decode())


def one_line(text: str) -> str:
    """The text without line ends."""
    return " ".join(text.split())


def visible(value: T) -> T:
    """The value without characters that a terminal would obey."""
    return cast("T", _visible(value))


def _visible(value: Any) -> Any:
    if isinstance(value, str):
        return _CONTROL.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_visible(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_visible(item) for item in value]
    return value
