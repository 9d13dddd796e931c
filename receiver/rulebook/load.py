"""Rule files read into a Book. A user's folder overlays the shipped book by rule id."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from receiver.data import data
from receiver.domain.adjust import Adjustment, Adjustments
from receiver.domain.phrases import Phrase
from receiver.domain.rules import USUAL_RANK, Book, Rule, Say
from receiver.domain.silences import SilenceRule
from receiver.domain.trials import tests
from receiver.errors import Mistake, Mistakes
from receiver.rulebook.adjust import ADJUSTMENT, FROM_EXPRESSION
from receiver.rulebook.folder import look_into, rule_files, shipped
from receiver.rulebook.form import CLOSE, Form, rules_in, unknown
from receiver.rulebook.form import examples as examples_of
from receiver.rulebook.silences import SILENCING
from receiver.rulebook.when import condition, together
from receiver.yamlfile import Document, read

_RULE = ("id", "when", "say", "because", "rank", "examples", "enabled")
_SAY = ("text", "command", "link", "careful", "query", "over")
_OVER = re.compile(r"[1-9][0-9]{0,3}[smhdw]")
_Path = tuple[str | int, ...]


class _Written(Protocol):
    """A rule of any kind."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int: ...


R = TypeVar("R", bound=_Written)


@dataclass(slots=True)
class Overlaid(Generic[R]):
    """Rules of one kind, the user's over the shipped ones."""

    rules: dict[str, R] = field(default_factory=dict)
    """By id, in the order in which they were read."""
    replaced: dict[str, str] = field(default_factory=dict)
    """Where the rule stands (`file:line`) that a later one of the same id took the place of."""
    off: dict[str, tuple[str, str]] = field(default_factory=dict)
    """(where it was switched off, where it stands) of those that were."""
    begins: dict[str, list[int]] = field(default_factory=dict)
    """The lines in which the rules of each file begin."""
    digest: str = ""
    """Changes whenever one of the rules does."""


def load_book(folder: Path | None = None, named: Callable[[str], Mistake] | None = None) -> Book:
    """The shipped rules, overlaid by the folder's: a known id replaces a rule, `enabled: false` drops it.

    `named` makes a mistake of a sentence about the folder: it knows where that is named. Raises Mistakes with every
    mistake in every file.
    """
    return book_from(load_rules(folder, named))


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a book, with what lies over what."""

    recommending: Overlaid[Rule]
    adjusting: Overlaid[Adjustment]
    silencing: Overlaid[SilenceRule]


def book_from(rules: Rules) -> Book:
    """The book that these rules make."""
    recommending, adjusting = rules.recommending, rules.adjusting
    own = {str(file) for file in rule_files(data("rules"))}
    # With the same rank, those of the folder speak first: their writer knows the place.
    ordered = sorted(recommending.rules.values(), key=lambda rule: (-rule.rank, rule.file in own))
    adjusted = sorted(adjusting.rules.values(), key=lambda rule: rule.file in own)
    silences = tuple(rules.silencing.rules.values())
    return Book(tuple(ordered), recommending.digest, together, _adjustments(adjusted, adjusting.digest), silences)


def load_rules(folder: Path | None = None, named: Callable[[str], Mistake] | None = None) -> Rules:
    """All rules that recommend, adjust and silence. Raises Mistakes as `load_book` does."""
    mistakes: list[Mistake] = []
    folders = [shipped(), *([look_into(folder, named)] if folder else ())]
    recommending = _overlaid([file for at in folders for file in at.recommending], RECOMMENDING, mistakes)
    adjusting = _overlaid([file for at in folders for file in at.adjusting], ADJUSTMENT, mistakes)
    silencing = _overlaid([file for at in folders for file in at.silencing], SILENCING, mistakes)
    mistakes += [mistake for at in folders for mistake in at.mistakes]
    if mistakes:
        raise Mistakes(mistakes)
    return Rules(recommending, adjusting, silencing)


def _shipped(file: str) -> bool:
    return Path(file).is_relative_to(data("rules"))


@dataclass(frozen=True, slots=True)
class _File(Generic[R]):
    """One file, read."""

    document: Document | None = None
    digest: bytes = b""
    """Of what it says."""
    begins: list[int] = field(default_factory=list)
    """The lines in which its rules begin."""
    rules: tuple[tuple[int, str, R | None], ...] = ()
    mistakes: tuple[Mistake, ...] = ()


_SHIPPED: dict[tuple[str, int, int], _File[Any]] = {}
"""The files that came with alertsage, by path, time and size: they are the same at every reload."""


def _read(file: Path, form: Form[R]) -> _File[R]:
    if not _shipped(str(file)):
        return _fresh(file, form)
    try:
        stat = file.stat()
    except OSError:  # told of with its reason when it is read
        return _fresh(file, form)
    key = (str(file), stat.st_mtime_ns, stat.st_size)
    if key not in _SHIPPED:
        _SHIPPED[key] = told = _fresh(file, form)
        if told.document is not None:
            told.document.data, told.document.lines = None, {}  # only mistakes ask for them
    return _SHIPPED[key]


def _fresh(file: Path, form: Form[R]) -> _File[R]:
    try:
        document = read(file)
    except Mistakes as wrong:
        return _File(mistakes=wrong.mistakes)
    mistakes: list[Mistake] = []
    rules = [*rules_in(document, form, mistakes)]
    written = document.data if isinstance(document.data, list) else []
    begins = [document.line((number,)) for number in range(len(written))]
    digest = blake2b(repr(document.data).encode(), digest_size=8).digest()
    return _File(document, digest, begins, tuple(rules), tuple(mistakes))


def _overlaid(files: list[Path], form: Form[R], mistakes: list[Mistake]) -> Overlaid[R]:
    found: Overlaid[R] = Overlaid()
    hashed = blake2b(digest_size=8)
    for file in files:
        told = _read(file, form)
        mistakes += told.mistakes
        if told.document is None:
            continue
        document, begins = told.document, told.begins
        hashed.update(told.digest)
        found.begins[document.file] = begins
        for number, rule_id, rule in told.rules:
            before = found.rules.get(rule_id)
            if rule is None and before is None:
                close = get_close_matches(rule_id, list(found.rules), 1, CLOSE)
                hint = f"; did you mean {close[0]}?" if close else ""
                sentence = f"{rule_id} is switched off but there is no such rule{hint}"
                mistakes.append(Mistake(document.file, document.line((number, "id")), f"{rule_id}.id", sentence))
            if rule is not None and before is not None and _shipped(before.file) == _shipped(document.file):
                sentence = f"{rule_id} is used already at {before.file}:{before.line}; ids are unique in a folder"
                mistakes.append(Mistake(document.file, begins[number], f"{rule_id}.id", sentence))
            # Taken out first: a replaced rule speaks where its file stands, not where the old one stood.
            found.rules.pop(rule_id, None)
            stood = f"{before.file}:{before.line}" if before else ""
            if rule is None:
                found.off[rule_id] = (f"{document.file}:{begins[number]}", stood)
                continue
            found.rules[rule_id] = rule
            if before:
                found.replaced[rule_id] = stood
    found.digest = hashed.hexdigest() if found.rules else ""
    return found


def _adjustments(rules: list[Adjustment], digest: str) -> Adjustments:
    placed = tuple(replace(rule, place=place) for place, rule in enumerate(rules))
    reads_expression = any(test.field in FROM_EXPRESSION for rule in rules for test in tests(rule.when))
    return Adjustments(placed, digest, reads_expression, together)


def _problems(document: Document, number: int, written: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with the keys of a rule that recommends."""
    rank = written.get("rank", USUAL_RANK)
    if not isinstance(rank, int) or isinstance(rank, bool):
        yield document.mistake((number, "rank"), "is not a whole number")
    for place, say in enumerate(_said(written)):
        yield from _say_problems(document, (number, "say", place), say)


