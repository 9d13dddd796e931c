"""Rows to lifecycle states and back. The order of columns here is the order in `statements`."""

import zlib
from collections.abc import Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from pydantic_core import from_json, to_json

from enrichers.chain import SINGLES, Described, Said, provenance
from receiver.domain.alert import Alert, Change
from receiver.domain.vocabulary import Category, Kind, Priority, Status
from receiver.store.plan import Content

STATE = (
    "id",
    "source",
    "fingerprint",
    "created_at",
    "status",
    "started_at",
    "latest_start",
    "last_seen_at",
    "last_firing_at",
    "ended_at",
    "last_end",
    "closed_at",
    "resolved_by",
    "suppressed_until",
    "notification_count",
    "recent",
    "episodes",
    "change_count",
    "predecessor",
    "expire_after",
    "priority",
    "category",
    "name",
    "heartbeat",
    "digest",
    "silenced",
    "silence_at",
    "hushed_by",
    "subject",
    "fate_seq",
    "began_seq",
    "over_at",
    "heeded",
    "opened_as",
)
"""The columns of a state, in the order of Alert's fields."""
FIXED = 4
"""So many of them, the first ones, are never altered: to write an indexed one again would rewrite its index entry."""
TOUCHED = (
    "started_at",
    "latest_start",
    "last_seen_at",
    "last_firing_at",
    "ended_at",
    "last_end",
    "closed_at",
    "notification_count",
    "recent",
    "expire_after",
)
"""All that a sighting which is no Change can alter."""
ALTERED = tuple(name for name in STATE[FIXED:] if name != "digest")
"""All that can be altered of an alert without describing it anew."""
CONTENT = ("kind", "title", "message", "generator_url", "labels", "annotations", "detail", "raw")
"""The columns of what is shown of an alert, all that the writer writes of it."""

_DIGEST = STATE.index("digest")
_STATUS = {str(status): status for status in Status}
_PRIORITY = {str(priority): priority for priority in Priority}
_CATEGORY = {str(category): category for category in Category}


def state(row: Sequence[Any]) -> Alert:
    """The lifecycle state in a row of STATE columns."""
    values = list(row)
    values[4] = _STATUS[row[4]]
    values[15] = _recent(row[15])
    values[16] = tuple(map(int, row[16].split(","))) if row[16] else ()
    values[20:22] = _PRIORITY[row[20]], _CATEGORY[row[21]]
    values[23], values[25] = bool(row[23]), bool(row[25])
    return Alert(*values)


def row(alert: Alert) -> tuple[Any, ...]:
    """The values of the STATE columns."""
    return (
        alert.id,
        alert.source,
        alert.fingerprint,
        alert.created_at,
        alert.status.value,
        alert.started_at,
        alert.latest_start,
        alert.last_seen_at,
        alert.last_firing_at,
        alert.ended_at,
        alert.last_end,
        alert.closed_at,
        alert.resolved_by,
        alert.suppressed_until,
        alert.notification_count,
        _recent_text(alert),
        ",".join(map(str, alert.episodes)),
        alert.change_count,
        alert.predecessor,
        alert.expire_after,
        alert.priority.value,
        alert.category.value,
        alert.name,
        alert.heartbeat,
        alert.digest,
        alert.silenced,
        alert.silence_at,
        alert.hushed_by,
        alert.subject,
        alert.fate_seq,
        alert.began_seq,
        alert.over_at,
        alert.heeded,
        alert.opened_as,
    )


def touched(alert: Alert) -> tuple[Any, ...]:
    """The id, then the values of the TOUCHED columns."""
    return (
        alert.id,
        alert.started_at,
        alert.latest_start,
        alert.last_seen_at,
        alert.last_firing_at,
        alert.ended_at,
        alert.last_end,
        alert.closed_at,
        alert.notification_count,
        _recent_text(alert),
        alert.expire_after,
    )


def altered(alert: Alert) -> tuple[Any, ...]:
    """The id, then the values of the ALTERED columns: all of them can be written as JSON."""
    values = row(alert)
    return (values[0], *values[FIXED:_DIGEST], *values[_DIGEST + 1 :])


def change(made: Change) -> tuple[Any, ...]:
    """The values of a Change's columns."""
    detail = to_json(dict(made.detail)).decode() if made.detail else None
    status = "" if made.status is None else made.status.value
    return (made.alert_id, made.seq, made.at, made.kind.value, made.who, made.why, status, made.via, detail)


def made(row: Any) -> Change:
    """The Change in a row of its table."""
    status = Status(row.status) if row.status else None
    detail = from_json(row.detail) if row.detail else {}
    return Change(row.alert_id, row.seq, row.at, Kind(row.kind), row.who, row.why, status, row.via, detail)


