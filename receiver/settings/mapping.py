"""The settings of a generic source's mapping: how bodies of any JSON are read."""

import difflib
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from receiver.domain.enrichment import own_fact
from receiver.domain.priority import SEVERITIES
from receiver.domain.vocabulary import Category, Priority
from receiver.settings.section import Section
from receiver.settings.sentences import unknown
from receiver.sources.expression import mistake_in
from receiver.sources.layout import SIDES, Layout, Pick, Test, as_count, as_number, as_text, as_time
from receiver.sources.text import safe_url, shown


def _field_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("is not a name; begin with a letter or _, go on with letters, digits, _, . and -")
    return value


def _label_name(value: str) -> str:
    # of two places that say the same, one would win in silence
    if value in _MADE:
        raise ValueError(f"is the label that mapping.{_MADE[value]} makes; write its path there")
    return value


FieldName = Annotated[str, AfterValidator(_field_name)]
LabelName = Annotated[FieldName, AfterValidator(_label_name)]
FactName = Annotated[FieldName, AfterValidator(own_fact)]
_MADE = {"alertname": "name", "severity": "severity", "category": "category"}
"""The labels that have keys of their own."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_PICK = ("path", "body", "default", "map")
_FIELDS = (
    *("title", "message", "severity", "category", "subject", "starts_at", "ends_at", "users"),
    *("priority", "metric", "value", "threshold", "unit", "direction"),
)


def _path(path: object, key: str) -> str:
    if not isinstance(path, str) or not path.strip():
        raise ValueError(f"has no path in {key}; write a JMESPath like incident.summary")
    if problem := mistake_in(path):
        raise ValueError(f'"{path[:80]}" is not a JMESPath: {problem}')
    return path


def _words(value: object) -> str:
    """A word of the sender's as text: YAML reads `up: true` and `1` as other things."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError("must be texts or numbers")


def _pick(written: object) -> Pick:
    if isinstance(written, Pick):
        return written
    if isinstance(written, str):
        return Pick(_path(written, "it"))
    return _made(written, _PICK)


def _made(written: object, known: tuple[str, ...]) -> Pick:
    if not isinstance(written, dict):
        raise ValueError("must be a path, or a mapping with path (or body), default and map")  # noqa: TRY004 - for pydantic
    for key in written:
        if key not in known:
            raise ValueError(unknown(f'has no key "{key}"', str(key), known) + f"; there is {', '.join(known)}")
    if "path" in written and "body" in written:
        raise ValueError("has both path and body; path looks at the alert's own part, body at the whole body")
    key = "body" if "body" in written else "path"
    if key not in written and "default" not in written:
        raise ValueError("has neither path nor body nor default")
    values = written.get("map", {})
    if not isinstance(values, dict):
        raise ValueError("has a map that is no mapping; write the sender's words and what they mean")  # noqa: TRY004
    default = written.get("default")
    return Pick(
        path=_path(written[key], key) if key in written else "",
        whole=key == "body",
        default=None if default is None else _words(default),
        values={_words(word): _words(meaning) for word, meaning in values.items()},
    )


def _test(written: object) -> Test:
    if isinstance(written, Test):
        return written
    if not isinstance(written, dict) or "in" not in written:
        raise ValueError("must be a mapping with path (or body) and in: the words that mean it")
    among = written["in"] if isinstance(written["in"], list) else [written["in"]]
    pick = _made({key: value for key, value in written.items() if key != "in"}, _PICK)
    return Test(pick, frozenset(map(_words, among)))


def _alerts(written: object) -> str:
    return _path(written, "it")


def _judged(problem: Callable[[Any], str | None]) -> PlainValidator:
    """A pick; the values that are written in it are judged before any body comes."""

    def read(written: object) -> Pick:
        pick = _pick(written)
        for value in pick.constants:
            if as_text(value) and (wrong := problem(value)):
                raise ValueError(f"has {shown(value)}, which is {wrong}")
        return pick

    return PlainValidator(read)


def _one_of(*known: str) -> tuple[PlainValidator, BeforeValidator]:
    """A pick of these words, in any case."""

    def no_word(written: object) -> object:
        near = difflib.get_close_matches(written.lower(), known, 1, 0.9) if isinstance(written, str) else None
        if near:
            meant = f"{{default: {near[0]}}} for the word itself, {{path: {written}}} for the field"
            raise ValueError(f'reads a field "{written}" of the body; write {meant}')
        return written

    def problem(value: Any) -> str | None:
        word = as_text(value).strip().lower()
        return None if word in known else unknown(f"none of {', '.join(known)}", word, known)

    return _judged(problem), BeforeValidator(no_word)


def _no_time(value: Any) -> str | None:
    try:
        as_time(value)
    except ValueError as error:
        return str(error)
    return None


def _no_count(value: Any) -> str | None:
    return "not a whole number" if as_count(value) is None else None


def _no_number(value: Any) -> str | None:
    return "not a number" if as_number(value) is None else None


def _no_address(value: Any) -> str | None:
    return None if safe_url(value) else "not an http, https or mailto address"


Picked = Annotated[Pick, PlainValidator(_pick)]
"""A JMESPath, or a mapping with `path` or `body`, `default` and `map`."""
Severity = Annotated[Pick, *_one_of(*SEVERITIES)]
PriorityWord = Annotated[Pick, *_one_of(*map(str, Priority))]
CategoryWord = Annotated[Pick, *_one_of(*map(str, Category))]
Time = Annotated[Pick, _judged(_no_time)]
Count = Annotated[Pick, _judged(_no_count)]
Number = Annotated[Pick, _judged(_no_number)]
Side = Annotated[Pick, *_one_of(*SIDES)]
Address = Annotated[Pick, _judged(_no_address)]
Tested = Annotated[Test, PlainValidator(_test)]
"""A mapping with `path` or `body`, and `in`: the words that mean it."""
Path = Annotated[str, BeforeValidator(_alerts)]
"""A JMESPath."""


class MappingSection(Section):
    """How a generic sender's bodies are read."""

    alerts: Path | None = None
    name: Picked
    fingerprint: tuple[Picked, ...] = ()
    resolved: Tested | None = None
    ignore: Tested | None = None
    title: Picked | None = None
    message: Picked | None = None
    severity: Severity | None = None
    priority: PriorityWord | None = None
    category: CategoryWord | None = None
    subject: Picked | None = None
    starts_at: Time | None = None
    ends_at: Time | None = None
    users: Count | None = None
    metric: Picked | None = None
    value: Number | None = None
    threshold: Number | None = None
    unit: Picked | None = None
    direction: Side | None = None
    labels: Mapping[LabelName, Picked] = {}
    facts: Mapping[FactName, Picked] = {}
    links: Mapping[str, Address] = {}

    @property
    def layout(self) -> Layout:
        """As the parser takes it."""
        fields = {name: pick for name in _FIELDS if (pick := getattr(self, name)) is not None}
        return Layout(
            name=self.name,
            alerts=self.alerts or "",
            fingerprint=self.fingerprint,
            resolved=self.resolved,
            ignore=self.ignore,
            fields=fields,
            labels=dict(self.labels),
            facts=dict(self.facts),
            links=dict(self.links),
        )
