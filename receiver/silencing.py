"""What silences need that the standard library has not: RE2 patterns and cron schedules."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import cast
from zoneinfo import ZoneInfo

import re2
from cronsim import CronSim, CronSimError

from receiver.domain.matchers import Matcher, Search, Unreadable, all_wide, parse
from receiver.domain.silences import Draft, Terms
from receiver.domain.times import DAY, HOUR, Instant, as_datetime, instant
from receiver.domain.windows import Window

LONGEST_PATTERN = 2000
LONGEST_SCHEDULE = 200
LONGEST_COMMENT = 2000
LONGEST_TEXT = 10_000
MOST_MATCHERS = 50
LONGEST_WINDOW = 366 * DAY
LAST_MOMENT: Instant = instant(datetime(9999, 12, 31, tzinfo=UTC))
MEGABYTES = 8
SLACK = 3 * HOUR
"""More than clocks are set forward at once."""
_CACHED = 2048
_BYTE = re.compile(r"(?<!\\)(?:\\\\)*\\C")


def _options() -> re2.Options:
    made = re2.Options()
    made.max_mem = MEGABYTES * 2**20
    made.log_errors = False
    return made


_OPTIONS = _options()


@lru_cache(_CACHED)
def compiled(pattern: str) -> Search:
    """The RE2 pattern, to look with for all of a text. Raises ValueError with its mistake."""
    if len(pattern) > LONGEST_PATTERN:
        raise ValueError(f"it is longer than {LONGEST_PATTERN} characters")
    if _BYTE.search(pattern):
        raise ValueError("it has the escape \\C, which Alertmanager does not know")
    try:
        re2.compile(pattern, _OPTIONS)  # by itself, so that `a)|(b` cannot leave the anchors
        return cast("Search", re2.compile(f"^(?:{pattern})$", _OPTIONS).search)
    except re2.error as error:
        told = error.args[0] if error.args else error
        raise ValueError(told.decode(errors="replace") if isinstance(told, bytes) else str(told)) from None


def matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers in the text. Raises Unreadable."""
    return parse(text, compiled)


class Cron:
    """The moments of a cron expression in a time zone, as Debian's cron would keep them.

    A moment that the clock leaves out comes right after the gap; one that comes twice counts the first time. Those of
    every hour or every few minutes (a `*` for the minute or the hour) are a matter of elapsed time: they come in both.
    """

    def __init__(self, expression: str, zone: str) -> None:
        """Raises Unreadable for what is no cron expression of five fields, or no time zone."""
        if len(expression) > LONGEST_SCHEDULE or len(expression.split()) != 5:
            raise Unreadable(f'"{expression[:80]}" is not five fields of cron, e.g. "0 2 * * SUN"')
        try:
            self._zone = ZoneInfo(zone)
        except (ValueError, KeyError, OSError):
            raise Unreadable(f'"{zone[:80]}" is not a time zone, e.g. Europe/Berlin or UTC') from None
        self._expression = expression
        try:
            first = next(self._moments(0), None)
        except (CronSimError, ValueError, TypeError, AssertionError) as error:
            told = str(error).lower() or "one of its fields"
            raise Unreadable(f'"{expression}" is no cron expression: {told}') from None
        if first is None:
            raise Unreadable(f'"{expression}" never comes')

    def latest(self, now: Instant) -> Instant | None:
        """See `receiver.domain.windows.Schedule`."""
        # from a little later on: looked at backwards from within or right after a gap, what fell into it is not seen
        return next((moment for moment in self._moments(now + SLACK, reverse=True) if moment <= now), None)

    def following(self, now: Instant) -> Instant | None:
        """See `receiver.domain.windows.Schedule`."""
        return next((moment for moment in self._moments(now) if moment > now), None)

    def _moments(self, now: Instant, *, reverse: bool = False) -> Iterator[Instant]:
        for moment in CronSim(self._expression, as_datetime(now).astimezone(self._zone), reverse=reverse):
            yield instant(moment)


@lru_cache(_CACHED)
def cron(expression: str, zone: str) -> Cron:
    """The schedule of that expression in that zone. Raises Unreadable."""
    return Cron(expression, zone)


class Misfit(ValueError):  # noqa: N818 - an answer to a person
    """Why a draft makes no silence, and which of its fields is to blame."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


def drafted(draft: Draft, now: Instant) -> Terms:
    """The terms that the draft stands for; it begins now unless it says otherwise. Raises Misfit."""
    told = matchers_in(draft.matchers)
    comment = draft.comment.strip()
    if not comment:
        raise Misfit("comment", "is empty; say why nobody is to be told")
    if len(comment) > LONGEST_COMMENT:
        raise Misfit("comment", f"is longer than {LONGEST_COMMENT} characters")
    starts = now if draft.starts_at is None else draft.starts_at
    if draft.schedule:
        window, zone = _recurring(draft, starts), draft.zone or "UTC"
    else:
        window, zone = _once(draft, starts), ""
    if window.ends_at is not None and window.ends_at <= starts:
        raise Misfit("ends_at", "is not after its start")
    return Terms(told, window, " ".join(draft.schedule.split()), zone, comment)


def matchers_in(texts: Sequence[str]) -> tuple[Matcher, ...]:
    """The matchers in these texts, of which a silence can be made. Raises Misfit."""
    told: list[Matcher] = []
    for text in texts:
        if len(text) > LONGEST_TEXT:
            raise Misfit("matchers", f"has a text of more than {LONGEST_TEXT} characters")
        try:
            told += matchers(text)
        except Unreadable as error:
            raise Misfit("matchers", str(error)) from None
    if not told:
        raise Misfit("matchers", 'has none; write e.g. alertname="Down"')
    if len(told) > MOST_MATCHERS:
        raise Misfit("matchers", f"has more than {MOST_MATCHERS}")
    if all_wide(told):
        raise Misfit("matchers", "fit the empty text, all of them: that would be every alert without these labels")
    return tuple(told)


def _recurring(draft: Draft, starts: Instant) -> Window:
    if not draft.lasts:
        raise Misfit("lasts", "is missing: how long is each window of the schedule, e.g. 2h")
    if draft.lasts > LONGEST_WINDOW:
        raise Misfit("lasts", "is longer than 366 days")
    try:
        schedule = cron(" ".join(draft.schedule.split()), draft.zone or "UTC")
    except Unreadable as error:
        raise Misfit("zone" if "time zone" in str(error) else "schedule", str(error)) from None
    return Window(starts, draft.ends_at, schedule, draft.lasts)


def _once(draft: Draft, starts: Instant) -> Window:
    if draft.zone:
        raise Misfit("zone", "goes with a schedule; moments say their own offset")
    if draft.lasts and draft.ends_at is not None:
        raise Misfit("lasts", "stands beside ends_at; write one of them")
    if not draft.lasts and draft.ends_at is None:
        raise Misfit("ends_at", "is missing: when does it end? Or how long does it last (lasts: 2h)?")
    ends = starts + draft.lasts if draft.ends_at is None else draft.ends_at
    if ends > LAST_MOMENT:
        raise Misfit("lasts", "ends after the year 9999")
    return Window(starts, ends)
