"""How the bodies of a sender that alertsage knows nothing of are read: JMESPath expressions and value maps."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from receiver.errors import Refused

LONGEST = 4000
"""Characters of a picked text."""


@dataclass(frozen=True, slots=True)
class Pick:
    """One value out of a body."""

    path: str = ""
    """JMESPath; "" for the default alone."""
    whole: bool = False
    """True to look at the whole body, False at the alert's own part of it."""
    default: str | None = None
    """What it is when there is nothing at the path."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What the sender's words mean; a word that is not among them stays as it is."""

    def of(self, alert: Any, body: Any, where: str) -> Any:
        """The value as JSON has it, None when there is none. Raises Refused naming `where` if the path does not fit."""
        if not self.path:
            return self.default
        try:
            found = jmespath.search(self.path, body if self.whole else alert)
        except (JMESPathError, RecursionError) as error:
            raise Refused(f"{where} ({self.path}) cannot be read from this body: {_one_line(error)}") from None
        return self.default if found is None else found

    def text(self, alert: Any, body: Any, where: str) -> str:
        """The value as text, through the value map; "" when there is none. Raises Refused."""
        found = as_text(self.of(alert, body, where))
        return self.values.get(found, found)[:LONGEST]


@dataclass(frozen=True, slots=True)
class Test:
    """Whether a value is one of some words."""

    pick: Pick
    among: frozenset[str]

    def holds(self, alert: Any, body: Any, where: str) -> bool:
        """True when it is. Raises Refused."""
        return self.pick.text(alert, body, where) in self.among


@dataclass(frozen=True, slots=True)
class Layout:
    """What is found where. `alerts` leads to a list with a part for each alert; without it the body is one alert."""

    name: Pick
    alerts: str = ""
    fingerprint: tuple[Pick, ...] = ()
    resolved: Test | None = None
    ignore: Test | None = None
    fields: Mapping[str, Pick] = field(default_factory=dict)
    """title, message, severity, category, subject, starts_at, ends_at, users."""
    labels: Mapping[str, Pick] = field(default_factory=dict)
    facts: Mapping[str, Pick] = field(default_factory=dict)
    links: Mapping[str, Pick] = field(default_factory=dict)


def as_text(value: Any) -> str:
    """A JSON value as people write it; "" for null."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def mistake_in(path: str) -> str | None:
    """What is wrong with a JMESPath expression, in one phrase; None when nothing is."""
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        return _one_line(error)
    return None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
