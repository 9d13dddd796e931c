"""Silences: which of those in force holds an alert, and what that does to it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from receiver.domain.alert import FOREVER, Alert, Change
from receiver.domain.changes import change
from receiver.domain.matchers import Matcher, fit
from receiver.domain.times import Instant, Span, rfc3339
from receiver.domain.value import value
from receiver.domain.vocabulary import Kind, Status
from receiver.domain.windows import State, Window

WHO = "alertsage"
LONGEST_REASON = 300
"""Characters of a comment that Changes repeat."""


@value
class Terms:
    """What a silence says: which alerts, when, why."""

    matchers: tuple[Matcher, ...]
    window: Window
    schedule: str
    """The cron expression of a recurring one, or ""."""
    zone: str
    """The time zone that it is meant in, or ""."""
    comment: str


@value
class Draft:
    """What somebody wrote of a silence they want, not looked at yet (`receiver.silencing.drafted`)."""

    matchers: tuple[str, ...]
    comment: str
    starts_at: Instant | None = None
    """None for now."""
    ends_at: Instant | None = None
    lasts: Span = 0
    """Of each window of the schedule; without one, from the start to the end."""
    schedule: str = ""
    zone: str = ""


@value
class By:
    """Who does something to a silence, and over which interface (as in Changes)."""

    who: str
    via: str = ""


@value
class SilenceRule:
    """A silence as it stands in a file of rules."""

    id: str
    draft: Draft
    by: str
    file: str
    line: int


@value
class Silence:
    """Terms in the database: nobody is told of alerts that fit all of the matchers while the window is open."""

    id: int
    terms: Terms
    created_by: str
    created_at: Instant
    version: int = 1
    """Counts its changes."""
    rule: str = ""
    """The id of the rule it stands for, or ""."""
    changed_by: str = ""
    """Who changed or ended it last, or ""."""
    changed_at: Instant = 0
    created_via: str = ""
    """Over which interface it was made, as in Changes."""
    changed_via: str = ""

    @property
    def named(self) -> str:
        """`silence 3 (ops: disks are replaced)`."""
        return f"silence {self.id} ({self.created_by}: {self.terms.comment[:LONGEST_REASON]})"

    def state(self, now: Instant) -> State:
        """Where it stands at that moment."""
        return self.terms.window.state(now)

    def fits(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is meant."""
        return fit(self.terms.matchers, labels)

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Label pairs that every alert it means has."""
        return tuple(matcher.pair for matcher in self.terms.matchers if matcher.pair)


class InForce:
    """The silences that have not expired, to be asked for one that is active now and holds an alert."""

    def __init__(self, silences: Iterable[Silence]) -> None:
        self._all = tuple(silences)
        self._from: Instant = 1
        self._until: Instant = 0
        self._active: tuple[Silence, ...] = ()
        self._by_pair: Mapping[tuple[str, str], Sequence[Silence]] = {}
        self._others: Sequence[Silence] = ()

    def __len__(self) -> int:
        return len(self._all)

    def active(self, now: Instant) -> tuple[Silence, ...]:
        """Those that are active at that moment."""
        if not self._from <= now < self._until:
            self._look(now)
        return self._active

    def holding(self, labels: Mapping[str, str], now: Instant, before: int = 0) -> Silence | None:
        """The active silence that holds an alert with these labels: the one with the number `before`, if it still does,
        else the eldest."""
        if not self._all:
            return None
        if not self._from <= now < self._until:
            self._look(now)
        found = None
        for silence in self._likely(labels):
            if (found is None or silence.id < found.id or silence.id == before) and silence.fits(labels):
                if silence.id == before:
                    return silence
                found = silence
        return found

    def _likely(self, labels: Mapping[str, str]) -> Iterator[Silence]:
        if self._by_pair:
            for pair in labels.items():
                yield from self._by_pair.get(pair, ())
        yield from self._others

    def _look(self, now: Instant) -> None:
        """Find those that are active until the next of them changes; a clock that went back is noticed."""
        self._active = tuple(silence for silence in self._all if silence.state(now) is State.ACTIVE)
        self._from = now
        self._until = min((silence.terms.window.next_change(now) for silence in self._all), default=FOREVER)
        by_pair: dict[tuple[str, str], list[Silence]] = defaultdict(list)
        others: list[Silence] = []
        for silence in self._active:
            (by_pair[silence.pairs[0]] if silence.pairs else others).append(silence)
        self._by_pair, self._others = dict(by_pair), others


def begun(alert: Alert, opening: Change, silence: Silence) -> Change:
    """An alert began while a silence held it: the Change that it opened or reopened with, told as it is now."""
    alert.hushed_by = silence.id
    if alert.status is Status.ACTIVE:
        alert.status = Status.SUPPRESSED
    why = f"{opening.why}; {silence.named} holds it" if opening.why else f"{silence.named} holds it"
    return replace(opening, status=alert.status, why=why, detail={**opening.detail, "silence": [None, silence.id]})


def settle(alert: Alert, silence: Silence | None, now: Instant, ended: str = "") -> Change | None:
    """Make it so that `silence` holds the open Alert, or none does; None when it is so already, or is closed.

    An acknowledged one stays acknowledged: nobody is told of it, and what somebody does about it is not forgotten.
    `ended` says why the silence before does not hold it any more.
    """
    before, holder = alert.hushed_by, 0 if silence is None else silence.id
    if before == holder or not alert.status.open:
        return None
    alert.hushed_by = holder
    if silence is not None:
        if alert.status is Status.ACTIVE:
            alert.status = Status.SUPPRESSED
        why = f"{silence.named} holds it" + (f" ({ended})" if before and ended else "")
        made = change(alert, Kind.SUPPRESSED, now, WHO, why)
    else:
        why = ended or f"silence {before} does not hold it any more"
        if alert.status is Status.SUPPRESSED and now < alert.quiet_until:
            made = change(alert, Kind.SUPPRESSED, now, WHO, f"{why}; still suppressed {_by(alert)}")
        else:
            if alert.status is Status.SUPPRESSED:
                alert.status, alert.suppressed_until = Status.ACTIVE, 0
            made = change(alert, Kind.UNSUPPRESSED, now, WHO, why)
    return replace(made, detail={"silence": [before or None, holder or None]})


def _by(alert: Alert) -> str:
    return "by its sender" if alert.silenced else f"until {rfc3339(alert.suppressed_until)}"
