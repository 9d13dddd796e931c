"""Texts, commands and links with blanks, filled with an alert's own values so that no value can become syntax.

A blank is `{name}` or `{first|second|"else"}`: the first that the alert has is taken. Names are labels; `subject`,
`name`, `metric`, `expr`, `value`, `threshold`, `unit`; `fact.NAME`, `annotation.NAME`. All other braces are text.
"""

import math
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from receiver.domain.enrichment import AlertView

LONGEST_VALUE = 300
LONGEST_EXPRESSION = 2000
_BLANK = re.compile(r'\{([A-Za-z_][\w.]*(?:\|(?:[A-Za-z_][\w.]*|"[^"{}]*"))*)\}')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_PLAIN = re.compile(r"[\w@%+=:,./][\w@%+=:,./-]*")
"""A value that means nothing to a shell, to SQL or to PromQL, quoted or not; and no option either."""
_FIELDS = ("name", "subject", "metric", "unit", "value", "threshold", "source")


@dataclass(frozen=True, slots=True)
class Blank:
    """A place to fill: the names to try, and what stands there when the alert has none of them."""

    names: tuple[str, ...]
    otherwise: str | None
    quoted: bool
    """True inside quotes, where a value cannot bring quotes of its own."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text with blanks, as parts in order."""

    parts: tuple[str | Blank, ...]

    @classmethod
    def of(cls, text: str) -> "Phrase":
        """Read a text with blanks."""
        parts: list[str | Blank] = []
        at = 0
        for found in _BLANK.finditer(text):
            parts.append(text[at : found.start()])
            parts.append(_blank(found[1], text[: found.start()]))
            at = found.end()
        return cls((*parts, text[at:]))

    @property
    def names(self) -> set[str]:
        """All names that any blank tries."""
        return {name for part in self.parts if isinstance(part, Blank) for name in part.names}

    def plain(self, view: AlertView) -> str | None:
        """For people to read; None when a blank cannot be filled."""
        return self._fill(view, lambda value, _: value)

    def shell(self, view: AlertView) -> str | None:
        """For a shell to run; None when a blank cannot be filled safely."""
        return self._fill(view, _shell)

    def url(self, view: AlertView) -> str | None:
        """An address; None when a blank cannot be filled or it is not http or https."""
        found = self._fill(view, lambda value, _: quote(value, safe=""))
        return found if found is not None and found.startswith(("http://", "https://")) else None

    def _fill(self, view: AlertView, safe: Callable[[str, Blank], str | None]) -> str | None:
        filled = []
        for part in self.parts:
            if isinstance(part, str):
                filled.append(part)
                continue
            value = next((found for name in part.names if (found := value_of(view, name))), None)
            text = part.otherwise if value is None else safe(value, part)
            if text is None:
                return None
            filled.append(text)
        return "".join(filled)


def value_of(view: AlertView, name: str) -> str:
    """What the alert has under that name, on one line and bounded; "" when nothing."""
    if name.startswith("fact."):
        found = view.facts.get(name[5:])
    elif name.startswith("annotation."):
        found = view.annotations.get(name[11:])
    elif name == "expr":
        return _expression(view)
    elif name in _FIELDS:
        found = getattr(view, name)
    else:
        found = view.labels.get(name)
    if found is None or isinstance(found, dict | list) or (isinstance(found, float) and not math.isfinite(found)):
        return ""
    text = f"{found:g}" if isinstance(found, float) else str(found)
    return (text if text.isprintable() else _CONTROL.sub(" ", text)).strip()[:LONGEST_VALUE]


def _expression(view: AlertView) -> str:
    """The rule's expression on one line, whole or not at all: a part of it would say something else."""
    found = str(view.facts.get("expression") or "")
    return _CONTROL.sub(" ", found).strip() if len(found) <= LONGEST_EXPRESSION else ""


def _blank(inside: str, before: str) -> Blank:
    names, otherwise = [], None
    for choice in re.findall(r'"[^"]*"|[^|]+', inside):
        if choice.startswith('"'):
            otherwise = choice[1:-1]
        else:
            names.append(choice)
    quoted = before.count("'") % 2 == 1 or before.count('"') % 2 == 1
    return Blank(tuple(names), otherwise, quoted)


def _shell(value: str, blank: Blank) -> str | None:
    if _PLAIN.fullmatch(value):
        return value
    if blank.quoted or value.startswith("-"):
        return None
    return shlex.quote(value)
