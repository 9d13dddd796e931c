"""Tables that fit the window."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
from wcwidth import clip, ljust, rjust, width

from receiver.terminal import one_line, visible

UNBOUNDED = 1000
"""Columns when the output is no terminal and COLUMNS says nothing: nothing that is common is cut for `grep`."""
LEAST, FAIR = 16, 32
"""Columns that the text column keeps: before it gets fewer, other columns are left out, and LUXURIES even before it
gets fewer than is fair."""
LUXURIES = 5
"""Columns from this rank on."""
MOST = 28
"""Columns that any other column may take."""
GAP = "  "
COLOURS: Mapping[str, Any] = {
    "critical": {"fg": "red", "bold": True},
    "high": {"fg": "yellow", "bold": True},
    "medium": {"fg": "yellow"},
    "low": {"fg": "cyan"},
    "info": {"dim": True},
    "active": {"fg": "red"},
    "acknowledged": {"fg": "yellow"},
    "suppressed": {"fg": "magenta"},
    "pending": {"fg": "yellow"},
    "expired": {"dim": True},
    "resolved": {"fg": "green"},
}
"""By the cell's own text."""
_INVISIBLE = re.compile(r"[\u200b\u2060\ufeff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column; the last one of a table takes the room that is left."""

    head: str
    rank: int = 0
    """The highest is left out first where the window is narrow; 0 never is."""
    right: bool = False
    """Numbers stand on the right."""


def window() -> int:
    """How many columns there are to write in."""
    return max(1, shutil.get_terminal_size((UNBOUNDED, 24)).columns)


def say(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> None:
    """Print the table; colours only where somebody looks. A column in which nothing stands is left out."""
    for line in lines(columns, rows, window(), sys.stdout.isatty()):
        click.echo(line)


def lines(
    columns: Sequence[Column], rows: Sequence[Sequence[object]], room: int, coloured: bool = False
) -> Iterator[str]:
    """The table's lines, none of them wider than the room."""
    texts = [[plain("" if cell is None else str(cell)) for cell in row] for row in rows]
    shown = _chosen(columns, texts, room)
    last = shown[-1]
    heads = [column.head for column in columns]
    wide = {at: _wide(at, heads, texts) for at in shown if at != last}
    for number, row in enumerate([heads, *texts]):
        parts = []
        for at in shown:
            if at == last:
                parts.append(cut(row[at], max(1, room - sum(wide.values()) - len(GAP) * len(wide))))
            else:
                parts.append((rjust if columns[at].right else ljust)(cut(row[at], wide[at]), wide[at]))
        line = GAP.join(parts).rstrip()
        if not number or not coloured or width(line) > room:
            yield cut(line, room)
        else:
            styles = (COLOURS.get(row[at]) for at in shown)
            yield GAP.join(
                part if style is None else click.style(part, **style) for part, style in zip(parts, styles, strict=True)
            )


def plain(text: str) -> str:
    """The text on one line, without what a terminal would obey or show as nothing."""
    return _INVISIBLE.sub("", visible(one_line(text)))


def cut(text: str, room: int) -> str:
    """The text, at most so many columns wide; where something is missing it ends with an ellipsis."""
    if width(text) <= room:
        return text
    return clip(text, 0, room - 1).rstrip() + "…" if room > 1 else "…"[:room]


def _wide(at: int, heads: Sequence[str], texts: Sequence[Sequence[str]]) -> int:
    return min(MOST, max(width(heads[at]), *(width(row[at]) for row in texts), 0))


def _chosen(columns: Sequence[Column], texts: Sequence[Sequence[str]], room: int) -> list[int]:
    """The places of the columns that there is room for."""
    heads = [column.head for column in columns]
    last = len(columns) - 1
    shown = [at for at, column in enumerate(columns) if at == last or not column.rank or any(r[at] for r in texts)]
    while rest := [at for at in shown if columns[at].rank and at != last]:
        first = max(rest, key=lambda at: columns[at].rank)
        taken = sum(_wide(at, heads, texts) + len(GAP) for at in shown if at != last)
        if taken + (FAIR if columns[first].rank >= LUXURIES else LEAST) <= room:
            break
        shown.remove(first)
    return shown
