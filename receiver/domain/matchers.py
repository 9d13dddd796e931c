"""Alertmanager's matchers: `name=value`, `!=`, `=~`, `!~`, as its two parsers read them (docs/silences.md).

What both parsers can read means what the classic one says, as in Alertmanager: the newer one reads what it alone can.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NoReturn

from receiver.domain.quoted import unquoted

Search = Callable[[str], object | None]
"""Looks for a pattern in a text; None when it is not there."""
Compile = Callable[[str], Search]
"""Makes one of a regular expression of linear time that all of a text has to fit. Raises ValueError with a sentence."""

OPERATORS = ("=", "!=", "=~", "!~")
_CLASSIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_CLASSIC = re.compile(r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*(.*)", re.DOTALL)
_GO_SPACE = "\t\n\f\r "
_SPACE = "".join(chr(code) for code in range(0x3001) if chr(code).isspace() and not 0x1C <= code <= 0x1F)
"""What Go takes for white space: Python has four control characters more."""
_RESERVED = "{}!=~,\\\"'`"


class Unreadable(ValueError):  # noqa: N818 - an answer to a person
    """Why a text is no matcher, in one sentence."""


@dataclass(frozen=True)
class Matcher:
    """One test of a label. A label that is missing has the empty text."""

    name: str
    operator: str
    """One of OPERATORS."""
    value: str
    search: Search | None = field(default=None, compare=False, repr=False)
    """Of `=~` and `!~`: the pattern, anchored."""

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether the test holds for an alert with these labels."""
        return self._holds(labels.get(self.name, ""))

    def _holds(self, text: str) -> bool:
        found = text == self.value if self.search is None else self.search(text) is not None
        return found is not self.operator.startswith("!")

    @property
    def pair(self) -> tuple[str, str] | None:
        """The label pair that an alert must have to fit, where it is but one."""
        return (self.name, self.value) if self.operator == "=" and self.value else None

    @property
    def wide(self) -> bool:
        """True when Alertmanager takes it for one that fits alerts without the label: `=` or `=~` with such a value."""
        return not self.operator.startswith("!") and self._holds("")

    @cached_property
    def text(self) -> str:
        """As it can be written, in quotes; `parse` reads the same of it."""
        name = self.name if _CLASSIC_NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.operator}{_quote(self.value)}"


def made(name: str, operator: str, value: str, compiled: Compile) -> Matcher:
    """The matcher of these parts. Raises Unreadable."""
    if not name:
        raise Unreadable("a matcher has no label name")
    if operator in ("=", "!="):
        return Matcher(name, operator, value)
    try:
        return Matcher(name, operator, value, compiled(value))
    except ValueError as error:
        raise Unreadable(f"{value[:200]!r} is no regular expression (RE2): {error}") from None


def parse(text: str, compiled: Compile) -> tuple[Matcher, ...]:
    """The matchers in the text: one, or several with commas between, perhaps in braces. Raises Unreadable.

    There are none in an empty text or empty braces.
    """
    newer: tuple[Matcher, ...] | Unreadable
    try:
        newer = tuple(_newer(text, compiled))
    except Unreadable as error:
        newer = error
    try:
        return tuple(_classic(text, compiled))
    except Unreadable as error:
        if isinstance(newer, Unreadable):
            raise (error if '"' in text or _CLASSIC.fullmatch(text) else newer) from None
        return newer


def all_wide(matchers: Sequence[Matcher]) -> bool:
    """True when nothing narrows what the matchers fit, by Alertmanager's own rule."""
    return all(matcher.wide for matcher in matchers)


