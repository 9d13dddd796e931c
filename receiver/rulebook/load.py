"""Rule files read into a Book. A user's folder overlays the shipped book by rule id."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any

from receiver.data import data
from receiver.domain.phrases import Phrase
from receiver.domain.rules import Book, Example, Rule, Say
from receiver.errors import Mistake, Mistakes
from receiver.rulebook.when import Unclear, condition, together
from receiver.yamlfile import Document, read

USUAL_RANK = 100
_RULE = ("id", "when", "say", "because", "rank", "examples", "enabled")
_SAY = ("text", "command", "link", "careful")
_EXAMPLE = ("name", "labels", "annotations", "expr", "kind", "facts")
_Path = tuple[str | int, ...]


def load_book(folder: Path | None = None, named: Callable[[str], Mistake] | None = None) -> Book:
    """The shipped rules, overlaid by the folder's: a known id replaces a rule, `enabled: false` drops it.

    `named` makes a mistake of a sentence about the folder: it knows where that is named. Raises Mistakes with every
    mistake in every file.
    """
    mistakes: list[Mistake] = []
    rules: dict[str, Rule] = {}
    hashed = blake2b(digest_size=8)
    shipped = {str(file) for file in rule_files(data("rules"))}
    for file in (*rule_files(data("rules")), *(rule_files(folder) if folder else ())):
        try:
            document = read(file)
        except Mistakes as found:
            mistakes += found.mistakes
            continue
        hashed.update(repr(document.data).encode())
        for number, rule_id, rule in _rules(document, mistakes):
            if rule is None and rule_id not in rules:
                close = get_close_matches(rule_id, list(rules), 1)
                hint = f"; did you mean {close[0]}?" if close else ""
                sentence = f"{rule_id} is switched off but there is no such rule{hint}"
                mistakes.append(document.mistake((number, "id"), sentence))
            # Taken out first: a replaced rule speaks where its file stands, not where the old one stood.
            rules.pop(rule_id, None)
            if rule is not None:
                rules[rule_id] = rule
    if folder is not None:
        mistakes += _misplaced(folder, named or (lambda sentence: Mistake(str(folder), 0, "", sentence)))
    if mistakes:
        raise Mistakes(mistakes)
    # With the same rank, those of the folder speak first: their writer knows the place.
    ordered = sorted(rules.values(), key=lambda rule: (-rule.rank, rule.file in shipped))
    return Book(tuple(ordered), hashed.hexdigest(), together)


def _misplaced(folder: Path, named: Callable[[str], Mistake]) -> Iterator[Mistake]:
    """What would be ignored in silence otherwise."""
    if not folder.is_dir():
        yield named(f"{folder} is not a folder")
        return
    if not (folder / "recommendations").is_dir():
        yield named(f"{folder} holds no folder recommendations, so no rule of it is read")
    for file in sorted(folder.glob("*.y*ml")):
        yield Mistake(str(file), 0, "", f"is not read here; put it at recommendations/{file.name} inside the folder")


def rule_files(folder: Path) -> list[Path]:
    """The rule files in a folder, in the order in which they are read."""
    return sorted((folder / "recommendations").glob("*.y*ml")) if folder.is_dir() else []


def _rules(document: Document, mistakes: list[Mistake]) -> Iterator[tuple[int, str, Rule | None]]:
    """(place, id, rule) for each rule of the file, None for one that is switched off; mistakes go on the list."""
    if document.data is None:
        return
    if not isinstance(document.data, list):
        mistakes.append(document.mistake((), "is not a list of rules"))
        return
    seen: dict[str, int] = {}
    for number, written in enumerate(document.data):
        problems = [*_problems(document, number, written), *_unclear(document, number, written)]
        if not problems and written["id"] in seen:
            problems = [document.mistake((number, "id"), f"{written['id']} is used twice (line {seen[written['id']]})")]
        if problems:
            mistakes += problems
            continue
        seen[written["id"]] = document.line((number, "id"))
        yield number, written["id"], _rule(document, number, written)


def _problems(document: Document, number: int, written: Any) -> Iterator[Mistake]:
    """What is wrong with the outer form of a rule."""
    if not isinstance(written, dict):
        yield document.mistake((number,), "is not a rule; write id, when and say")
        return
    yield from _unknown(document, (number,), written, _RULE)
    if not isinstance(written.get("id"), str) or not written["id"]:
        yield document.mistake((number,), "has no id")
    if not isinstance(written.get("enabled", True), bool):
        yield document.mistake((number, "enabled"), "is not true or false")
    if written.get("enabled", True) is False:
        return
    for needed in ("when", "say"):
        if needed not in written:
            yield document.mistake((number,), f"has no {needed}")
    if not isinstance(written.get("rank", USUAL_RANK), int):
        yield document.mistake((number, "rank"), "is not a whole number")
    for place, say in enumerate(_said(written)):
        yield from _say_problems(document, (number, "say", place), say)


def _unclear(document: Document, number: int, written: Any) -> Iterator[Mistake]:
    """What is wrong inside a rule's condition and its examples."""
    if not isinstance(written, dict) or written.get("enabled", True) is False:
        return
    for key, read_it in (
        ("when", lambda: condition(written["when"], (number, "when"))),
        ("examples", lambda: _examples(document, number, written["examples"])),
    ):
        try:
            if key in written:
                read_it()
        except Unclear as unclear:
            yield document.mistake(unclear.path, unclear.sentence)


