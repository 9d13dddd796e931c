"""The book as people look at it: every rule with where it stands, what it lies over, and its text as written."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal

from receiver.domain.adjust import Adjustment
from receiver.domain.rules import Book, Rule
from receiver.domain.value import value
from receiver.errors import Mistake
from receiver.rulebook.load import Overlaid, book_from, load_rules
from receiver.yamlfile import read


@value
class Entry:
    """One rule, in force or switched off."""

    kind: Literal["recommendation", "adjustment"]
    id: str
    place: str
    """`file:line`."""
    rule: Rule | Adjustment | None = None
    """None for one that is switched off."""
    replaces: str = ""
    """`file:line` of the shipped one that it takes the place of, or ""."""
    off: str = ""
    """`file:line` of what switched it off, or ""."""

    @property
    def does(self) -> str:
        """What it does, in a few words."""
        if isinstance(self.rule, Adjustment):
            return f"sets {self.rule.sets}"
        says = len(self.rule.say) if self.rule else 0
        return "" if self.rule is None else f"{says} recommendation{'' if says == 1 else 's'}"

    @property
    def written(self) -> str:
        """The rule as it is written in its file, without the comments around it."""
        file, _, line = self.place.rpartition(":")
        lines, starts = _file(Path(file))
        end = next((start for start in starts if start > int(line)), len(lines) + 1) - 1
        own = lines[int(line) - 1 : end]
        while own and (not own[-1].strip() or own[-1].startswith("#")):
            own.pop()
        return "\n".join(own)


@cache
def _file(path: Path) -> tuple[list[str], list[int]]:
    """The lines of a rule file, and where its rules begin."""
    starts = sorted({at for where, at in read(path).lines.items() if len(where) == 1})
    return path.read_text(encoding="utf-8").splitlines(), starts


def survey(folder: Path | None = None, named: Callable[[str], Mistake] | None = None) -> tuple[Book, list[Entry]]:
    """The book as `load_book` makes it, and its rules in the order in which they speak; at last those switched off.

    Raises Mistakes as `load_book` does.
    """
    recommending, adjusting = load_rules(folder, named)
    book = book_from(recommending, adjusting)
    entries = [_entry(rule, "adjustment", adjusting) for rule in book.adjustments.rules]
    entries += [_entry(rule, "recommendation", recommending) for rule in book.rules]
    entries += [Entry("adjustment", name, stood, off=at) for name, (at, stood) in adjusting.off.items()]
    entries += [Entry("recommendation", name, stood, off=at) for name, (at, stood) in recommending.off.items()]
    return book, entries


def _entry(
    rule: Rule | Adjustment, kind: Literal["recommendation", "adjustment"], found: Overlaid[Rule] | Overlaid[Adjustment]
) -> Entry:
    return Entry(kind, rule.id, f"{rule.file}:{rule.line}", rule, found.replaced.get(rule.id, ""))
