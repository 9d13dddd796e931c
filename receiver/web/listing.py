"""Lists over HTTP: the URL's parameters as a query, and the cursors between pages."""

import base64
import binascii
import difflib
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import cast

from multidict import MultiDict, MultiMapping
from pydantic import BaseModel, Field

from receiver.domain import times
from receiver.domain.search import Search, Sort, Unreadable
from receiver.domain.searchterms import Among, Choice, Label, Term, Words
from receiver.domain.vocabulary import OPEN, Category, Priority, Status
from receiver.errors import Refused
from receiver.flow.find import search
from receiver.sources.text import clean
from receiver.store import AlertQuery, Position

MOST, USUAL = 500, 50
MOST_LABELS, MOST_VALUES = 20, 50
"""In one query."""
_CHOICES: Mapping[str, frozenset[str]] = {
    "status": frozenset({*map(str, Status), "open"}),
    "priority": frozenset(map(str, Priority)),
    "category": frozenset(map(str, Category)),
}
_ONCE = ("query", "sort", "q", "limit", "cursor")
_KNOWN = (*_ONCE, "status", "source", "priority", "category", "alertname", "label.NAME")


class ListParameters(BaseModel):
    """The URL's parameters of a list of alerts; several conditions must all hold."""

    query: str = Field("", description="A search, as docs/search.md describes it.", examples=["priority>=high disk"])
    sort: Sort = Field(Sort.NEWEST, description="The order; what is equal there comes newest first.")
    limit: int = Field(USUAL, ge=1, le=MOST)
    cursor: str = Field("", description="`next` of the page before.")
    status: str = Field("", description="Statuses, separated by commas; `open` is the three open ones.")
    priority: str = Field("", description="Priorities, separated by commas.")
    category: str = Field("", description="Categories, separated by commas.")
    source: str = Field("", description="Names of sources, separated by commas.")
    alertname: str = Field("", description="The label `alertname`. Any other label is asked for as label.NAME.")
    q: str = Field("", max_length=200, description="A text in title, message or name.")


def read_query(query: MultiMapping[str]) -> AlertQuery:
    """The URL's parameters. Raises Refused (400) for one that is unknown or has no such value."""
    only(query, _KNOWN)
    query = MultiDict((clean(name), clean(value)) for name, value in query.items())
    for name in _ONCE:
        if len(query.getall(name, [])) > 1:
            raise Refused(f"{name} is given more than once")
    sort = _sort(query.get("sort"))
    return AlertQuery(
        search=Search((*_terms(query), *_searched(query.get("query", "")))),
        sort=sort,
        limit=limit_of(query),
        after=_after(query.get("cursor"), _digest(query)),
    )


def _terms(query: MultiMapping[str]) -> Iterable[Term]:
    """The conditions besides the search."""
    statuses = _chosen(query, "status")
    if "open" in statuses:
        statuses = tuple(sorted({*statuses, *map(str, OPEN)} - {"open"}))
    choices = {"status": statuses, "source": _listed(query, "source")}
    choices |= {name: _chosen(query, name) for name in ("priority", "category")}
    yield from (Among(cast("Choice", name), values) for name, values in choices.items() if values)
    labels = [Label(name.removeprefix("label."), value) for name, value in query.items() if name.startswith("label.")]
    labels += [Label("alertname", value) for value in query.getall("alertname", [])]
    if len(labels) > MOST_LABELS:
        raise Refused(f"at most {MOST_LABELS} labels (and alertname) can be asked for at once")
    yield from labels
    text = query.get("q")
    if text is not None and len(text) > 200:
        raise Refused("q is longer than 200 characters")
    if text:
        yield Words(text)


def _searched(text: str) -> tuple[Term, ...]:
    try:
        return search(text, times.now()).terms
    except Unreadable as mistake:
        raise Refused(f"query: {mistake}") from None


def _sort(told: str | None) -> Sort:
    if told is None or told in tuple(Sort):
        return Sort(told or Sort.NEWEST)
    close = difflib.get_close_matches(told, tuple(Sort), 1)
    hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(Sort)}"
    raise Refused(f"{told[:40]!r} is not an order (sort); {hint}")


def only(query: MultiMapping[str], known: Iterable[str]) -> None:
    """Raises Refused for a parameter that is not known."""
    for name in query:
        if name not in known and not (name.startswith("label.") and "label.NAME" in known and len(name) > 6):
            close = difflib.get_close_matches(name, list(known), 1)
            hint = f"; did you mean {close[0]}?" if close else f"; there is {', '.join(known) or 'none'}"
            raise Refused(f"{name[:80]!r} is not a parameter here{hint}")


def _listed(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    listed = tuple(part for value in query.getall(name, []) for part in value.split(",") if part)
    if len(listed) > MOST_VALUES:
        raise Refused(f"{name} has more than {MOST_VALUES} values")
    return listed


def _chosen(query: MultiMapping[str], name: str) -> tuple[str, ...]:
    chosen = _listed(query, name)
    for value in chosen:
        if value not in _CHOICES[name]:
            raise Refused(f"{value[:80]!r} is not a {name}; there is {', '.join(sorted(_CHOICES[name]))}")
    return chosen


def limit_of(query: MultiMapping[str]) -> int:
    """How many are asked for. Raises Refused."""
    told = query.get("limit", str(USUAL))
    if not (told.isascii() and told.isdigit() and 1 <= int(told[:9]) <= MOST and len(told) < 9):
        raise Refused(f"limit is {told[:40]!r}, not a number from 1 to {MOST}")
    return int(told)


# --- cursors --------------------------------------------------------------------------------------------------------


def cursor(position: Position | None, query: MultiMapping[str]) -> str | None:
    """What asks for the page that begins behind this place, of the same list only."""
    if position is None:
        return None
    told = f"{position.key}.{position.id}.{_digest(query)}"
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _digest(query: MultiMapping[str]) -> str:
    """Of all that makes it this list: another one has other places."""
    told = sorted((name, value) for name, value in query.items() if name not in ("limit", "cursor"))
    return blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _after(cursor: str | None, digest: str) -> Position | None:
    if not cursor:
        return None
    try:
        told = base64.urlsafe_b64decode(cursor[:120] + "==").decode("ascii")
        key, place, of = told.split(".")
    except (binascii.Error, ValueError):
        key = place = of = ""
    if not (key.isdigit() and place.isdigit() and max(len(key), len(place)) < 19):
        raise Refused("this cursor is not one that alertsage gave; start without it")
    if of != digest:
        raise Refused("this cursor belongs to another list: keep the search and the sort, or start without it")
    return Position(int(key), int(place))
