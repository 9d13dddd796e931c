"""What people ask for, act by act: whether it was done already, whether it fits, and what it does.

Who repeats what they did changes nothing. Who comes too late is told who did what meanwhile.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from receiver.domain import acts, trail
from receiver.domain.acts import Illegal
from receiver.domain.alert import Alert, Change
from receiver.domain.changes import change
from receiver.domain.times import MINUTE, Instant
from receiver.domain.vocabulary import Kind, Status

RETRIED = 2 * MINUTE
"""The same act with the same words again within this is a retry or a second click, and no second act."""
METADATA_SIZE, METADATA_NAMES = 64 * 2**10, 200
"""Bytes of JSON, and names, that an Alert's metadata can have."""
DETAIL_SHOWN = 500
"""Characters of a value of metadata in a Change."""


class Excess(Illegal):
    """There would be too much of it."""


@dataclass(slots=True)
class Subject:
    """An Alert with all that acts look at and alter."""

    alert: Alert
    trail: Sequence[Change] = ()
    """Its newest Changes, in order."""
    successor: int | None = None
    """The latest Alert of its key, when that is another."""
    assignee: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act(ABC):
    """Something that somebody does to Alerts."""

    who: str
    at: Instant
    via: str = ""
    why: str = ""
    """Their note, or reason."""

    name: ClassVar[str]
    of_latest: ClassVar[bool] = False
    """True for what says something about the key: only the latest Alert of a key can stand for it."""
    hints: ClassVar[Mapping[Status, str]] = {}
    """The way out, by the status that the act does not fit."""

    @abstractmethod
    def there(self, on: Subject) -> bool:
        """True when the Alert is as the act would make it, whoever made it so."""

    @abstractmethod
    def own(self, on: Subject) -> bool:
        """True when it is so, and needs no second Change: the same person did it, or it matters to nobody who did."""

    @abstractmethod
    def apply(self, on: Subject) -> Change:
        """Do it. Raises Illegal."""

    def after(self, on: Subject, *kinds: Kind) -> Change | None:
        """This person's Change, if it is the newest of these kinds and of the first of them; else None."""
        made = trail.latest(on.trail, kinds)
        return made if made is not None and made.kind is kinds[0] and made.who == self.who else None


def perform(act: Act, on: Subject, version: int | None = None) -> Change | None:
    """Do it to one Alert; None when the same person has done it before. Their new words are kept as a note.

    Raises Illegal, which says who did what, when it does not fit, or when the Alert is not at that version any more.
    """
    own = act.own(on)
    if own and (not act.why.strip() or any(made.who == act.who and made.why == act.why for made in on.trail)):
        return None
    _check_version(act, on, version)
    made = change(on.alert, Kind.NOTED, act.at, act.who, act.why) if own else _applied(act, on)
    return replace(made, via=act.via)


def perform_among(act: Act, on: Subject) -> Change | None:
    """Do it to one of many; None when the Alert is so already, whoever did it. Raises Illegal."""
    return None if act.there(on) else replace(_applied(act, on), via=act.via)


def _applied(act: Act, on: Subject) -> Change:
    alert = on.alert
    if act.of_latest and on.successor is not None:
        raise Illegal(f"alert {alert.id} was followed by alert {on.successor} of the same key: {act.name} that one")
    was = alert.status
    try:
        return act.apply(on)
    except Excess:
        raise
    except Illegal as error:
        cause = trail.cause(alert, on.trail)
        told = f": {trail.did(cause, act.at)}" if cause is not None else ""
        hint = f" ({trail.other_way(alert, act.at) or act.hints[was]})" if was in act.hints else ""
        raise Illegal(f"{error}{told}{hint}") from None


def _check_version(act: Act, on: Subject, version: int | None) -> None:
    now = on.alert.change_count
    if version is None or version == now:
        return
    if version > now:
        raise Illegal(f"alert {on.alert.id} has never had version {version}: it has {now}")
    told = trail.since(on.trail, version, act.at)
    raise Illegal(f"alert {on.alert.id} has changed since version {version}, it has {now} now: {told}")


class Acknowledge(Act):
    """Somebody is working on it."""

    name = "acknowledge"
    hints: ClassVar = {
        Status.SUPPRESSED: "unsuppress it first",
        Status.RESOLVED: "reopen it if it is not over",
        Status.EXPIRED: "reopen it if it is not over",
    }

    def there(self, on: Subject) -> bool:
        return on.alert.status is Status.ACKNOWLEDGED

    def own(self, on: Subject) -> bool:
        return self.there(on) and self.after(on, Kind.ACKNOWLEDGED) is not None

    def apply(self, on: Subject) -> Change:
        return acts.acknowledge(on.alert, self.who, self.at, self.why)


