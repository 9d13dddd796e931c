"""Addresses and queries with blanks, filled with an alert's own values so that none becomes syntax.

Blanks are those of the rule book: `{label}`, `{first|second|"else"}`, `{fact.NAME}`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import PlainValidator

from enrichers.api import Problem
from enrichers.live.service import web_address
from receiver.domain import querytext
from receiver.domain.phrases import Phrase, Values

LONGEST = 4000
"""Characters of a query as it is written."""
_FIXED = re.compile(r"https?://[^/?#{}]+")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_OPERATORS = frozenset({"and", "or", "not", "unless", "to"})

Place = querytext.Place | Literal["alone"]
"""Alone: a blank that is all of a parameter."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a server that is named in it, with blanks in its path, for a link also behind it."""

    text: str
    phrase: Phrase

    @classmethod
    def asked(cls, written: object) -> "Address":
        """One that is asked: blanks stand in its path only, parameters have places of their own. Raises ValueError."""
        made = cls.link(written)
        if "#" in made.text:
            raise ValueError("has a part behind #, which no server ever sees")
        _, mark, behind = made.text.partition("?")
        if mark and Phrase.of(behind).names:
            raise ValueError("has a blank behind the ?; write what stands there under params")
        return made

    @classmethod
    def link(cls, written: object) -> "Address":
        """One that is shown. Raises ValueError."""
        if not isinstance(written, str):
            raise ValueError("must be text")  # noqa: TRY004 - pydantic reads ValueError
        phrase = Phrase.of(written)
        begin = _FIXED.match(written)
        first = next(iter(phrase.parts))
        fixed = first if isinstance(first, str) else ""
        if begin is None or (phrase.names and len(fixed) <= begin.end()):
            raise ValueError("must begin with http:// or https://, a server and a /; blanks stand behind that")
        web_address("".join(part if isinstance(part, str) else part.otherwise or "" for part in phrase.parts))
        if _leaves(urlsplit(written).path):
            raise ValueError("must not hold . or .. as a part of its path")
        return cls(written, phrase)

    def fill(self, values: Values) -> str | None:
        """The address for one alert; None when a blank cannot be filled. Raises Problem for a value that leaves it."""
        found = self.phrase.url(values)
        if found is not None and _leaves(unquote(urlsplit(found).path)):
            raise Problem(f"a value of this alert would lead out of {self.text.partition('?')[0]}; it is not asked for")
        return found


@dataclass(frozen=True, slots=True)
class Query:
    """A text in some query language (PromQL, LogQL, Lucene), or a whole parameter, with blanks."""

    text: str
    parts: tuple[str | tuple[Place, Phrase], ...]

    @classmethod
    def of(cls, written: object) -> "Query":
        """Read a text with blanks; a number is a text as well. Raises ValueError."""
        if isinstance(written, bool) or not isinstance(written, str | int | float):
            raise ValueError("must be text or a number")  # noqa: TRY004 - pydantic reads ValueError
        text = str(written)
        if len(text) > LONGEST:
            raise ValueError(f"is longer than {LONGEST} characters")
        phrase = Phrase.of(text)
        pieces = [part for part in phrase.parts if part != ""]
        before = ""
        parts: list[str | tuple[Place, Phrase]] = []
        for part in pieces:
            if isinstance(part, str):
                parts.append(part)
                before += part
            else:
                parts.append(("alone" if len(pieces) == 1 else querytext.place(before), Phrase((part,))))
        return cls(text, tuple(parts))

    def fill(self, values: Values) -> str | None:
        """The text for one alert; None when a blank cannot be filled. Raises Problem for a value that cannot stand."""
        filled: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                filled.append(part)
                continue
            place, phrase = part
            value = phrase.plain(values)
            if value is None:
                return None
            filled.append(_encoded(value, place, phrase))
        return "".join(filled)


def _encoded(value: str, place: Place, phrase: Phrase) -> str:
    if place == "alone":
        return value
    if place == "bare":
        if _WORD.fullmatch(value) and value.lower() not in _OPERATORS:
            return value
        blank = "|".join(sorted(phrase.names))
        raise Problem(f'{{{blank}}} holds more than letters, digits and _ here: put it into "double quotes"')
    return querytext.written(value, place)


def _leaves(path: str) -> bool:
    """True when a server that takes `.` and `..` literally would go elsewhere."""
    return any(part in (".", "..") for part in re.split(r"[/\\]", path))


AskedAddress = Annotated[Address, PlainValidator(Address.asked)]
"""A setting."""
LinkAddress = Annotated[Address, PlainValidator(Address.link)]
"""A setting."""
QueryText = Annotated[Query, PlainValidator(Query.of)]
"""A setting."""


def filled(params: Mapping[str, Query], values: Values) -> list[tuple[str, str]] | None:
    """The parameters for one alert; None when one cannot be filled."""
    found = [(name, query.fill(values)) for name, query in params.items()]
    return None if any(value is None for _, value in found) else [(name, value or "") for name, value in found]
