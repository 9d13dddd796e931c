"""The search language: `priority:critical label.namespace=shop "disk" age>1h` as values (docs/search.md).

Pure: what the words mean is decided here, `now` is an argument; the store turns the terms into SQL.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import cast

from receiver.domain.searchterms import (
    CHOICES,
    Among,
    Compared,
    Figure,
    Label,
    Sign,
    Term,
    Words,
    moment,
    number,
    priorities,
    since,
    values,
)
from receiver.domain.times import Instant

LONGEST = 1000
"""Characters of a search."""
MOST_TERMS = 30
MOST_VALUES = 50
"""Of one field."""


class Unreadable(ValueError):  # noqa: N818 - an answer to a person, not a fault of ours
    """The text is no search: `sentence` says what is wrong and what to write instead, `at` where, counted from 0."""

    def __init__(self, sentence: str, at: int) -> None:
        super().__init__(f"{sentence} (at character {at + 1} of the search)")
        self.sentence = sentence
        self.at = at


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: every term must hold. Without terms it is everything."""

    terms: tuple[Term, ...] = ()


class Sort(StrEnum):
    """The order of a list; what is equal there comes newest first."""

    NEWEST = "newest"
    PRIORITY = "priority"
    """Most urgent first."""
    STARTED = "started_at"
    """Latest first, as the next ones."""
    SEEN = "last_seen_at"
    COUNT = "notification_count"


def parse(text: str, now: Instant) -> Search:
    """Read a search. Raises Unreadable for the first mistake in it. An empty one finds everything.

    Regular expressions are not compiled here: `Label.at` says where one stands if it turns out to be none.
    """
    if len(text) > LONGEST:
        raise Unreadable(f"a search has at most {LONGEST} characters", LONGEST)
    reader, terms = _Reader(text, now), list[Term]()
    while (term := reader.term()) is not None:
        if len(terms) == MOST_TERMS:
            raise Unreadable(f"a search has at most {MOST_TERMS} terms", reader.began)
        terms.append(term)
    return Search(tuple(terms))


