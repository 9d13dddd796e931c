"""The terms of a search as SQL: what can be asked of an alert's row, of its content, and of neither."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq, ge, gt, le, lt
from typing import Any, Protocol

import re2
from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    bindparam,
    cast,
    collate,
    desc,
    exists,
    func,
    not_,
    or_,
    select,
    union_all,
)

from receiver.domain.search import Search
from receiver.domain.searchterms import Among, Compared, Label, Words
from receiver.domain.vocabulary import Priority, Status
from receiver.store import codec
from receiver.store.labels import number, token
from receiver.store.tables import alert, content, label_index, label_row

LONGEST_LABEL = 4096
"""Characters of a label's value that a regular expression looks at."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that a label must fit, all of it, or must not."""

    name: str
    negated: bool
    made: Any

    def fits(self, value: str) -> bool:
        """Whether the label's value is as asked for."""
        return (self.made.fullmatch(value) is not None) is not self.negated


@dataclass(slots=True)
class Conditions:
    """A search, by where its terms are looked up. All of them must hold."""

    statuses: Sequence[str]
    """Of all that there are."""
    priorities: Sequence[str]
    row: list[ColumnElement[bool]] = field(default_factory=list)
    """On the alert's row."""
    content: list[ColumnElement[bool]] = field(default_factory=list)
    """On what is shown of it: dearer."""
    patterns: list[Pattern] = field(default_factory=list)
    """Regular expressions: no database's own are linear in time."""
    labels: list[tuple[str, str]] = field(default_factory=list)
    """Pairs that it must have, which the label index finds (they are among `content`, too)."""
    named: bool = False
    """True when the content is asked of together with the row."""
    ids: list[int] | None = None
    """It must be one of these."""

    @property
    def narrow(self) -> bool:
        """True when the status or the priority is asked for."""
        return len(self.statuses) < len(Status) or len(self.priorities) < len(Priority)

    @property
    def on_row(self) -> list[ColumnElement[bool]]:
        """All that the row is asked, the status and the priority included."""
        asked = list(self.row)
        for here, all_of, stored in (
            (self.statuses, Status, alert.c.status),
            (self.priorities, Priority, alert.c.priority),
        ):
            if len(here) < len(all_of):
                asked.append(stored.in_(here))
        return asked


def conditions(search: Search, dialect: str) -> Conditions:
    """The search, sorted by where its terms are looked up."""
    engine = engine_of(dialect)
    found = Conditions([one.value for one in Status], [one.value for one in Priority])
    for place, term in enumerate(search.terms):
        match term:
            case Words():
                found.named = True
                found.content.append(_negated(term.negated, _words(term, engine)))
            case Among():
                _among(term, found)
            case Label() if term.pattern:
                found.patterns.append(Pattern(term.name, term.negated, re2.compile(term.value, _OPTIONS)))
            case Label():
                found.content.append(_negated(term.negated, engine.has(place, term.name, term.value)))
                if term.value and not term.negated:
                    found.labels.append((term.name, term.value))
            case Compared():
                stored = alert.c[term.field]
                holds = and_(stored.is_not(None), _SIGNS[term.sign](stored, term.than))
                found.row.append(_negated(term.negated, holds))
    return found


def fits(patterns: Sequence[Pattern], labels_json: str) -> bool:
    """Whether the labels, as stored, fit all of the regular expressions."""
    labels = codec.json(labels_json)
    return all(one.fits(labels.get(one.name, "")[:LONGEST_LABEL]) for one in patterns)


def _options() -> re2.Options:
    made = re2.Options()
    made.log_errors, made.dot_nl = False, True
    return made


_OPTIONS = _options()
_SIGNS: Mapping[str, Callable[[Any, Any], ColumnElement[bool]]] = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq}


