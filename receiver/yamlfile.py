"""YAML files with the line of every key, so that a mistake can be told by file and line."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError

from receiver.errors import Mistake, Mistakes

Path_ = tuple[str | int, ...]
MOST = 500_000
"""Values of a file, aliases written out: a few lines of aliases of aliases stand for billions."""
DEEPEST = 100
"""Levels of lists and sections within each other: whoever reads them goes down as far."""


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The C parser, for a book of a thousand rules; with the words of YAML 1.2: `yes`, `on` and `12:30` are texts."""

    yaml_implicit_resolvers: Mapping[str, object] = {}

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        """The tag of a node that has none: most are texts, which shows in their first character."""
        if kind is ScalarNode and not (implicit[0] and value[:1] in self.yaml_implicit_resolvers):
            return "tag:yaml.org,2002:str"
        return str(super().resolve(kind, value, implicit))


_PLAIN: Mapping[str, tuple[re.Pattern[str], str, Callable[[str], Any]]] = {
    "null": (re.compile(r"null|Null|NULL|~|"), "nN~", lambda _: None),
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF", lambda text: text.lower() == "true"),
    "int": (re.compile(r"[-+]?[0-9]+"), "-+0123456789", int),
    "octal": (re.compile(r"0o[0-7]+"), "0", lambda text: int(text[2:], 8)),
    "hex": (re.compile(r"0x[0-9a-fA-F]+"), "0", lambda text: int(text, 16)),
    "float": (
        re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"),
        "-+.0123456789",
        float,
    ),
    "infinite": (re.compile(r"[-+]?\.(?:inf|Inf|INF)"), "-+.", lambda text: float(text.replace(".", ""))),
    "no number": (re.compile(r"\.(?:nan|NaN|NAN)"), ".", lambda _: float("nan")),
}
"""The core schema of YAML 1.2: pattern, first characters, what it means."""
for _kind, (_pattern, _firsts, _) in _PLAIN.items():
    _Loader.add_implicit_resolver(_kind, re.compile(rf"(?:{_pattern.pattern})\Z"), [*_firsts, ""])


@dataclass(slots=True)
class Document:
    """One YAML file: its plain data, and the 1-based line of every path in it."""

    file: str
    data: Any = None
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """The line of the path, or of its nearest parent that has one; 0 when the document is empty."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return 0

    def mistake(self, path: Path_, sentence: str) -> Mistake:
        """A Mistake at that path of this document."""
        return Mistake(self.file, self.line(path), ".".join(map(str, path)), sentence)


def read(path: Path, shown_as: str | None = None) -> Document:
    """Read a YAML 1.2 file. Raises Mistakes for what is missing, unreadable, malformed, written twice or beyond
    bounds (`MOST`, `DEEPEST`)."""
    file = shown_as or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise Mistakes([Mistake(file, 0, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise Mistakes([Mistake(file, 0, "", "is not UTF-8 text")]) from None
    return parse(text, file)


def parse(text: str, file: str) -> Document:
    """Read YAML text that came from `file`. Raises Mistakes as `read` does."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is not None:
            _walk(node, (), document)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        sentence = f"is not YAML: {error.problem or error.context}"
        raise Mistakes([Mistake(file, mark.line + 1 if mark else 0, "", sentence)]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Mistakes([Mistake(file, 0, "", f"is not YAML: {str(error).splitlines()[0]}")]) from None
    return document


def _walk(node: Node, path: Path_, document: Document) -> None:
    document.lines.setdefault(path, node.start_mark.line + 1)
    document.data = _build(node, path, document)


def _build(node: Node, path: Path_, document: Document) -> Any:
    if len(document.lines) > MOST:
        raise _too_much(node, document, f"holds more than {MOST:,} values, aliases written out")
    if len(path) > DEEPEST:
        raise _too_much(node, document, f"is nested more than {DEEPEST} levels deep")
    if isinstance(node, MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            document.lines[(*path, index)] = item.start_mark.line + 1
            items.append(_build(item, (*path, index), document))
        return items
    assert isinstance(node, ScalarNode)  # noqa: S101 - YAML has no fourth kind of node
    return _scalar(node)


def _too_much(node: Node, document: Document, sentence: str) -> Mistakes:
    return Mistakes([Mistake(document.file, node.start_mark.line + 1, "", sentence)])


def _scalar(node: ScalarNode) -> Any:
    if node.tag in _PLAIN:
        return _PLAIN[node.tag][2](node.value)
    if node.tag.startswith("!"):
        raise yaml.constructor.ConstructorError(None, None, f"has a tag, {node.tag}", node.start_mark)
    wanted = node.tag.removeprefix("tag:yaml.org,2002:")
    known = _PLAIN.get(wanted)
    return known[2](node.value) if known is not None else node.value


def _mapping(node: MappingNode, path: Path_, document: Document) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise Mistakes([Mistake(document.file, line, ".".join(map(str, path)), "has a key that is no text")])
        key = str(key_node.value)
        if key in found:
            sentence = f"is written twice (first on line {document.lines[(*path, key)]})"
            raise Mistakes([Mistake(document.file, line, ".".join(map(str, (*path, key))), sentence)])
        document.lines[(*path, key)] = line
        found[key] = _build(value_node, (*path, key), document)
    return found