class Resolve(Act):
    """Somebody says that it is over, and what fixed it."""

    name = "resolve"
    hints: ClassVar = {
        Status.RESOLVED: "a note can be added",
        Status.EXPIRED: "with a note that says what fixed it, it can",
    }

    def there(self, on: Subject) -> bool:
        return not on.alert.status.open

    def own(self, on: Subject) -> bool:
        return on.alert.status is Status.RESOLVED and self.after(on, Kind.RESOLVED, Kind.REOPENED) is not None

    def apply(self, on: Subject) -> Change:
        return acts.resolve(on.alert, self.who, self.at, self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppress(Act):
    """Nobody is told of its key until then."""

    until: Instant
    name = "suppress"
    of_latest = True

    def there(self, on: Subject) -> bool:
        alert = on.alert
        quiet = alert.status is Status.SUPPRESSED or not alert.status.open
        return quiet and abs(alert.suppressed_until - self.until) <= RETRIED

    def own(self, on: Subject) -> bool:
        return self.there(on) and self.after(on, Kind.SUPPRESSED, Kind.UNSUPPRESSED) is not None

    def apply(self, on: Subject) -> Change:
        return acts.suppress(on.alert, self.who, self.until, self.at, self.why)


class Unsuppress(Act):
    """People are told of its key again."""

    name = "unsuppress"
    of_latest = True

    def there(self, on: Subject) -> bool:
        return on.alert.status is not Status.SUPPRESSED and on.alert.suppressed_until <= self.at

    def own(self, on: Subject) -> bool:
        return self.there(on) and self.after(on, Kind.UNSUPPRESSED, Kind.SUPPRESSED) is not None

    def apply(self, on: Subject) -> Change:
        alert = on.alert
        if alert.status is Status.SUPPRESSED and alert.suppressed_until <= self.at:
            if alert.hushed_by:
                raise Illegal(f"alert {alert.id} is suppressed by silence {alert.hushed_by}: expire that instead")
            if alert.silenced:
                raise Illegal(f"alert {alert.id} is silenced at its sender: lift that there")
        return acts.lift(alert, self.who, self.at, self.why)


class Reopen(Act):
    """Somebody says that it is not over."""

    name = "reopen"
    of_latest = True

    def there(self, on: Subject) -> bool:
        return on.alert.status.open

    def own(self, on: Subject) -> bool:
        begins_or_ends = (Kind.REOPENED, Kind.OPENED, Kind.RESOLVED, Kind.EXPIRED)
        return self.there(on) and self.after(on, *begins_or_ends) is not None

    def apply(self, on: Subject) -> Change:
        return acts.reopen(on.alert, self.who, self.at, self.why)


class Note(Act):
    """Somebody says something about it."""

    name = "note"

    def there(self, on: Subject) -> bool:
        said = (Kind.NOTED, self.who, self.why)
        return any((one.kind, one.who, one.why) == said and self.at - one.at <= RETRIED for one in on.trail)

    own = there

    def apply(self, on: Subject) -> Change:
        return change(on.alert, Kind.NOTED, self.at, self.who, self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assign(Act):
    """It is somebody's, or with "" nobody's, to look after."""

    to: str
    name = "assign"

    def there(self, on: Subject) -> bool:
        return on.assignee == self.to

    own = there

    def apply(self, on: Subject) -> Change:
        before, on.assignee = on.assignee, self.to
        why = f"assigned to {self.to or 'nobody'}{f': {self.why}' if self.why else ''}"
        made = change(on.alert, Kind.ASSIGNED, self.at, self.who, why)
        return replace(made, detail={"assignee": [before or None, self.to or None]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(Act):
    """Metadata is added to it: each name replaces what it held, None takes it away."""

    metadata: Mapping[str, Any]
    name = "metadata"

    def there(self, on: Subject) -> bool:
        return _text(self.merged(on)) == _text(on.metadata)

    own = there

    def merged(self, on: Subject) -> dict[str, Any]:
        """The Alert's metadata as the act would make it."""
        return {name: held for name, held in (on.metadata | dict(self.metadata)).items() if held is not None}

    def apply(self, on: Subject) -> Change:
        before, on.metadata = on.metadata, self.merged(on)
        if len(on.metadata) > METADATA_NAMES or len(_text(on.metadata).encode()) > METADATA_SIZE:
            most = f"{METADATA_NAMES} names and {METADATA_SIZE // 1024} KiB"
            raise Excess(f"the metadata of alert {on.alert.id} would be more than {most}: take some away (null)")
        made = change(on.alert, Kind.AMENDED, self.at, self.who, self.why)
        altered = [(name, before.get(name), on.metadata.get(name)) for name in self.metadata]
        detail = {f"metadata.{n}": [_short(old), _short(new)] for n, old, new in altered if _text(old) != _text(new)}
        return replace(made, detail=detail)


def _text(held: Any) -> str:
    """As JSON, for which True is not 1."""
    return json.dumps(held, ensure_ascii=False, sort_keys=True)


def _short(held: Any) -> Any:
    """A value for the audit trail, which does not grow with it."""
    told = held if isinstance(held, str) else _text(held)
    return held if len(told) <= DETAIL_SHOWN else f"{told[:DETAIL_SHOWN]}\u2026"