def _say_problems(document: Document, at: _Path, say: Any) -> Iterator[Mistake]:
    """What is wrong with the form of one recommendation."""
    if not isinstance(say, dict) or not isinstance(say.get("text"), str):
        yield document.mistake(at, "is not a recommendation; write text, and perhaps command, link, careful")
        return
    yield from _unknown(document, at, say, _SAY)
    if not say["text"].strip():
        yield document.mistake((*at, "text"), "is empty")
    for key in ("command", "link"):
        if not isinstance(say.get(key, ""), str):
            yield document.mistake((*at, key), "is not a text")
    link = say.get("link")
    if isinstance(link, str) and not link.strip().startswith(("http://", "https://", "{")):
        yield document.mistake((*at, "link"), "is not an address; it begins with http:// or https://")
    if not isinstance(say.get("careful", False), bool):
        yield document.mistake((*at, "careful"), "is not true or false")


def _unknown(document: Document, path: _Path, written: dict[str, Any], known: tuple[str, ...]) -> Iterator[Mistake]:
    for key in written:
        if key not in known:
            close = get_close_matches(key, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(known)}"
            yield document.mistake((*path, key), f"is not known here; {hint}")


def _said(written: dict[str, Any]) -> list[Any]:
    said = written.get("say", [])
    return said if isinstance(said, list) else [said]


def _rule(document: Document, number: int, written: dict[str, Any]) -> Rule | None:
    if written.get("enabled", True) is False:
        return None
    say = tuple(
        Say(
            text=Phrase.of(one["text"].strip()),
            command=Phrase.of(one["command"].strip()) if one.get("command") else None,
            link=Phrase.of(one["link"].strip()) if one.get("link") else None,
            careful=one.get("careful", False),
        )
        for one in _said(written)
    )
    when = condition(written["when"], (number, "when"))
    rank = written.get("rank", USUAL_RANK)
    examples = _examples(document, number, written.get("examples"))
    return Rule(written["id"], when, say, rank, document.file, document.line((number,)), examples)


def _examples(document: Document, number: int, written: Any) -> tuple[Example, ...]:
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
    if not isinstance(given, dict) or not set(given) <= set(_EXAMPLE):
        raise Unclear(at, f"is not an alert; write {_EXAMPLE[0]}, and perhaps {', '.join(_EXAMPLE[1:])}")
    texts = {key: given.get(key) or {} for key in ("labels", "annotations")}
    if not all(isinstance(text, dict) for text in texts.values()):
        raise Unclear(at, "labels and annotations are names with texts")
    made = {key: {name: str(value) for name, value in text.items()} for key, text in texts.items()}
    if not isinstance(given.get("facts") or {}, dict):
        raise Unclear(at, "facts are names with values")
    return Example(
        matches,
        str(given.get("name", "")),
        made["labels"],
        made["annotations"],
        str(given.get("expr", "")),
        document.line(at),
        str(given.get("kind", "alertmanager")),
        given.get("facts") or {},
    )
