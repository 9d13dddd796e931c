"""Looks an alert up in a table of your own: owner, tier, contact, runbook, whatever its columns hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from enrichers.api import Context, Problem
from enrichers.live.rows import Cell, Row, read
from receiver.domain.addresses import NEEDED, reachable, usable
from receiver.domain.enrichment import AlertView, Enrichment, Impact, Link, own_fact
from receiver.domain.phrases import Phrase, Values

ANY = "*"
MOST_LINKS = 20
"""Of one row."""
_WEB = ("http://", "https://")


def _columns(written: object) -> object:
    """A list of columns: each is compared with the label of its own name."""
    return {name: name for name in written} if isinstance(written, list) else written


Match = Annotated[dict[str, str], BeforeValidator(_columns), Field(min_length=1, max_length=10)]
Users = Annotated[int, Field(strict=True, ge=0, lt=2**53)]


@dataclass(kw_only=True)
class Table:
    """`file`: CSV or YAML, read when the configuration is loaded. `match`: column -> what of the alert it is compared
    with (a label, `name`, `subject`, `fact.NAME`, `LABEL.host`); a list of columns for labels of the same names.
    `facts`: the columns that become facts, all others unless set. `tier`: the column that `users` is about. `users`:
    tier -> how many users are hit when such a thing is in trouble; a column `users` says it for one row.
    """

    file: Path
    match: Match
    facts: tuple[Annotated[str, AfterValidator(own_fact)], ...] | None = None
    tier: str = "tier"
    users: dict[str, Users] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows, columns = read(self.file)
        wanted = (*self.match, *(self.facts or ()), *((self.tier,) if self.users else ()))
        for name in wanted:
            if name not in columns:
                raise Problem(f"{self.file} has no column {name!r} with anything in it; it has {', '.join(columns)}")
        self._shown = self.facts or tuple(name for name in columns if name not in self.match)
        self._judge()
        self._exact: dict[tuple[str, ...], int] = {}
        self._loose: list[tuple[int, Sequence[Cell]]] = []
        for number, row in enumerate(self._rows):
            self._index(number, row)

    @property
    def reads(self) -> tuple[Path, ...]:
        """The files whose change asks for a reload."""
        return (self.file,)

    def __call__(self, alert: AlertView, context: Context) -> Enrichment | None:
        """Facts, links and impact of the first row that fits; None when none does."""
        values = Values(alert)
        asked = tuple(values[name] for name in self.match.values())
        row = self._row(asked)
        if row is None:
            return None
        facts: dict[str, Any] = {}
        links: list[Link] = []
        for name in self._shown:
            if name not in row.cells:
                continue
            cell = row.cells[name]
            facts[name] = list(cell) if isinstance(cell, tuple) else cell
            for text in _texts(cell):
                if not text.startswith(_WEB) or not (url := Phrase.of(text).url(values)):
                    continue
                if not usable(url) or len(links) == MOST_LINKS:
                    why = f"is not {NEEDED}" if not usable(url) else f"is more than {MOST_LINKS} links"
                    context.log.warning("%s: %s %s: %s; the link is left out", row.place, name, why, text[:80])
                    continue
                links.append(Link(name.replace("_", " ").capitalize(), url))
                facts[name] = url if facts[name] == text else facts[name]
        return Enrichment(facts=facts, links=tuple(links), impact=self._impact(alert, row))

    def _judge(self) -> None:
        """Raise Problem, with its line, for a column that cannot be a fact and an address that can never work."""
        new = dict.fromkeys(self._shown)
        for row in self._rows:
            for name in [name for name in new if name in row.cells]:
                del new[name]
                try:
                    own_fact(name)
                except ValueError as error:
                    raise Problem(f"{row.place}: the column {error}, or leave it out of facts") from None
            for name in self._shown:
                for text in _texts(row.cells.get(name, ())):
                    if text.startswith(_WEB) and not reachable(_tried(text)):
                        raise Problem(f"{row.place}: {name} is an address that can never work: {text[:80]}")

    def _index(self, number: int, row: Row) -> None:
        cells = tuple(row.cells.get(column, ANY) for column in self.match)
        if all(isinstance(cell, str) and ANY not in cell for cell in cells):
            self._exact.setdefault(tuple(str(cell) for cell in cells), number)
        else:
            self._loose.append((number, cells))

    def _row(self, asked: tuple[str, ...]) -> Row | None:
        exact = self._exact.get(asked) if all(asked) else None
        for number, cells in self._loose:
            if exact is not None and exact < number:
                break
            if all(_fits(cell, text) for cell, text in zip(cells, asked, strict=True)):
                return self._rows[number]
        return None if exact is None else self._rows[exact]

    def _impact(self, alert: AlertView, row: Row) -> Impact | None:
        """An estimate: it says nothing where somebody has counted, and nothing rather than 0."""
        if alert.impact is not None and alert.impact.users != "unknown":
            return None
        told = row.cells.get("users")
        if isinstance(told, str) and told.isascii() and told.isdigit():
            return Impact(min(int(told), 2**53), f"column users of {self.file.name}")
        tier = row.cells.get(self.tier)
        if isinstance(tier, str) and tier in self.users:
            return Impact(self.users[tier], f"{self.tier} {tier} in {self.file.name}")
        return None


def _texts(cell: Cell) -> tuple[str, ...]:
    return cell if isinstance(cell, tuple) else (cell,)


def _tried(text: str) -> str:
    """The address with something simple in each blank: what is wrong with it then is wrong with every alert."""
    if "{" not in text:
        return text
    return "".join(part if isinstance(part, str) else part.otherwise or "1" for part in Phrase.of(text).parts)


def _fits(cell: Cell, text: str) -> bool:
    """True when the text is what the cell says; `*` stands for any part of it, and alone also for nothing."""
    if isinstance(cell, tuple):
        return any(_fits(one, text) for one in cell)
    if ANY not in cell:
        return bool(text) and cell == text
    return _covers(cell.split(ANY), text)


def _covers(parts: Sequence[str], text: str) -> bool:
    """True when the text begins with the first part, ends with the last and holds the others between, in order."""
    first, *middle, last = parts
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