def fit(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of them hold."""
    return all(matcher.fits(labels) for matcher in matchers)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


# --- the classic parser ---------------------------------------------------------------------------------------------


def _classic(text: str, compiled: Compile) -> Iterator[Matcher]:
    for part in _parts(text.removeprefix("{").removesuffix("}")):
        found = _CLASSIC.fullmatch(part)
        if found is None:
            raise Unreadable(f'{part.strip()[:200]!r} is not a matcher; write e.g. alertname="Down" or job=~"web.*"')
        name, operator, value = found.groups()
        yield made(name, operator, _classic_value(value.rstrip(_GO_SPACE)), compiled)


def _parts(text: str) -> Iterator[str]:
    """The text cut at commas outside of quotes. What a backslash does reaches over a comma, as it does there."""
    inside = escaped = False
    part: list[str] = []
    for character in text:
        if character == "," and not inside:
            yield "".join(part)
            part = []
            continue
        if character == '"':
            inside, escaped = (inside if escaped else not inside), False
        elif character == "\\":
            escaped = not escaped
        elif character != ",":
            escaped = False
        part.append(character)
    if last := "".join(part).strip(_SPACE):
        yield last


def _classic_value(raw: str) -> str:
    quoted = raw.startswith('"')
    rest = raw[1:] if quoted else raw
    made_of: list[str] = []
    place = 0
    while place < len(rest):
        character, last = rest[place], place == len(rest) - 1
        if character == "\\" and not last:
            place += 1
            made_of.append({"n": "\n", '"': '"', "\\": "\\"}.get(rest[place], "\\" + rest[place]))
        elif character == '"':
            if not (quoted and last):
                _unbalanced(raw)
            return "".join(made_of)
        else:
            made_of.append(character)
        place += 1
    if quoted:
        _unbalanced(raw)
    return "".join(made_of)


def _unbalanced(raw: str) -> NoReturn:
    raise Unreadable(f'{raw[:200]!r} has a double quote that is not escaped; write \\" for one inside quotes')


# --- the newer parser -----------------------------------------------------------------------------------------------


def _newer(text: str, compiled: Compile) -> Iterator[Matcher]:
    tokens = [*_tokens(text)]
    braces = tokens[:1] == ["{"]
    if braces:
        if tokens[-1] != "}" or len(tokens) < 2:
            raise Unreadable(f"{text[:200]!r} has an opening brace, but no closing one at its end")
        tokens = tokens[1:-1]
    while tokens:
        if len(tokens) < 3 or tokens[1] not in OPERATORS or not (_word(tokens[0]) and _word(tokens[2])):
            raise Unreadable(f'{text[:200]!r} is not a matcher; write e.g. alertname="Down" or job=~"web.*"')
        name, operator, value, *tokens = tokens
        yield made(_plain(name), operator, _plain(value), compiled)
        if tokens and tokens.pop(0) != ",":
            raise Unreadable(f"{text[:200]!r} needs a comma between two matchers")


def _word(token: str) -> bool:
    return token[0] == '"' or (token not in OPERATORS and token not in ("{", "}", ","))


def _plain(token: str) -> str:
    if token[0] != '"':
        return token
    try:
        return unquoted(token[1:-1])
    except ValueError as error:
        raise Unreadable(f"{token[:200]} {error}") from None


def _tokens(text: str) -> Iterator[str]:
    place = 0
    while place < len(text):
        begins, character = place, text[place]
        place += 1
        if character in _SPACE:
            continue
        if character in "=!":
            sign = text[begins : begins + 2]
            place += sign in OPERATORS
            if character == "!" and sign not in OPERATORS:
                raise Unreadable(f"{text[:200]!r} has a lone !; write != or !~")
        elif character == '"':
            place = _end_of_quoted(text, place)
        elif character not in _RESERVED:
            while place < len(text) and not (text[place] in _SPACE or text[place] in _RESERVED):
                place += 1
        elif character not in "{},":
            raise Unreadable(f"{text[:200]!r} has a {character} outside of double quotes")
        yield text[begins:place]


def _end_of_quoted(text: str, place: int) -> int:
    while place < len(text):
        if text[place] == '"':
            return place + 1
        place += 2 if text[place] == "\\" else 1
    raise Unreadable(f"{text[:200]!r} has a double quote that is never closed")