_SPACE, _BARE, _LISTED = re.compile(r"\s*"), re.compile(r"\S*"), re.compile(r'[^\s,"]*')
_HEAD = re.compile(r'(label\."(?:[^"\\]|\\.)*"|[^\W\d][\w./-]*)(=~|!~|!=|>=|<=|=|>|<|:(?!//))', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\(["\\])')
_SIGNS = frozenset(("=~", "!~", "!=", ">=", "<=", "=", ">", "<", ":"))
_AGES: Mapping[str, Figure] = {"age": "started_at", "seen": "last_seen_at"}
_MOMENTS: Mapping[str, Figure] = {"started": "started_at", "ended": "ended_at"}
_COMPARED = ("priority", *_AGES, *_MOMENTS, "count")
FIELDS = (*CHOICES, *_COMPARED[1:])
"""All that can be asked for by name, besides label.NAME."""
_TURNED: Mapping[str, Sign] = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
QUOTE = "quote it to look for the text"


class _Reader:
    """Reads one term after the other."""

    def __init__(self, text: str, now: Instant) -> None:
        self._text, self._now, self._at = text, now, 0
        self.began = 0
        """Where the term that was read last begins."""

    def term(self) -> Term | None:
        """The next one; None at the end."""
        negated = False
        while True:
            self._taken(_SPACE)
            self.began = self._at
            word = self._ahead()
            if not word and negated:
                raise Unreadable(f"something is missing behind the `not`; {QUOTE}", self._at)
            if not word:
                return None
            if word.lower() not in ("and", "not"):
                break
            negated = negated is not (word.lower() == "not")
            self._at += len(word)
        if word[0] == "-":
            if len(word) == 1:
                raise Unreadable("put what must not be there right behind the `-`: -disk", self._at)
            self._at += 1
            return self._positive(word[1:], not negated)
        return self._positive(word, negated)

    def _positive(self, word: str, negated: bool) -> Term:
        if word.lower() == "or" or word[0] == "(":
            what = "there is no `or`" if word[0] != "(" else "there are no parentheses"
            raise Unreadable(f"{what}: a field takes several values, priority:critical,high; {QUOTE}", self.began)
        if word[0] == '"':
            return self._words(self._quoted(), negated)
        if word in _SIGNS:
            raise Unreadable(f"there is no space before or behind a {word}: job=web; {QUOTE}", self.began)
        head = _HEAD.match(self._text, self._at)
        if head is None or (head[2] == ":" and not head[1].isidentifier()):
            return self._words(self._taken(_BARE), negated)
        self._at = head.end()
        name, sign = head[1], head[2]
        if sign == ":":
            return self._among(name.lower(), negated)
        if sign in ("<", "<=", ">", ">=") or (name.lower() == "count" and sign in ("=", "!=")):
            return self._compared(name.lower(), sign, negated)
        return self._label(name, sign, negated)

    # --- terms ------------------------------------------------------------------------------------------------------

    def _words(self, text: str, negated: bool) -> Words:
        if not text.strip():
            raise Unreadable("there is nothing between these quotes", self.began)
        return Words(text, negated)

    def _among(self, name: str, negated: bool) -> Among:
        if name not in CHOICES:
            raise Unreadable(f"{name[:40]}: is no field; {_instead(name)}, or {QUOTE}", self.began)
        found = dict[str, None]()
        while True:
            at, quoted = self._at, self._text[self._at : self._at + 1] == '"'
            written = self._quoted(spaced=False) if quoted else self._taken(_LISTED)
            if not written and not quoted:
                raise Unreadable(f"a value is missing behind {name}:", at)
            with self._place(at):
                found |= dict.fromkeys(values(name, written, quoted=quoted))
            if self._text[self._at : self._at + 1] != ",":
                break
            self._at += 1
        self._ends()
        if len(found) > MOST_VALUES:
            raise Unreadable(f"{name} has more than {MOST_VALUES} values", self.began)
        return Among(name, tuple(found), negated)

    def _compared(self, name: str, sign: str, negated: bool) -> Term:
        if name not in _COMPARED:
            close = get_close_matches(name, _COMPARED, 1)
            hint = f"did you mean {close[0]}{sign}?" if close else f"there is {', '.join(_COMPARED)}"
            raise Unreadable(f"{name[:40]} cannot be compared; {hint}, or {QUOTE}", self.began)
        at, written = self._at, self._taken(_BARE)
        with self._place(at):
            if name == "priority":
                return Among("priority", priorities(sign, written), negated)
            if name == "count":
                told = cast("Sign", "=" if sign == "!=" else sign)
                return Compared("notification_count", told, number(written), negated is not (sign == "!="))
            if name in _AGES:  # the older, the earlier
                return Compared(_AGES[name], _TURNED[sign], since(name, written, self._now), negated)
            return Compared(_MOMENTS[name], cast("Sign", sign), moment(name, written), negated)

    def _label(self, written: str, sign: str, negated: bool) -> Label:
        name = written.removeprefix("label.")
        if name.startswith('"'):
            name = _plain(name[1:-1])
        elif name == written and name.lower() in FIELDS:
            mark = ":" if name.lower() in CHOICES else ">"
            raise Unreadable(f"write {name}{mark} for the field, label.{name}{sign} for the label", self.began)
        if not name:
            raise Unreadable(f"the label's name is missing: label.NAME{sign}", self.began)
        at = self._at
        value = self._quoted() if self._text[at : at + 1] == '"' else self._taken(_BARE)
        return Label(name, value, negated is not (sign[0] == "!"), sign[-1] == "~", at)

    # --- characters -------------------------------------------------------------------------------------------------

    def _ahead(self) -> str:
        return self._match(_BARE)[0]

    def _taken(self, pattern: re.Pattern[str]) -> str:
        found = self._match(pattern)
        self._at = found.end()
        return found[0]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        found = pattern.match(self._text, self._at)
        assert found is not None  # noqa: S101 - these patterns fit nothing, too
        return found

    def _quoted(self, *, spaced: bool = True) -> str:
        found = _QUOTED.match(self._text, self._at)
        if found is None:
            raise Unreadable('this quote is never closed: put " behind its text', self._at)
        self._at = found.end()
        if spaced:
            self._ends()
        return _plain(found[1])

    def _ends(self) -> None:
        if self._at < len(self._text) and not self._text[self._at].isspace():
            raise Unreadable("a space is missing here", self._at)

    @contextmanager
    def _place(self, at: int) -> Iterator[None]:
        """Say of a mistake where it is."""
        try:
            yield
        except ValueError as mistake:
            raise Unreadable(str(mistake), at) from None


def _instead(name: str) -> str:
    """What to write for a field that is none."""
    if name in FIELDS:
        return f"it is compared: {name}>{ {'count': '10', 'age': '1h', 'seen': '1h'}.get(name, '2026-01-31') }"
    close = get_close_matches(name, CHOICES, 1)
    return f"did you mean {close[0]}:?" if close else f"for a label write label.{name[:40]}=…"


def _plain(quoted: str) -> str:
    """Only quotes and backslashes are escaped, so that the backslashes of regular expressions need not be."""
    return _ESCAPE.sub(r"\1", quoted)
