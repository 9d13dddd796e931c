"""Reads a lookup table: CSV with a header, or YAML with a list of mappings; every mistake with its line."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

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
    """file:line, or file and the number of the row in YAML."""
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
        found = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise Problem(f"{path}{line}: is not YAML: {error.problem or error.context}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise Problem(f"{path} is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(found, list):
        raise Problem(f"{path} must hold a list of rows, each a mapping: - service: checkout")
    for number, row in enumerate(found, 1):
        place = f"{path}: row {number}"
        if not isinstance(row, dict):
            raise Problem(f"{place} is not a mapping of columns")
        cells = {str(name): _value(value, place, str(name)) for name, value in row.items()}
        yield Row(place, {name: cell for name, cell in cells.items() if cell})


def _value(value: Any, place: str, name: str) -> Cell:
    if isinstance(value, list):
        return tuple(one for item in value if (one := _text(item, place, name)))
    return _text(value, place, name)


def _text(value: Any, place: str, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        raise Problem(f"{place}: {name} must be a text, a number or a list of them")
    return _cell(str(value).strip(), place, name)


def _cell(text: str, place: str, name: str) -> str:
    if len(text) > LONGEST:
        raise Problem(f"{place}: {name} has more than {LONGEST} characters")
    return text
