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

Kind = Literal["recommendation", "adjustment"]
Found = Overlaid[Rule] | Overlaid[Adjustment]


@value
class Entry:
    """One rule, in force or switched off."""

    kind: Kind
    id: str
    place: str
    """`file:line`."""
    rule: Rule | Adjustment | None = None
    """None for one that is switched off."""
    replaces: str = ""
    """`file:line` of the shipped one that it takes the place of, or ""."""
    until: int | None = None
    """The last line before the next rule of its file; None for the last rule."""
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
        own = _lines(file)[int(line) - 1 : self.until]
        while own and (not own[-1].strip() or own[-1].startswith("#")):
            own.pop()
        return "\n".join(own)


@cache
def _lines(file: str) -> list[str]:
    return Path(file).read_text(encoding="utf-8").splitlines()


def survey(folder: Path | None = None, named: Callable[[str], Mistake] | None = None) -> tuple[Book, list[Entry]]:
    """The book as `load_book` makes it, and its rules in the order in which they speak; at last those switched off.

    Raises Mistakes as `load_book` does.
    """
    _lines.cache_clear()  # the files may have changed since
    rules = load_rules(folder, named)
    book, recommending, adjusting = book_from(rules), rules.recommending, rules.adjusting
    entries = [_entry(rule, "adjustment", adjusting) for rule in book.adjustments.rules]
    entries += [_entry(rule, "recommendation", recommending) for rule in book.rules]
    of_kinds: tuple[tuple[Kind, Found], ...] = (("adjustment", adjusting), ("recommendation", recommending))
    for kind, found in of_kinds:
        for name, (at, stood) in found.off.items():
            entries.append(Entry(kind, name, stood, until=_until(stood, found), off=at))
    return book, entries


def _entry(rule: Rule | Adjustment, kind: Kind, found: Found) -> Entry:
    place = f"{rule.file}:{rule.line}"
    return Entry(kind, rule.id, place, rule, found.replaced.get(rule.id, ""), _until(place, found))


def _until(place: str, found: Found) -> int | None:
    file, _, line = place.rpartition(":")
    return next((begin - 1 for begin in found.begins[file] if begin > int(line)), None)
