"""`adjust.yaml`: rules that set category, priority and expiry outright."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from receiver.domain.adjust import Adjustment
from receiver.domain.times import span
from receiver.domain.trials import tests
from receiver.domain.vocabulary import Category, Priority
from receiver.errors import Mistake
from receiver.rulebook.form import Form, examples, unknown
from receiver.rulebook.when import Unclear, condition
from receiver.settings.units import parse_duration
from receiver.yamlfile import Document

FILE = "adjust.yaml"
KEYS = ("id", "when", "set", "because", "examples", "enabled")
SET = ("priority", "category", "expire_after")
_WORDS: Mapping[str, tuple[str, ...]] = {"priority": tuple(map(str, Priority)), "category": tuple(map(str, Category))}
_FOUND_LATER = frozenset({"fact.runbook"})
FROM_EXPRESSION = frozenset({"metrics", "functions", "words"}) | {
    f"fact.{name}" for name in ("expression", "metrics", "functions", "promql", "prometheus")
}
"""Fields that the enricher `expression` finds."""


def _problems(document: Document, number: int, written: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with what it sets, and with a condition that looks at what is not known yet."""
    given = written.get("set", {"priority": "low"})
    if not isinstance(given, dict) or not given:
        yield document.mistake((number, "set"), f"sets nothing; write one or more of {', '.join(SET)}")
        return
    yield from unknown(document, (number, "set"), given, SET)
    for name, value in given.items():
        if (sentence := _wrong(name, value)) is not None:
            yield document.mistake((number, "set", name), sentence)
    if "when" in written and (sentence := _too_early(written["when"], given)) is not None:
        yield document.mistake((number, "when"), sentence)


def _wrong(name: str, value: Any) -> str | None:
    if name in _WORDS and value not in _WORDS[name]:
        close = get_close_matches(str(value), _WORDS[name], 1)
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(_WORDS[name])}"
        return f'"{str(value)[:60]}" is no {name}; {hint}'
    if name == "expire_after":
        try:
            return None if parse_duration(value) else "must be longer than 0s"
        except ValueError as error:
            return str(error)
    return None


def _too_early(when: Any, given: Mapping[str, Any]) -> str | None:
    try:
        fields = {test.field for test in tests(condition(when))}
    except Unclear:  # told of with its own place
        return None
    if later := fields & _FOUND_LATER:
        return f"{min(later)} is found only when an alert is looked at, long after it was judged"
    if "category" in given and "priority" in fields:
        return "tests the priority, which is judged by the category that this rule sets: make two rules of it"
    return None


def _make(document: Document, number: int, written: Mapping[str, Any]) -> Adjustment:
    given = written["set"]
    return Adjustment(
        id=written["id"],
        when=condition(written["when"], (number, "when")),
        place=0,
        priority=Priority(given["priority"]) if "priority" in given else None,
        category=Category(given["category"]) if "category" in given else None,
        expire_after=span(parse_duration(given["expire_after"])) if "expire_after" in given else None,
        expire_after_as=given.get("expire_after", ""),
        because=written.get("because", ""),
        file=document.file,
        line=document.line((number,)),
        examples=examples(document, number, written.get("examples")),
    )


ADJUSTMENT = Form(keys=KEYS, needed=("when", "set"), problems=_problems, make=_make)
