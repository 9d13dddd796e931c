"""YAML files with the line of every key, so that a mistake can be told by file and line."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from receiver.errors import Mistake, Mistakes

Path_ = tuple[str | int, ...]


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
    """Read a YAML 1.2 file. Raises Mistakes for what is missing, unreadable, malformed or written twice."""
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
    yaml = YAML(typ="safe", pure=True)
    document = Document(file)
    try:
        node = yaml.compose(text)
        if node is not None:
            _walk(yaml, node, (), document)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        sentence = f"is not YAML: {error.problem or error.context}"
        raise Mistakes([Mistake(file, mark.line + 1 if mark else 0, "", sentence)]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Mistakes([Mistake(file, 0, "", f"is not YAML: {str(error).splitlines()[0]}")]) from None
    return document


def _walk(yaml: YAML, node: Node, path: Path_, document: Document) -> None:
    document.lines.setdefault(path, node.start_mark.line + 1)
    document.data = _build(yaml, node, path, document)


def _build(yaml: YAML, node: Node, path: Path_, document: Document) -> Any:
    if isinstance(node, MappingNode):
        return _mapping(yaml, node, path, document)
    if isinstance(node, SequenceNode):
        items = []
        for index, item in enumerate(node.value):
            document.lines[(*path, index)] = item.start_mark.line + 1
            items.append(_build(yaml, item, (*path, index), document))
        return items
    assert isinstance(node, ScalarNode)  # noqa: S101 - YAML has no fourth kind of node
    return yaml.constructor.construct_object(node)


def _mapping(yaml: YAML, node: MappingNode, path: Path_, document: Document) -> dict[str, Any]:
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
        found[key] = _build(yaml, value_node, (*path, key), document)
    return found