def _say_problems(document: Document, at: _Path, say: Any) -> Iterator[Mistake]:
    """What is wrong with the form of one recommendation."""
    if not isinstance(say, dict) or not isinstance(say.get("text"), str):
        yield document.mistake(at, "is not a recommendation; write text, and perhaps command, link, careful")
        return
    yield from unknown(document, at, say, _SAY)
    if not say["text"].strip():
        yield document.mistake((*at, "text"), "is empty")
    for key in ("command", "link", "query"):
        if not isinstance(say.get(key, ""), str):
            yield document.mistake((*at, key), "is not a text")
    if "link" in say and "query" in say:
        yield document.mistake((*at, "query"), "stands beside a link; a query makes the link, so write one of them")
    if "over" in say and ("query" not in say or not _OVER.fullmatch(str(say["over"]))):
        yield document.mistake((*at, "over"), "is not the time that a query's graph shows, e.g. over: 6h")
    link = say.get("link")
    if isinstance(link, str) and not link.strip().startswith(("http://", "https://", "{")):
        yield document.mistake((*at, "link"), "is not an address; it begins with http:// or https://")
    if not isinstance(say.get("careful", False), bool):
        yield document.mistake((*at, "careful"), "is not true or false")


def _said(written: Mapping[str, Any]) -> list[Any]:
    said = written.get("say", [])
    return said if isinstance(said, list) else [said]


def _rule(document: Document, number: int, written: Mapping[str, Any]) -> Rule:
    say = tuple(
        Say(
            text=Phrase.of(one["text"].strip()),
            command=Phrase.of(one["command"].strip()) if one.get("command") else None,
            link=Phrase.of(one["link"].strip()) if one.get("link") else None,
            careful=one.get("careful", False),
            query=Phrase.of(one["query"].strip()) if one.get("query") else None,
            over=one.get("over"),
        )
        for one in _said(written)
    )
    when = condition(written["when"], (number, "when"))
    rank = written.get("rank", USUAL_RANK)
    examples = examples_of(document, number, written.get("examples"))
    return Rule(written["id"], when, say, rank, document.file, document.line((number,)), examples)


RECOMMENDING = Form(keys=_RULE, needed=("when", "say"), problems=_problems, make=_rule)
