"""Texts, commands and links with blanks, filled with an alert's own values so that no value can become syntax.

A blank is `{name}` or `{first|second|"else"}`: the first that the alert has is taken. Names are labels (`label.name`
for one that is called like something else here); `subject`, `name`, `metric`, `expr`, `query`, `value`, `threshold`,
`unit`; `LABEL.host` (a label's value without its port); `fact.NAME`, `annotation.NAME`. All other braces are text, and
those behind % and $ as well (curl's `%{http_code}`).
"""

import math
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import quote

from receiver.domain import querytext
from receiver.domain.enrichment import AlertView
from receiver.domain.words import unrendered

LONGEST_VALUE = 300
LONGEST_EXPRESSION = 2000
_BLANK = re.compile(r'(?<![%$])\{([A-Za-z_][\w.]*(?:\|(?:[A-Za-z_][\w.]*|"[^"{}]*"))*)\}')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
"""Control characters, and those that make a text look other than it is."""
_PLAIN = re.compile(r"[\w@%+:,./][\w@%+=:,./-]*", re.ASCII)
"""A value that means nothing to a shell; and no option either."""
_PLAINEST = re.compile(r"[\w:./][\w@+:./-]*", re.ASCII)
"""A value that means nothing to whatever else reads it: SQL, a second shell, PowerShell, psql's connection texts."""
_READ_TWICE = re.compile(
    r"\b(?:ssh|eval|watch|parallel)\b|\b(?:ba|da|k|z)?sh\s+-\w*c\b|\bsu\b.*\s-c\b|<<|`"
    r"|\bpowershell\b|-ComputerName\b|\b(?:Get|Set|Invoke|Start|Stop|Restart|Test|Resize|Resolve|Clear)-[A-Z]\w+"
)
"""Commands whose words a second shell reads again, texts in which quotes do not quote, and PowerShell, which has quotes
of its own."""
_CONNECTION = re.compile(r"\b(?:psql|pg_\w+|vacuumdb|reindexdb)\b.*\s(?:-d|--dbname)[\s=]*$")
"""What stands before a name that psql would take for a whole connection text, if it held a = or a ://."""
_ADDRESS = re.compile(r"https?://[\w.:/~%\[\]-]+")
"""An address to which a path can be added."""
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/]*@)?(\[[0-9a-fA-F:.]+\]|[^\s/:]+)(?::\d+)?(?:/.*)?", re.I)
_NAME_OR_NUMBER = re.compile(r"[A-Za-z_:][\w:]*|-?[0-9.]+(?:e[-+]?[0-9]+)?", re.ASCII)
_LEFT_OVER = re.compile(r"""["']\$\{?\w+\}?["']""")
"""A matcher whose value is a variable that nobody filled in."""
_COMMENT = re.compile(r"#[^\n\"']*(?=\n|$)")
_QUERIES = {"expr": "expression", "query": "promql"}
_FIELDS = ("name", "subject", "metric", "unit", "value", "threshold", "source")


@dataclass(frozen=True, slots=True)
class Blank:
    """A place to fill: the names to try, and what stands there when the alert has none of them."""

    names: tuple[str, ...]
    otherwise: str | None
    quoted: bool
    """True where a value cannot bring quotes of its own: inside quotes, or where more than a shell reads it."""
    connects: bool = False
    """True where a program would take an address for a place to go to, though a name is meant."""


class Phrase:
    """A text with blanks, as parts in order. It is taken apart at its first use: most of a book is never said."""

    __slots__ = ("_parts", "_text")

    def __init__(self, parts: tuple[str | Blank, ...] | None, text: str = "") -> None:
        self._parts = parts
        self._text = text

    @classmethod
    def of(cls, text: str) -> "Phrase":
        """Read a text with blanks."""
        return cls(None, text)

    @property
    def parts(self) -> tuple[str | Blank, ...]:
        """Texts and blanks."""
        if self._parts is None:
            self._parts = _taken_apart(self._text)
        return self._parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phrase) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    @property
    def names(self) -> set[str]:
        """All names that any blank tries."""
        return {name for part in self.parts if isinstance(part, Blank) for name in part.names}

    def plain(self, values: "Values") -> str | None:
        """For people to read; None when a blank cannot be filled."""
        return self._fill(values, None)

    def shell(self, values: "Values") -> str | None:
        """For a shell to run; None when a blank cannot be filled safely."""
        return self._fill(values, _shell)

    def promql(self, values: "Values") -> str | None:
        """For Prometheus to evaluate; None when a blank cannot be filled safely."""
        filled = ""
        for part in self.parts:
            text = part if isinstance(part, str) else _filled(part, values, partial(_promql, before=filled))
            if text is None:
                return None
            filled += text
        return filled

    def url(self, values: "Values", more: str = "") -> str | None:
        """An address, with `more` behind it as it is; None when a blank cannot be filled or it is not http or https.

        Values are encoded, but for one at the very beginning that is a web address by itself.
        """
        first = next((part for part in self.parts if part != ""), None)
        found = self._fill(values, lambda value, blank: _address(value) if blank is first else quote(value, safe=""))
        return found + more if found is not None and found.startswith(("http://", "https://")) else None

    def _fill(self, values: "Values", safe: Callable[[str, Blank], str | None] | None) -> str | None:
        filled: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                filled.append(part)
                continue
            text = _filled(part, values, safe)
            if text is None:
                return None
            filled.append(text)
        return "".join(filled)


