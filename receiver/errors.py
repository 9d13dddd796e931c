"""The mistakes people make and the refusals senders get, each as one plain sentence."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a file or variable: where it is and what to write instead."""

    file: str
    line: int
    """1-based; 0 when the place has no line (an environment variable, a missing file)."""
    path: str
    """The dotted path inside the file (`sources.alertmanager.expire_after`), or "" for the file as a whole."""
    sentence: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.sentence}" if self.path else f"{place}: {self.sentence}"


class Mistakes(Exception):  # noqa: N818 - the plural says what it holds: all mistakes at once
    """The configuration or a rule file is wrong; `mistakes` holds every mistake found, in order of place."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


@contextmanager
def gathered(mistakes: list[Mistake]) -> Iterator[None]:
    """Put the Mistakes that are raised within on the list, so that more can be looked for."""
    try:
        yield
    except Mistakes as found:
        mistakes += found.mistakes


class Refused(Exception):  # noqa: N818 - an answer to a sender, not a fault of ours
    """A request is not taken. `status` is the HTTP status it stands for, `reason` the bounded metric label."""

    status = 400
    reason = "invalid"

    def __init__(
        self,
        sentence: str,
        *,
        reason: str | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.headers = dict(headers or {})
        self.sentence = sentence
        self.reason = reason or self.reason
        self.status = status or self.status


class StoreAway(Exception):  # noqa: N818 - a state of the world, not a fault of ours
    """The store cannot be used now (locked, full, unreachable): nothing was stored; try again later."""
