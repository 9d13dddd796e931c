"""Reads a lookup table: CSV with a header, or YAML with a list of mappings; every mistake with its line."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError

from enrichers.api import Problem

LARGEST = 8 * 2**20
"""Bytes of a file."""
MOST = 50_000
"""Rows."""
MOST_COLUMNS = 50
LONGEST = 2000
"""Characters of a cell."""

Cell = str | tuple[str, ...]
"""A text, or several (a list in YAML)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what is not empty, by its column."""

    place: str
    """file:line."""
    cells: Mapping[str, Cell]


def read(path: Path) -> tuple[list[Row], tuple[str, ...]]:
    """The rows in their order, and all columns. Raises Problem, naming file and line."""
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
    except OSError as error:
        raise Problem(f"{path} cannot be read: {error.strerror}") from None
    if len(body) > LARGEST:
        raise Problem(f"{path} has more than {LARGEST} bytes")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(f"{path} is not UTF-8 text (byte {error.start})") from None
    kinds = {".csv": _csv, ".yaml": _yaml, ".yml": _yaml}
    if path.suffix.lower() not in kinds:
        raise Problem(f"{path} must end in .csv, .yaml or .yml")
    rows: list[Row] = []
    for row in kinds[path.suffix.lower()](text, path):
        if len(rows) == MOST:
            raise Problem(f"{row.place}: more than {MOST} rows")
        rows.append(row)
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    if len(columns) > MOST_COLUMNS:
        raise Problem(f"{path} has more than {MOST_COLUMNS} columns")
    return rows, columns


def _csv(text: str, path: Path) -> Iterator[Row]:
    header_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    try:
        for written in reader:
            cells = [cell.strip() for cell in written]
            place = f"{path}:{reader.line_num}"
            if not any(cells):
                continue
            if header is None:
                header = _header(cells, place)
                continue
            if len(cells) > len(header):
                raise Problem(f"{place}: has {len(cells)} cells, the header names {len(header)}")
            named = zip(header, cells, strict=False)
            yield Row(place, {name: _cell(cell, place, name) for name, cell in named if cell})
    except csv.Error as error:
        raise Problem(f"{path}:{reader.line_num}: is not CSV: {error}") from None
    if header is None:
        raise Problem(f"{path} is empty; its first line names the columns")


def _header(cells: list[str], place: str) -> list[str]:
    if not all(cells) or len(set(cells)) < len(cells):
        raise Problem(f"{place}: the header has a column without a name, or one twice")
    return cells


def _yaml(text: str, path: Path) -> Iterator[Row]:
    try:
        found = yaml.compose(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise Problem(f"{path}{line}: is not YAML: {error.problem or error.context}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Problem(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, SequenceNode):
        raise Problem(f"{path} must hold a list of rows, each a mapping: - service: checkout")
    for node in found.value:
        place = f"{path}:{node.start_mark.line + 1}"
        if not isinstance(node, MappingNode):
            raise Problem(f"{place}: is not a mapping of columns")
        yield Row(place, {name: cell for name, cell in _cells(node, place) if cell})


def _cells(row: MappingNode, place: str) -> Iterator[tuple[str, Cell]]:
    seen = set()
    for key, value in row.value:
        name = _text(key, place, "a column")
        if name in seen:
            raise Problem(f"{place}: has {name} twice")
        seen.add(name)
        if isinstance(value, SequenceNode):
            yield name, tuple(one for item in value.value if (one := _text(item, place, name)))
        else:
            yield name, _text(value, place, name)


def _text(node: Node, place: str, name: str) -> str:
    if not isinstance(node, ScalarNode):
        raise Problem(f"{place}: {name} must be a text, a number or a list of them")
    return "" if node.style is None and node.value in _NOTHING else _cell(node.value.strip(), place, name)


_NOTHING = ("", "~", "null", "Null", "NULL")


def _cell(text: str, place: str, name: str) -> str:
    if len(text) > LONGEST:
        raise Problem(f"{place}: {name} has more than {LONGEST} characters")
    return text
