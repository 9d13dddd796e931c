"""Asks a web service about the thing of an alert: JSON by JMESPath, or lines of text, into facts and links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated, Any, Literal

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field, StringConstraints

from enrichers.api import Context, JMESPath, Problem
from enrichers.live.blanks import AskedAddress, LinkAddress, QueryText, filled
from enrichers.live.service import Service, document, shown
from receiver.domain.addresses import NEEDED, usable
from receiver.domain.enrichment import AlertView, Enrichment, Link, own_fact
from receiver.domain.phrases import Values
from receiver.domain.times import MILLISECOND, SECOND, Instant, rfc3339, span

MOST_FACTS = 20
MOST_LINKS = 20
"""Of an alert from one enricher."""
LONGEST_LINE = 500
"""Characters of one text; longer ones are cut."""
_UNFIT = (JMESPathError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def _not_too_long(length: timedelta) -> timedelta:
    if not timedelta(seconds=1) <= length <= timedelta(days=30):
        raise ValueError("must be from 1s to 30d")
    return length


Title = Annotated[str, StringConstraints(min_length=1, max_length=100)]
FactName = Annotated[Title, AfterValidator(own_fact)]
Lines = Annotated[int, Field(strict=True, ge=1, le=100)]


@dataclass(kw_only=True)
class Http(Service):
    """`url`: what is asked, blanks in its path; `params`: what stands behind the ?, with blanks. `format`: json, or
    text, which is read as a list of its lines. `facts`: name -> JMESPath in the answer. `links`: title -> JMESPath of
    an address in it. `pages`: title -> address with blanks, linked when the answer held anything. `lines`: how much of
    a list is kept. `window`: how long before the alert `{from.s}` lies.
    """

    url: AskedAddress
    params: dict[str, QueryText] = field(default_factory=dict)
    format: Literal["json", "text"] = "json"
    facts: Annotated[dict[FactName, JMESPath], Field(max_length=MOST_FACTS)] = field(default_factory=dict)
    links: Annotated[dict[Title, JMESPath], Field(max_length=MOST_LINKS)] = field(default_factory=dict)
    pages: Annotated[dict[Title, LinkAddress], Field(max_length=MOST_LINKS)] = field(default_factory=dict)
    lines: Lines = 10
    window: Annotated[timedelta, AfterValidator(_not_too_long)] = timedelta(minutes=15)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.facts and not self.links:
            raise Problem("takes nothing out of the answer: set facts, or links")
        if len(self.links) + len(self.pages) > MOST_LINKS:
            raise Problem(f"links and pages are more than {MOST_LINKS} together")

    async def __call__(self, alert: AlertView, context: Context) -> Enrichment | None:
        """What the answer holds; None when the alert lacks a value to ask with, or the answer holds nothing of it."""
        values = Values(alert)
        values.update(self._moments(alert, context.now))
        address, params = self.url.fill(values), filled(self.params, values)
        if address is None or params is None:
            return None
        answer = self._decoded(await self.ask(context, address, params), shown(address))
        facts = self._facts(answer)
        problems: list[str] = []
        links = _links(
            {f"links.{title}": partial(_address, path, answer) for title, path in self.links.items()}, problems
        )
        if not facts and not links:
            if problems:
                raise Problem("; ".join(problems))
            return None
        links += _links({f"pages.{title}": partial(page.fill, values) for title, page in self.pages.items()}, problems)
        for why in problems:
            context.log.warning("%s: %s; the link is left out", shown(address), why)
        return Enrichment(facts=facts, links=tuple(links))

    def _decoded(self, body: bytes, where: str) -> Any:
        if self.format == "json":
            return document(body, where)
        return body.decode(errors="replace").splitlines()

    def _facts(self, answer: Any) -> dict[str, Any]:
        facts = {}
        for name, path in self.facts.items():
            try:
                found = self._kept(_found(path, answer))
            except Problem as problem:
                raise Problem(f"facts.{name} {problem}") from None
            if found not in (None, "", [], {}):
                facts[name] = found
        return facts

    def _kept(self, found: Any) -> Any:
        """What was found, bounded."""
        if isinstance(found, str):
            return found if len(found) <= LONGEST_LINE else f"{found[:LONGEST_LINE]}…"
        if isinstance(found, list):
            return [self._kept(one) for one in found[: self.lines]]
        if isinstance(found, dict):
            return {name: self._kept(one) for name, one in list(found.items())[: self.lines]}
        return found

    def _moments(self, alert: AlertView, now: Instant) -> Mapping[str, str]:
        """`{from.s}`, `{to.rfc3339}` ... : from `window` before the alert began (an hour ago at most) until now.

        In whole steps of `remember`, so that alerts that come together ask the same.
        """
        step = max(SECOND, span(self.remember))
        until = -(-now // step) * step
        began = max(min(alert.starts_at, now), now - 3600 * SECOND)
        since = (began - span(self.window)) // step * step
        return {
            f"{name}.{unit}": told
            for name, moment in (("from", since), ("to", until))
            for unit, told in (
                ("s", str(moment // SECOND)),
                ("ms", str(moment // MILLISECOND)),
                ("ns", str(moment * 1000)),
                ("rfc3339", rfc3339(moment)),
            )
        }


def _links(written: Mapping[str, Callable[[], str | None]], problems: list[str]) -> list[Link]:
    """Those that can be shown, by setting; what is wrong with another goes to the problems and takes nothing away."""
    links = []
    for setting, find in written.items():
        try:
            url = find()
        except Problem as problem:
            problems.append(f"{setting}: {problem}")
            continue
        if url and usable(url):
            links.append(Link(setting.partition(".")[2], url))
        elif url:
            problems.append(f"{setting} is not {NEEDED}")
    return links


def _address(path: str, answer: Any) -> str | None:
    try:
        found = _found(path, answer)
    except Problem:  # its words hold values of the answer, and these go to the log
        raise Problem(f"({path[:80]}) does not fit the answer") from None
    if found is not None and not isinstance(found, str):
        raise Problem(f"({path[:80]}) finds what is no address")
    return found


def _found(path: str, answer: Any) -> Any:
    try:
        return jmespath.search(path, answer)
    except _UNFIT as error:
        why = " ".join(str(error).split())[:200] if isinstance(error, JMESPathError) else type(error).__name__
        raise Problem(f"({path[:80]}) does not fit the answer: {why}") from None