def content(shown: Content) -> tuple[Any, ...]:
    """The values of the CONTENT columns."""
    return (
        shown.kind,
        shown.title,
        shown.message,
        shown.generator_url,
        shown.labels_json,
        shown.annotations_json,
        shown.detail_json,
        shown.raw,
    )


def _recent(text: str) -> tuple[tuple[bool, int, int], ...]:
    if not text:
        return ()
    seen = []
    for entry in text.split(";"):
        firing, start, at = entry.split(",")
        seen.append((firing == "1", int(start), int(at)))
    return tuple(seen)


def _recent_text(alert: Alert) -> str:
    return ";".join([f"{firing:d},{start},{at}" for firing, start, at in alert.recent])


def json(text: str | bytes) -> Any:
    """Read JSON that we wrote."""
    return from_json(text)


def pack(document: bytes) -> bytes:
    """The document, deflated when it is long enough for that to be worth its time."""
    return zlib.compress(document, 1) if len(document) > 2048 else document


def unpack(blob: bytes) -> bytes:
    """What `pack` packed: JSON text never begins with zlib's first byte."""
    return zlib.decompress(blob) if blob[:1] == b"\x78" else blob


_FIGURES = ("subject", "metric", "value", "threshold", "direction", "unit", "overage_percent")
_figures = attrgetter(*_FIGURES)
_LETTERS = {
    "title": "t",
    "message": "m",
    "category": "c",
    "priority": "p",
    "subject": "s",
    "metric": "M",
    "value": "v",
    "threshold": "T",
    "direction": "d",
    "unit": "u",
    "overage_percent": "o",
    "impact": "i",
}
"""How a stored row names a single value that somebody said."""


def detail(described: Described) -> str:
    """A description as it is stored: JSON without what has columns of its own, what says nothing, and many names.

    Recommendations are not among it: they are found when the alert is shown. Enumerations and values are taken apart
    here, because for the encoder they are strangers that cost more than all the rest.
    """
    view = described.view
    told: dict[str, Any] = {name: said for name, said in zip(_FIGURES, _figures(view), strict=True) if said is not None}
    if view.priority is not None:
        told["priority"] = view.priority.value
    if view.priority_terms:
        told["priority_terms"] = [(term.rule, term.input, term.effect) for term in view.priority_terms]
    if view.impact is not None:
        told["impact"] = (view.impact.users, view.impact.source)
    if view.facts:
        told["facts"] = view.facts
    if view.links:
        told["links"] = [(link.title, link.url) for link in view.links]
    told["enrichers"] = [
        (ran.enricher, ran.outcome, ran.ms) if ran.detail is None else (ran.enricher, ran.outcome, ran.ms, ran.detail)
        for ran in described.outcomes
    ]
    told["said"] = [(one.who, _letters(one.singles), one.facts, one.links) for one in described.said]
    return to_json(told).decode()


def described(text: str) -> dict[str, Any]:
    """What `detail` stored, in API form."""
    told: dict[str, Any] = dict.fromkeys(_FIGURES) | from_json(text)
    for name, keys in _ROWS.items():
        told[name] = [_keyed(keys, row) for row in told.get(name, ())]
    told["impact"] = _keyed(("users", "source"), told.get("impact", ("unknown", None)))
    told["facts"] = told.get("facts", {})
    said = (Said(who, _bits(letters), tuple(facts), links, 0) for who, letters, facts, links in told.pop("said", ()))
    told["provenance"] = told.get("provenance") or provenance(said)
    return told


def said_by(who: str, text: str) -> tuple[frozenset[str], tuple[str, ...], int]:
    """What `detail` stored of one of those who spoke: the names of single values and of facts, and how many links."""
    for name, letters, facts, links in from_json(text).get("said", ()):
        if name == who:
            return frozenset(single for single in SINGLES if _LETTERS[single] in letters), tuple(facts), links
    return frozenset(), (), 0


def _keyed(keys: Sequence[str], row: Any) -> dict[str, Any]:
    """A row with its names back; before short rows there were, it has them."""
    return row if isinstance(row, dict) else dict(zip(keys, (*row, None), strict=False))


_ROWS = {
    "priority_terms": ("rule", "input", "effect"),
    "links": ("title", "url"),
    "enrichers": ("enricher", "outcome", "ms", "detail"),
}


@cache
def _letters(singles: int) -> str:
    return "".join(_LETTERS[name] for place, name in enumerate(SINGLES) if singles >> place & 1)


@cache
def _bits(letters: str) -> int:
    return sum(1 << place for place, name in enumerate(SINGLES) if _LETTERS[name] in letters)
