"""Takes facts out of an alert's texts by regular expressions (RE2: linear in time, whatever the text holds)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import re2
from pydantic import AfterValidator, Field, PlainValidator

from enrichers.api import Context, Problem
from receiver.domain.enrichment import AlertView, Enrichment, own_fact

LONGEST_PATTERN = 2000
LONGEST_TEXT = 64 * 2**10
"""Characters of one text that are looked at."""
LONGEST_VALUE = 300
MEMORY = 8 * 2**20
"""Bytes of one pattern at work; RE2 refuses a pattern that needs more."""
_WHOLE = ("title", "message", "name", "subject", "annotations", "labels", "facts")
_ONE = ("annotation.", "label.", "fact.")


def _compiled(written: object) -> Any:
    if not isinstance(written, str) or not 0 < len(written) <= LONGEST_PATTERN:
        raise ValueError(f"must be a text of 1 to {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    try:
        made = re2.compile(written, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        words = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"is not an RE2 pattern: {words}") from None
    if not made.groupindex:
        raise ValueError("names no group: write (?P<order>[0-9]+) for what is to become the fact order")
    for name in made.groupindex:
        own_fact(name)
    return made


def _place(name: str) -> str:
    if name in _WHOLE or (name.startswith(_ONE) and name.partition(".")[2]):
        return name
    raise ValueError(f"is none of {', '.join(_WHOLE)}, annotation.NAME, label.NAME, fact.NAME")


Pattern = Annotated[Any, PlainValidator(_compiled)]
Place = Annotated[str, AfterValidator(_place)]


@dataclass(kw_only=True)
class Extract:
    """`patterns`: RE2 with named groups; what a group matches first becomes the fact of its name. `texts`: where to
    look, in this order.
    """

    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1, max_length=50)]
    texts: Annotated[tuple[Place, ...], Field(min_length=1, max_length=20)] = ("title", "message", "annotations")

    def __post_init__(self) -> None:
        names = [name for pattern in self.patterns for name in pattern.groupindex]
        if len(set(names)) > 100:
            raise Problem("the patterns name more than 100 groups")

    def __call__(self, alert: AlertView, _context: Context) -> Enrichment | None:
        """The facts that the patterns name; None when none matches."""
        texts = [text[:LONGEST_TEXT] for place in self.texts for text in _texts(alert, place)]
        facts: dict[str, str] = {}
        for pattern in self.patterns:
            for text in texts:
                if (found := pattern.search(text)) is not None:
                    for name, value in found.groupdict().items():
                        if value:
                            facts.setdefault(name, " ".join(value.split())[:LONGEST_VALUE])
                    break
        return Enrichment(facts=facts) if facts else None


def _texts(alert: AlertView, place: str) -> list[str]:
    kind, _, name = place.partition(".")
    if name:
        found = _NAMED[kind](alert).get(name)
        return [] if found is None else [_text(found)]
    if place in ("annotations", "labels", "facts"):
        return [_text(found) for found in _NAMED[place.removesuffix("s")](alert).values()]
    return [_text(getattr(alert, place) or "")]


def _text(found: Any) -> str:
    """A fact as text: a list with one item a line."""
    return "\n".join(map(str, found)) if isinstance(found, list | tuple) else str(found)


_NAMED: Mapping[str, Callable[[AlertView], Mapping[str, Any]]] = {
    "annotation": lambda alert: alert.annotations,
    "label": lambda alert: alert.labels,
    "fact": lambda alert: alert.facts,
}
