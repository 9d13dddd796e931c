"""What rules of all kinds have in common: a list in a file, an id, a condition, examples, and how they are dropped."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from receiver.domain.examples import Example
from receiver.errors import Mistake
from receiver.rulebook.when import Unclear, condition
from receiver.sources import KINDS
from receiver.yamlfile import Document

R = TypeVar("R")
EXAMPLE = ("name", "labels", "annotations", "expr", "kind", "facts")
CLOSE = 0.75
"""How like a known id one must be that is taken for it: ids share many words."""
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Form(Generic[R]):
    """How one kind of rule is written."""

    keys: tuple[str, ...]
    """All that a rule can have."""
    needed: tuple[str, ...]
    """What it must have besides its id."""
    problems: Callable[[Document, int, Mapping[str, Any]], Iterable[Mistake]]
    """What is wrong with the keys that only this kind has; (file, place in it, rule as written)."""
    make: Callable[[Document, int, Mapping[str, Any]], R]
    """The rule, of one without problems."""


def rules_in(document: Document, form: Form[R], mistakes: list[Mistake]) -> Iterator[tuple[int, str, R | None]]:
    """(place, id, rule) for each rule of the file, None for one that is switched off; mistakes go on the list."""
    if document.data is None:
        return
    if not isinstance(document.data, list):
        mistakes.append(document.mistake((), "is not a list of rules"))
        return
    seen: dict[str, int] = {}
    for number, written in enumerate(document.data):
        problems = list(_problems(document, number, written, form))
        if not problems and written["id"] in seen:
            problems = [document.mistake((number, "id"), f"{written['id']} is used twice (line {seen[written['id']]})")]
        if not problems:
            try:
                rule = None if written.get("enabled", True) is False else form.make(document, number, written)
            except Unclear:
                problems = [*_unclear(document, number, written)]
        elif isinstance(written, dict):
            problems += _unclear(document, number, written)
        if problems:
            mistakes += (_by_id(mistake, number, written) for mistake in problems)
            continue
        seen[written["id"]] = document.line((number, "id"))
        yield number, written["id"], rule


def _by_id(mistake: Mistake, number: int, written: Any) -> Mistake:
    """The mistake with the rule's id in its path, where it has one, in place of its number in the file."""
    name = written.get("id") if isinstance(written, dict) else None
    if not isinstance(name, str) or not name.strip():
        return mistake
    return replace(mistake, path=name + mistake.path.removeprefix(str(number)))


def _problems(document: Document, number: int, written: Any, form: Form[Any]) -> Iterator[Mistake]:
    """What is wrong with the outer form of a rule."""
    if not isinstance(written, dict):
        yield document.mistake((number,), f"is not a rule; write id, {' and '.join(form.needed)}")
        return
    yield from unknown(document, (number,), written, form.keys)
    if isinstance(written.get("id"), int | float):
        yield document.mistake((number, "id"), f'is not a text; write it in quotes: "{written["id"]}"')
    elif not isinstance(written.get("id"), str) or not written["id"].strip():
        yield document.mistake((number,), "has no id")
    if not isinstance(written.get("because", ""), str):
        yield document.mistake((number, "because"), "is not a text")
    if not isinstance(written.get("enabled", True), bool):
        yield document.mistake((number, "enabled"), "is not true or false")
    if written.get("enabled", True) is False:
        return
    for needed in form.needed:
        if needed not in written:
            yield document.mistake((number,), f"has no {needed}")
    yield from form.problems(document, number, written)


def _unclear(document: Document, number: int, written: Any) -> Iterator[Mistake]:
    """What is wrong inside a rule's condition and its examples."""
    if not isinstance(written, dict) or written.get("enabled", True) is False:
        return
    for key, read_it in (
        ("when", lambda: condition(written["when"], (number, "when"))),
        ("examples", lambda: examples(document, number, written["examples"])),
    ):
        try:
            if key in written:
                read_it()
        except Unclear as unclear:
            yield document.mistake(unclear.path, unclear.sentence)


def unknown(document: Document, path: _Path, written: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Mistake]:
    """A mistake for each key that is none of the known ones."""
    for key in written:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"
            yield document.mistake((*path, key), f"is not known here; {hint}")


def examples(document: Document, number: int, written: Any) -> tuple[Example, ...]:
    """The examples, checked. Raises Unclear."""
    at: _Path = (number, "examples")
    if written is None:
        return ()
    if not isinstance(written, dict) or not set(written) <= {"matches", "ignores"}:
        raise Unclear(at, "is not matches and ignores, each with a list of alerts")
    return tuple(
        _example(document, (*at, kind, place), given, kind == "matches")
        for kind in written
        for place, given in enumerate(written[kind] if isinstance(written[kind], list) else [written[kind]])
    )


def _example(document: Document, at: _Path, given: Any, matches: bool) -> Example:
    if not isinstance(given, dict) or not set(given) <= set(EXAMPLE):
        raise Unclear(at, f"is not an alert; write {EXAMPLE[0]}, and perhaps {', '.join(EXAMPLE[1:])}")
    texts = {key: given.get(key) or {} for key in ("labels", "annotations")}
    if not all(isinstance(text, dict) for text in texts.values()):
        raise Unclear(at, "labels and annotations are names with texts")
    made = {key: {name: str(value) for name, value in text.items()} for key, text in texts.items()}
    if not isinstance(given.get("facts") or {}, dict):
        raise Unclear(at, "facts are names with values")
    kind = given.get("kind", "alertmanager")
    if kind not in (*KINDS,):
        raise Unclear((*at, "kind"), f'"{str(kind)[:60]}" is no kind of sender; there is {", ".join(KINDS)}')
    return Example(
        matches,
        str(given.get("name", "")),
        made["labels"],
        made["annotations"],
        str(given.get("expr", "")),
        document.line(at),
        kind,
        given.get("facts") or {},
    )
