"""Reading JSON in which any field may be missing, null or of another type."""

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

LONGEST = 1000
"""Characters of a text."""
_ORGANIZATION = re.compile(r"/organizations/([\w-]{1,64})(?:/|$)")
_ISSUE = re.compile(r"/issues/(\d{1,20})(?:/|$)")
_PROJECT = re.compile(r"/projects/([\w-]{1,64})/([\w-]{1,100})/")


def fields(value: Any, *path: str) -> Mapping[str, Any]:
    """The object at the path; empty when there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def text(*values: Any, longest: int = LONGEST) -> str:
    """The first of the values that is a text (or a whole number, as text), cut; "" when none is."""
    for value in values:
        if isinstance(value, str) and value.strip():
            return value.strip()[:longest]
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return str(value)
    return ""


def count(*values: Any) -> int | None:
    """The first of the values that is a number of things, also when it is written as a text."""
    for value in values:
        told = text(value, longest=20)
        if told.isascii() and told.isdigit():
            return int(told)
    return None


def number(value: Any) -> float | None:
    """The value when it is a number that arithmetic can be done with, else None: JSON may hold larger ones."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def pairs(value: Any) -> dict[str, str]:
    """Tags and the like: a list of [name, value], or an object."""
    rows = value.items() if isinstance(value, dict) else [row for row in items(value) if _is_pair(row)]
    return {name: told for key, tagged in rows if (name := text(key, longest=100)) and (told := text(tagged))}


def _is_pair(row: Any) -> bool:
    return isinstance(row, list) and len(row) == 2


def issue_in(*urls: Any) -> str:
    """The issue's id in the first of the addresses that has one."""
    return next((found[1] for url in urls if isinstance(url, str) and (found := _ISSUE.search(url[:500]))), "")


def organization_in(*urls: Any) -> str:
    """The organization's short name in the first of the addresses that has one."""
    for url in urls:
        if not isinstance(url, str):
            continue
        found = _ORGANIZATION.search(url[:500]) or _PROJECT.search(url[:500])
        if found:
            return found[1]
        try:
            host = urlsplit(url[:500]).hostname or ""
        except ValueError:
            continue
        if host.endswith(".sentry.io") and url.partition(host)[2].startswith("/issues/"):
            return host.removesuffix(".sentry.io")
    return ""


def project_in(*urls: Any) -> str:
    """The project's short name in the first of the addresses that has one."""
    return next((found[2] for url in urls if isinstance(url, str) and (found := _PROJECT.search(url[:500]))), "")