def _negated(negated: bool, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return not_(condition) if negated else condition


def _among(term: Among, found: Conditions) -> None:
    match term.field:
        case "status":
            found.statuses = [one for one in found.statuses if (one in term.values) is not term.negated]
        case "priority":
            found.priorities = [one for one in found.priorities if (one in term.values) is not term.negated]
        case "id":
            ids = [int(value) for value in term.values]
            if term.negated:
                found.row.append(alert.c.id.not_in(ids))
            else:
                found.ids = ids if found.ids is None else [one for one in found.ids if one in ids]
        case "kind":
            found.content.append(_negated(term.negated, content.c.kind.in_(term.values)))
        case _:
            found.row.append(_negated(term.negated, alert.c[term.field].in_(term.values)))


def _words(term: Words, engine: "Engine") -> ColumnElement[bool]:
    sought = "%" + term.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    # What deferred enrichers said stands for what is said without them.
    shown = [func.coalesce(engine.added(name), content.c[name]) for name in ("title", "message")]
    return or_(*(engine.like(text, sought) for text in (alert.c.name, *shown)))


class Engine(Protocol):
    """What databases say differently."""

    def indexed(
        self, listed: Select[Any], present: Sequence[tuple[str, str]]
    ) -> tuple[Select[Any], ColumnElement[Any]]:
        """The SELECT from alert with only the label index's candidates, and the column in the order of the index."""
        ...

    def candidates(self, present: Sequence[tuple[str, str]]) -> Select[Any]:
        """The ids that the label index has for these pairs."""
        ...

    def has(self, place: int, name: str, value: str) -> ColumnElement[bool]:
        """The label has the value; `place` is another number for each."""
        ...

    def added(self, name: str) -> ColumnElement[str]:
        """A text that deferred enrichers added, or NULL."""
        ...

    def like(self, text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
        """LIKE, whatever the case."""
        ...

    def merged(self, branches: Sequence[Select[Any]], most: int) -> CompoundSelect[Any]:
        """The last so many of all branches by `id`, each of which an index has in that order: read no further."""
        ...

    def looked_up(self, number: ColumnElement[int], ids: Select[Any]) -> list[ColumnElement[bool]]:
        """What makes sure that only those rows are looked at whose number is one of these."""
        ...

    def within(self, number: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
        """The number is one of these, however many they are."""
        ...


class _Sqlite:
    """The index is read in the order of the list, so that a page costs the same wherever it lies."""

    def indexed(
        self, listed: Select[Any], present: Sequence[tuple[str, str]]
    ) -> tuple[Select[Any], ColumnElement[Any]]:
        wanted = listed.join(label_index, label_index.c.rowid == alert.c.id)
        return wanted.where(self._matched(present)), label_index.c.rowid

    def candidates(self, present: Sequence[tuple[str, str]]) -> Select[Any]:
        return select(label_index.c.rowid).where(self._matched(present))

    def _matched(self, present: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
        tokens = " AND ".join(token(name, value) for name, value in present)
        return label_index.c.alert_label.op("MATCH", is_comparison=True)(tokens)

    def has(self, place: int, name: str, value: str) -> ColumnElement[bool]:
        pair = func.json_each(content.c.labels).table_valued("key", "value", name=f"pair_{place}")
        if not value:
            return ~exists(select(1).select_from(pair).where(pair.c.key == name, pair.c.value != ""))
        return exists(select(1).select_from(pair).where(and_(pair.c.key == name, pair.c.value == value)))

    def added(self, name: str) -> ColumnElement[str]:
        return func.json_extract(content.c.added, f"$.{name}")

    def like(self, text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
        return text.like(sought, escape="\\")

    def merged(self, branches: Sequence[Select[Any]], most: int) -> CompoundSelect[Any]:
        return union_all(*branches).order_by(desc("id")).limit(most)

    def looked_up(self, number: ColumnElement[int], ids: Select[Any]) -> list[ColumnElement[bool]]:
        del number, ids
        return []

    def within(self, number: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
        listed = func.json_each("[" + ",".join(map(str, ids)) + "]").table_valued("value", name="listed")
        return number.in_(select(listed.c.value))


class _Postgres:
    """As on SQLite: the rows of a token are in the order of the list, several tokens are merged in it."""

    def indexed(
        self, listed: Select[Any], present: Sequence[tuple[str, str]]
    ) -> tuple[Select[Any], ColumnElement[Any]]:
        first, *more = [(label_row.alias(f"label_{place}"), number(*pair)) for place, pair in enumerate(present)]
        rows, sought = first
        wanted = listed.join(rows, and_(rows.c.alert_id == alert.c.id, rows.c.token == sought))
        return self._merged(wanted, rows.c.alert_id, more), rows.c.alert_id

    def candidates(self, present: Sequence[tuple[str, str]]) -> Select[Any]:
        first, *more = [(label_row.alias(f"label_{place}"), number(*pair)) for place, pair in enumerate(present)]
        rows, sought = first
        return self._merged(select(rows.c.alert_id).where(rows.c.token == sought), rows.c.alert_id, more)

    def _merged(
        self, wanted: Select[Any], position: ColumnElement[Any], more: Sequence[tuple[Any, int]]
    ) -> Select[Any]:
        for rows, sought in more:
            wanted = wanted.join(rows, and_(rows.c.alert_id == position, rows.c.token == sought))
        return wanted

    def has(self, place: int, name: str, value: str) -> ColumnElement[bool]:
        del place
        return func.coalesce(func.json_extract_path_text(cast(content.c.labels, JSON), name), "") == value

    def added(self, name: str) -> ColumnElement[str]:
        return func.json_extract_path_text(cast(content.c.added, JSON), name)

    def like(self, text: ColumnElement[str], sought: str) -> ColumnElement[bool]:
        # In this collation only ASCII letters have two cases, as on SQLite; and it takes a seventh of the time.
        return collate(text, "C").ilike(sought, escape="\\")

    def merged(self, branches: Sequence[Select[Any]], most: int) -> CompoundSelect[Any]:
        # Without limits of their own it takes them for more than an index is worth, and reads and sorts all.
        limited = [branch.order_by(desc("id")).limit(most).subquery() for branch in branches]
        return union_all(*map(select, limited)).order_by(desc("id")).limit(most)

    def looked_up(self, number: ColumnElement[int], ids: Select[Any]) -> list[ColumnElement[bool]]:
        # It would rather read the whole table, and compare every text in it, than join a few thousand rows.
        return [number == func.any(func.array(ids.scalar_subquery()))]

    def within(self, number: ColumnElement[int], ids: Sequence[int]) -> ColumnElement[bool]:
        return number == func.any(bindparam(None, list(ids), ARRAY(BigInteger), unique=True))


_SQLITE, _POSTGRES = _Sqlite(), _Postgres()


def engine_of(dialect: str) -> Engine:
    """What that database says differently."""
    return _POSTGRES if dialect == "postgresql" else _SQLITE
