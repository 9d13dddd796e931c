"""Values inside queries (PromQL, LogQL, Lucene): where one stands, and how it is written there as nothing but text."""

import re
from typing import Literal

Place = Literal["quoted", "pattern", "bare"]
"""Inside double quotes; inside those of a regular expression; anywhere else."""
_MATCHED = re.compile(r"(?:=~|!~|\|~)\s*$")
"""What stands before a text that is read as a regular expression, in PromQL and in LogQL."""


def place(before: str) -> Place:
    """Where a value behind this text stands."""
    quote, opened, escaped = "", 0, False
    for at, character in enumerate(before):
        if escaped:
            escaped = False
        elif character == "\\" and quote in ('"', "'"):
            escaped = True
        elif character == quote:
            quote = ""
        elif not quote and character in "\"'`":
            quote, opened = character, at
    if quote != '"' or escaped:
        return "bare"
    return "pattern" if _MATCHED.search(before[:opened]) else "quoted"


def written(value: str, at: Place) -> str:
    """The value as it is written inside double quotes, as itself; in a regular expression it stands for itself, too."""
    text = re.escape(value) if at == "pattern" else value
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
