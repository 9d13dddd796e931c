"""Which rules an alert may meet at all, found without trying each: a large book costs little more than a small one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Atom = tuple[str, bool, str]
"""A test of a text that has to hold: (field, whether it is a pattern, the text or pattern)."""
Search = Callable[[str], Iterable[int]]
"""The places of those of many patterns that may fit a text."""
Together = Callable[[Sequence[str]], Search]
"""Makes one Search of many patterns."""


class Gated(Protocol):
    """A condition that knows what has to hold before it can."""

    def gates(self) -> frozenset[Atom] | None:
        """Tests of which at least one holds whenever the condition does; None when there is no telling."""
        ...


@dataclass(frozen=True, slots=True)
class Sieve:
    """The conditions of a book, by what they need."""

    always: tuple[int, ...]
    """Places of the conditions that no test rules out."""
    equal: Mapping[str, Mapping[str, tuple[int, ...]]]
    fitting: Mapping[str, tuple[Search, tuple[tuple[int, ...], ...]]]

    @classmethod
    def of(cls, conditions: Sequence[Gated], fields: Iterable[str], together: Together) -> "Sieve":
        """Sort conditions by their gates; only tests of these fields rule one out."""
        known, always = frozenset(fields), []
        by_atom: dict[Atom, list[int]] = {}
        for place, condition in enumerate(conditions):
            gates = condition.gates()
            if gates is None or any(field not in known for field, _, _ in gates):
                always.append(place)
                continue
            for atom in gates:
                by_atom.setdefault(atom, []).append(place)
        equal: dict[str, dict[str, tuple[int, ...]]] = {}
        patterns: dict[str, dict[str, tuple[int, ...]]] = {}
        for (field, is_pattern, written), places in by_atom.items():
            (patterns if is_pattern else equal).setdefault(field, {})[written] = tuple(places)
        fitting = {field: (together(tuple(found)), tuple(found.values())) for field, found in patterns.items()}
        return cls(tuple(always), equal, fitting)

    def let_through(self, text_of: Callable[[str], str]) -> list[int]:
        """The places of the conditions that may hold for an alert with these texts, in order."""
        places = set(self.always)
        for field, texts in self.equal.items():
            places.update(texts.get(text_of(field), ()))
        for field, (search, found) in self.fitting.items():
            for number in search(text_of(field)):
                places.update(found[number])
        return sorted(places)
