"""When a silence is in force: once, or in a window that comes again."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from receiver.domain.alert import FOREVER
from receiver.domain.times import Instant, Span


class State(StrEnum):
    """Where a silence stands. One that comes again is pending between its windows."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


class Schedule(Protocol):
    """The moments at which windows begin."""

    def latest(self, now: Instant) -> Instant | None:
        """The last one at or before the moment; None when there is none."""
        ...

    def following(self, now: Instant) -> Instant | None:
        """The first one after the moment; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """From `starts_at` until before `ends_at`; with a schedule only for `lasts` from each of its moments.

    `lasts` is elapsed time: a window of two hours takes two hours in the night of a clock change, too.
    """

    starts_at: Instant
    ends_at: Instant | None
    """None for one that comes again for ever."""
    schedule: Schedule | None = field(default=None, compare=False)
    lasts: Span = 0

    def state(self, now: Instant) -> State:
        """Where it stands at that moment."""
        if self.ends_at is not None and now >= self.ends_at:
            return State.EXPIRED
        if now < self.starts_at:
            return State.PENDING
        return State.ACTIVE if self.schedule is None or now < self._end(now) else State.PENDING

    def next_change(self, now: Instant) -> Instant:
        """The first moment after `now` at which it may stand elsewhere; FOREVER when there is none."""
        moments = [self.starts_at]
        if self.ends_at is not None:
            moments.append(self.ends_at)
        if self.schedule is not None:
            moments.append(self._end(now))
            moments.append(self.schedule.following(max(now, self.starts_at)) or FOREVER)
        return min((moment for moment in moments if moment > now), default=FOREVER)

    def active_until(self, now: Instant) -> Instant | None:
        """When it stops being active, of one that is; windows that touch each other are one. None for never, or
        not within the year."""
        until = self.ends_at if self.ends_at is not None else FOREVER
        if self.schedule is None:
            return until
        end = self._end(now)
        for _ in range(400):
            later = self._end(end)
            if later <= end or end >= until:
                return min(end, until)
            end = later
        return None if self.ends_at is None else self.ends_at

    def next_start(self, now: Instant) -> Instant | None:
        """When it is active next, of one that is not; None for never again."""
        if self.state(now) is not State.PENDING:
            return None
        soonest = max(now, self.starts_at)
        if self.schedule is not None and soonest >= self._end(soonest):
            following = self.schedule.following(soonest)
            if following is None or (self.ends_at is not None and following >= self.ends_at):
                return None
            return following
        return soonest

    def _end(self, now: Instant) -> Instant:
        """The end of the window that began last; 0 when none has begun."""
        began = None if self.schedule is None else self.schedule.latest(now)
        return 0 if began is None else began + self.lasts
