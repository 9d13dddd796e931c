"""The grammar of `when:`, the same for all kinds of rules. See docs/rules.md."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import re2

from receiver.domain.conditions import FIGURES, NUMBERS, TEXTS, Condition, Every, Matcher, Number, Some, Text
from receiver.domain.sieve import Search

_TEST = re.compile(r"\s*([A-Za-z_][^\s=!<>~]*)\s*(=~|!~|!=|>=|<=|=|>|<)\s*(.*?)\s*", re.DOTALL)
_PREFIXES = ("label.", "annotation.", "fact.")
LONGEST_PATTERN = 2000
_FLAGS = re.compile(r"(?:\(\?[imsU]+\))+")


def _options(megabytes: int) -> re2.Options:
    made = re2.Options()
    made.max_mem = megabytes * 2**20
    made.log_errors = False
    made.dot_nl = True
    return made


_OPTIONS = _options(8)
_TOGETHER = (24, 64, 512)
"""Megabytes for a set and the states it remembers: what the shipped book needs to be quick (with half of it three times
as slow), and more for larger ones."""


class Unclear(Exception):  # noqa: N818 - becomes a Mistake where file and line are known
    """Why a condition cannot be read, and where inside it."""

    def __init__(self, path: tuple[str | int, ...], sentence: str) -> None:
        super().__init__(sentence)
        self.path = path
        self.sentence = sentence


def condition(written: Any, path: tuple[str | int, ...] = ()) -> Condition:
    """What is written under `when:`, compiled. Raises Unclear."""
    if isinstance(written, str):
        return _test(written, path)
    if isinstance(written, list):
        return Every(_parts(written, path))
    if isinstance(written, dict) and len(written) == 1:
        (word, inside), *_ = written.items()
        if word in ("all", "any", "none") and isinstance(inside, list) and inside:
            parts = _parts(inside, (*path, word))
            return Every(parts) if word == "all" else Some(parts, negated=word == "none")
    raise Unclear(
        path, 'is not a condition; write a test like name = "Down", or one of all, any, none with a list of them'
    )


def _parts(written: list[Any], path: tuple[str | int, ...]) -> tuple[Condition, ...]:
    return tuple(condition(part, (*path, number)) for number, part in enumerate(written))


def _test(written: str, path: tuple[str | int, ...]) -> Condition:
    found = _TEST.fullmatch(written)
    if found is None:
        raise Unclear(path, f'{written[:80]!r} is not a test; write e.g. metric =~ "node_.*" or value > 5')
    field, sign, right = found.groups()
    _known(field, sign, path)
    if sign == "=" and written[found.end(2) :].startswith("="):
        raise Unclear(path, f"{written[:80]!r} is not a test; write = instead of ==")
    if sign in NUMBERS:
        try:
            return Number(field, sign, float(right))
        except ValueError:
            raise Unclear(path, f"{right[:40]!r} is not a number to compare {field} with") from None
    text = _unquoted(right, path)
    if sign in ("=", "!="):
        return Text(field, sign == "!=", equals=text)
    return Text(field, sign == "!~", pattern=compiled(text, path), written=text)


def _known(field: str, sign: str, path: tuple[str | int, ...]) -> None:
    if field.startswith(_PREFIXES) and len(field) > len(field.split(".", maxsplit=1)[0]) + 1:
        if sign in NUMBERS and not field.startswith("fact."):
            raise Unclear(path, f"{field} is a text: use =, !=, =~ or !~")
        return
    fields = FIGURES if sign in NUMBERS else TEXTS
    if field not in fields:
        close = get_close_matches(field, [*fields, *_PREFIXES], 1)
        hint = (
            f"did you mean {close[0]}?"
            if close
            else f"there is {', '.join((*fields, *(p + 'NAME' for p in _PREFIXES)))}"
        )
        raise Unclear(path, f"{field[:60]!r} cannot be tested with {sign}; {hint}")


def _unquoted(right: str, path: tuple[str | int, ...]) -> str:
    if len(right) >= 2 and right[0] == right[-1] and right[0] in "\"'":
        return right[1:-1]
    if not right or any(character in right for character in "\"' \t\n"):
        raise Unclear(path, f"{right[:60]!r} needs quotes around it")
    return right


class _Pattern:
    """An anchored RE2 pattern over any text, newlines included, compiled at its first use.

    Most of a book's patterns are never tried, and compiled they take more memory than all else of it.
    """

    __slots__ = ("_made", "_written")

    def __init__(self, written: str) -> None:
        self._written = written
        self._made: Any = None

    def fullmatch(self, text: str) -> object | None:
        """See Matcher."""
        if self._made is None:
            self._made = re2.compile(self._written, _OPTIONS)
        found: object | None = self._made.fullmatch(text)
        return found


def compiled(pattern: str, path: tuple[str | int, ...]) -> Matcher:
    """A pattern that is known to be one. Raises Unclear."""
    if len(pattern) > LONGEST_PATTERN:
        raise Unclear(path, f"the pattern is longer than {LONGEST_PATTERN} characters")
    try:
        re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        raise Unclear(path, f"{pattern[:80]!r} is not an RE2 pattern: {_words(error)}") from None
    return _Pattern(pattern)


def together(patterns: Sequence[str]) -> Search:
    """Compiled patterns as one search, in linear time.

    It may find a pattern that does not fit after all, never miss one that fits: open ends (`.*`) are left out, because
    with them the search would keep one state for each combination of patterns.
    """
    for megabytes in _TOGETHER:
        made = re2.Set.SearchSet(_options(megabytes))
        for pattern in patterns:
            made.Add(_searched(pattern))
        try:
            made.Compile()
        except re2.error:  # too large for so little memory
            continue
        return lambda text: made.Match(text) or ()
    return lambda _: range(len(patterns))


def _searched(pattern: str) -> str:
    flags = _FLAGS.match(pattern)
    kept = flags[0] if flags else ""
    inside = pattern[len(kept) :]
    opens = inside.startswith(".*") and not inside.startswith((".*?", ".*+"))
    inside = inside[2:] if opens else inside
    closes = inside.endswith(".*") and not inside.endswith("\\.*")
    inside = inside[:-2] if closes else inside
    return f"{kept}{'' if opens else chr(92) + 'A'}(?:{inside}){'' if closes else chr(92) + 'z'}"


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