def _filled(blank: Blank, values: "Values", safe: Callable[[str, Blank], str | None] | None) -> str | None:
    """What stands in the blank, None when nothing can. What a program reads is taken whole or not at all."""
    for name in blank.names:
        value = values[name]
        if value:
            if safe is None:
                return value
            cut = len(value) == LONGEST_VALUE and name not in _QUERIES
            return None if cut else safe(value, blank)
    return blank.otherwise


def _taken_apart(text: str) -> tuple[str | Blank, ...]:
    parts: list[str | Blank] = []
    at = 0
    twice = _READ_TWICE.search(text) is not None
    for found in _BLANK.finditer(text):
        parts.append(text[at : found.start()])
        before = text[: found.start()]
        connects = _CONNECTION.search(before) is not None
        parts.append(_blank(found[1], twice or connects or _within_quotes(before), connects))
        at = found.end()
    return (*parts, text[at:])


class Values(dict[str, str]):
    """What an alert has under each name a blank may ask for, looked up once."""

    def __init__(self, view: AlertView) -> None:
        super().__init__()
        self._view = view

    def __missing__(self, name: str) -> str:
        found = self[name] = value_of(self._view, name)
        return found


def value_of(view: AlertView, name: str) -> str:
    """What the alert has under that name, on one line and bounded; "" when nothing."""
    if name.startswith("fact."):
        found = view.facts.get(name[5:])
    elif name.startswith("label."):
        found = view.labels.get(name[6:])
    elif name.startswith("annotation."):
        found = view.annotations.get(name[11:])
    elif name in _QUERIES:
        return _query(view.facts.get(_QUERIES[name]))
    elif name in _FIELDS:
        found = getattr(view, name)
    elif name.endswith(".host"):
        found = _host(view.labels.get(name[:-5], ""))
    else:
        found = view.labels.get(name)
    if (
        found is None
        or isinstance(found, dict | list | tuple)
        or (isinstance(found, float) and not math.isfinite(found))
    ):
        return ""
    text = f"{found:g}" if isinstance(found, float) else str(found)
    if unrendered(text):
        return ""
    return (text if text.isprintable() else _CONTROL.sub(" ", text)).strip()[:LONGEST_VALUE]


def _query(fact: object) -> str:
    """An expression on one line, whole or not at all: a part of it would say something else."""
    found = str(fact or "")
    if len(found) > LONGEST_EXPRESSION or unrendered(found) or _LEFT_OVER.search(found):
        return ""
    # On one line the rest of a comment would swallow what follows it.
    return _CONTROL.sub(" ", _COMMENT.sub(" ", found)).strip()


def _host(instance: str) -> str:
    """`db-1` of `db-1:9100`, `redis://db-1:6379` and `https://db-1/path`; `[::1]` keeps its brackets."""
    found = _HOST.fullmatch(instance)
    return found[1] if found else ""


def _within_quotes(before: str) -> bool:
    """True when a shell that has read so far waits for the end of a quotation."""
    quote = ""
    escaped = False
    for character in before:
        if escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
    return bool(quote) or escaped


def _blank(inside: str, quoted: bool, connects: bool) -> Blank:
    names, otherwise = [], None
    for choice in re.findall(r'"[^"]*"|[^|]+', inside):
        if choice.startswith('"'):
            otherwise = choice[1:-1]
        else:
            names.append(choice)
    return Blank(tuple(names), otherwise, quoted, connects)


def _address(value: str) -> str | None:
    return value if _ADDRESS.fullmatch(value) else None


def _promql(value: str, blank: Blank, before: str) -> str | None:
    """Within quotes a text, else a name, a number, or what is PromQL already."""
    at = querytext.place(before)
    if at != "bare":
        return querytext.written(value, at)
    if set(blank.names) <= _QUERIES.keys():
        return value
    return value if _NAME_OR_NUMBER.fullmatch(value) else None


def _shell(value: str, blank: Blank) -> str | None:
    if blank.connects and "://" in value:
        return None
    if (_PLAINEST if blank.quoted else _PLAIN).fullmatch(value):
        return value
    if blank.quoted or value.startswith("-"):
        return None
    return shlex.quote(value)
