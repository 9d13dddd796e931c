"""What enrichers return, checked and bounded before anything else sees it: a plugin may return junk or far too much."""

import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import ErrorDetails, to_json

from receiver.domain.addresses import NEEDED, usable
from receiver.domain.enrichment import FIELDS, Direction, Enrichment, Impact, Link, Recommendation, Term
from receiver.domain.vocabulary import Category, Priority
from receiver.settings.sentences import sentence, unknown
from receiver.sources.redact import Redaction, redact

TEXT_BYTES = 4096
"""Longer texts are cut and end in "…"."""
FACTS = 100
FACTS_BYTES = 65_536
"""All facts of one enricher as JSON."""
FACTS_DEPTH = 20
FACTS_NODES = 10_000
ITEMS = 20
"""Recommendations, links or priority terms of one enricher."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def additions(returned: object, redaction: Redaction | None = None) -> Enrichment:
    """What an enricher returned (an Enrichment, a mapping with its field names, None) as a bounded Enrichment.

    Texts are cut at 4 KiB; NUL and lone surrogates become U+FFFD; with a redaction secrets are taken out of the facts.
    Raises ValueError with one plain sentence for what
    is no Enrichment, holds wrong types, unsafe links or what JSON cannot hold, or is too much.
    """
    if returned is None:
        return Enrichment()
    if not isinstance(returned, (Enrichment, Mapping)):
        raise ValueError(f"returned {_a(returned)}; return a mapping, an Enrichment or None")  # noqa: TRY004 - as promised
    try:
        checked = _Enrichment.model_validate(dict(returned) if isinstance(returned, Mapping) else returned)
    except ValidationError as error:
        raise ValueError(_told(error.errors(include_url=False)[0])) from None
    values = {name: getattr(checked, name) for name in FIELDS}
    if redaction is not None:
        values["facts"], _ = redact(checked.facts, to_json(checked.facts), redaction)
    values["impact"] = Impact(**dict(checked.impact)) if checked.impact else None
    values["priority_terms"] = tuple(Term(**dict(term)) for term in checked.priority_terms)
    values["recommendations"] = tuple(Recommendation(**dict(said)) for said in checked.recommendations)
    values["links"] = tuple(Link(**dict(link)) for link in checked.links)
    return Enrichment(**values)


def _told(error: ErrorDetails) -> str:
    path = [str(part) for part in error["loc"]]
    if error["type"] != "extra_forbidden":
        return ": ".join(filter(None, (".".join(path), sentence(error))))
    model = next((part for field, part in _PARTS.items() if field in path[:-1]), _Enrichment)
    text = unknown(f'"{path[-1]}" is not a field of {model.__name__[1:]}', path[-1], model.model_fields)
    return ": ".join(filter(None, (".".join(path[:-1]), text)))


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _scrubbed(value: object) -> object:
    return _UNSTORABLE.sub("\ufffd", value) if isinstance(value, str) else value


def _cut(text: str) -> str:
    raw = text.encode()
    return text if len(raw) <= TEXT_BYTES else raw[: TEXT_BYTES - 3].decode(errors="ignore") + "…"


def _safe_url(url: str) -> str:
    if not usable(url):
        raise ValueError(f"must be {NEEDED}")
    return url


def _users(value: object) -> object:
    if value == "unknown" or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63):
        return value
    raise ValueError('must be a whole number from 0, or "unknown"')


def _facts(value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"must be a mapping, not {_a(value)}")  # noqa: TRY004 - pydantic reads ValueError
    if len(value) > FACTS:
        raise ValueError(f"has {len(value)} entries; at most {FACTS} are kept")
    facts: dict[str, Any] = _Json().plain(value, "")
    size = len(json.dumps(facts, ensure_ascii=False).encode())
    if size > FACTS_BYTES:
        raise ValueError(f"takes {size} bytes; at most {FACTS_BYTES} are kept")
    return facts


class _Json:
    """Rebuilds a value from plain JSON types; raises ValueError naming the place of what JSON cannot hold."""

    def __init__(self) -> None:
        self.left = FACTS_NODES

    def plain(self, value: object, path: str, depth: int = 0) -> Any:
        self.left -= 1
        if depth > FACTS_DEPTH or self.left < 0:
            raise ValueError(f"are nested deeper than {FACTS_DEPTH} or hold more than {FACTS_NODES} values")
        if isinstance(value, Mapping):
            return {self.key(k, path): self.plain(v, f"{path}.{k}".strip("."), depth + 1) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.plain(item, f"{path}.{index}", depth + 1) for index, item in enumerate(value)]
        return self.scalar(value, path)

    def scalar(self, value: object, path: str) -> str | float | bool | None:
        if isinstance(value, str):
            return _cut(str(_scrubbed(value)))
        if value is None or isinstance(value, bool):
            return value
        if (isinstance(value, float) and math.isfinite(value)) or (isinstance(value, int) and abs(value) < 2**63):
            return value
        what = "a number JSON cannot hold" if isinstance(value, (int, float)) else _a(value)
        raise ValueError(f"{path} is {what}; turn it into text")

    def key(self, key: object, path: str) -> str:
        if isinstance(key, str):
            return _cut(str(_scrubbed(key)))
        raise ValueError(f"{path} has a key that is {_a(key)}; keys must be text".strip())


Text = Annotated[str, BeforeValidator(_scrubbed), AfterValidator(_cut)]
Url = Annotated[str, BeforeValidator(_scrubbed), AfterValidator(_safe_url)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Users = Annotated[int | Literal["unknown"], PlainValidator(_users)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True, hide_input_in_errors=True)


class _Term(_Part):
    rule: Text
    input: Text
    effect: Text


class _Recommendation(_Part):
    text: Text
    command: Text | None = None
    link: Url | None = None
    rule: Text | None = None
    careful: Annotated[bool, Field(strict=True)] = False


class _Link(_Part):
    title: Text
    url: Url


class _Impact(_Part):
    users: Users = "unknown"
    source: Text | None = None


class _Enrichment(_Part):
    title: Text | None = None
    message: Text | None = None
    category: Category | None = None
    priority: Priority | None = None
    priority_terms: Annotated[tuple[_Term, ...], Field(max_length=ITEMS)] = ()
    subject: Text | None = None
    metric: Text | None = None
    value: Number | None = None
    threshold: Number | None = None
    direction: Direction | None = None
    unit: Text | None = None
    overage_percent: Number | None = None
    impact: _Impact | None = None
    facts: Annotated[dict[str, Any], PlainValidator(_facts)] = Field(default_factory=dict)
    recommendations: Annotated[tuple[_Recommendation, ...], Field(max_length=ITEMS)] = ()
    links: Annotated[tuple[_Link, ...], Field(max_length=ITEMS)] = ()


_PARTS: Mapping[str, type[_Part]] = {
    "recommendations": _Recommendation,
    "links": _Link,
    "impact": _Impact,
    "priority_terms": _Term,
}
