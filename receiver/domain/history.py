"""What happened to an alert before, and what fixed it then: pure decisions and their wording.

Hours of the day are UTC's. What people wrote is data: it is quoted on one line, bounded, and cannot end its quotes.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from receiver.domain.alert import Change
from receiver.domain.times import DAY, HOUR, MINUTE, SECOND, Instant, Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Kind

WINDOWS = ((1, "24 hours"), (7, "7 days"), (30, "30 days"))
"""Days, and how they are told."""
FLAP_GAP, FLAPS = 30 * MINUTE, 4
"""So many openings, each at most so long after the one before, are flapping."""
LONGEST_QUOTE, LONGEST_NAME, LONGEST_NOTE = 300, 100, 2000
"""Characters of a note in a sentence, of a name in it, of a note as a fact."""
SERVICE_LABELS = (
    "service",
    "service_name",
    "app",
    "app_kubernetes_io_name",
    "application",
    "deployment",
    "statefulset",
    "daemonset",
    "project",
    "job",
)
"""Labels that name the service an alert is about, the most telling first."""
_BEGINS = (Kind.OPENED, Kind.REOPENED)


@value
class Episode:
    """One time that it fired."""

    alert_id: int
    began: Instant
    ended: Instant | None
    """None while it goes on, and when nobody told of its end (it expired, or began anew)."""
    by: str
    """Who ended it, as in Change; "" while `ended` is None."""


@value
class Fix:
    """What a person wrote when resolving an alert of the same key, or a similar one."""

    alert_id: int
    at: Instant
    who: str
    note: str
    took: Span | None
    """From its opening; None when that is not known."""
    similar: bool
    """False for the same key (source and fingerprint), True for another one of the same name and service or subject."""
    subject: str | None
    """What that alert was about."""


@value
class Past:
    """What is remembered of an alert's key and of similar ones, up to the alert's own end if it has one."""

    openings: tuple[Instant, ...]
    """When the key opened or reopened, oldest first, the alert's own last time included; the last 50 of 30 days."""
    episodes: tuple[Episode, ...]
    """The same times with their ends as far as they are known, newest first."""
    fixes: tuple[Fix, ...]
    """Of the same key, then of similar ones; newest first. The alert's present episode is not among them."""


@value
class Pattern:
    """How often, when, and how long."""

    count: int
    """Times within the days, this time included."""
    days: int
    usual_hour: int | None
    """0..23 (UTC) when more than half of them, at least three, began within an hour of it."""
    ended: int
    """Of how many of them the end is known."""
    median: Span | None
    """Half of those took no longer; None when there are none."""
    flaps: int
    """So many openings in quick succession, this one the last; 0 when it does not flap."""
    flapped: Span
    """From the first to the last of them."""


# --- finding --------------------------------------------------------------------------------------------------------


def is_note(change: Change) -> bool:
    """True when a person resolved the Alert and wrote why: what a sender says of an end is no such note."""
    return change.kind is Kind.RESOLVED and bool(change.why.strip()) and not change.who.startswith("source:")


def episodes(changes: Iterable[Change]) -> list[Episode]:
    """The times that these Changes tell of, oldest first; they are in order within each Alert.

    An end that was told after the alert had expired is an end all the same.
    """
    found: list[Episode] = []
    running = False
    for change in changes:
        if change.kind in _BEGINS:
            found.append(Episode(change.alert_id, change.at, None, ""))
            running = True
        elif running and change.kind is Kind.RESOLVED and found[-1].alert_id == change.alert_id:
            found[-1] = Episode(change.alert_id, found[-1].began, change.at, change.who)
            running = False
    return found


def alike(labels: Mapping[str, str], subject: str | None, other: Mapping[str, str], other_subject: str | None) -> bool:
    """True when two alerts of one name are about the same service or subject, or when neither names a service."""
    return service(labels) == service(other) or (subject is not None and subject == other_subject)


def service(labels: Mapping[str, str]) -> tuple[str, str] | None:
    """The label that names the service, and its value; None without one."""
    return next(((name, labels[name]) for name in SERVICE_LABELS if labels.get(name)), None)


def pattern(past: Past) -> Pattern | None:
    """What the times have in common; None the first time in 30 days."""
    told = recurrence(past.openings)
    if told is None:
        return None
    count, days = told
    within = past.openings[-count:]
    lengths = [e.ended - e.began for e in past.episodes if e.ended is not None and e.began >= within[0]]
    flaps = _flaps(past.openings)
    return Pattern(
        count,
        days,
        usual_hour(within),
        len(lengths),
        int(median(lengths)) if lengths else None,
        flaps if flaps >= FLAPS else 0,
        past.openings[-1] - past.openings[-flaps] if flaps >= FLAPS else 0,
    )


def recurrence(openings: Sequence[Instant]) -> tuple[int, int] | None:
    """(times, days) up to the last opening, which counts; None when it is the only one.

    Of 1, 7 and 30 days the fewest that hold more than half of what the next more do: what happens daily is told by
    the month, what happened only today by the day.
    """
    if len(openings) < 2:
        return None
    counts = [sum(moment > openings[-1] - days * DAY for moment in openings) for days, _ in WINDOWS]
    for count, wider, (days, _) in zip(counts, (*counts[1:], 0), WINDOWS, strict=True):
        if count > 1 and count * 2 > wider:
            return count, days
    return None


def usual_hour(moments: Sequence[Instant]) -> int | None:
    """The hour of the day (UTC) within an hour of which more than half of the moments lie, and at least three.

    What follows within an hour of another is the same trouble, flapping, and counts once.
    """
    apart = [moment for place, moment in enumerate(moments) if not place or moment - moments[place - 1] >= HOUR]
    near = [[gap for gap in (_from_hour(moment, hour) for moment in apart) if gap <= HOUR] for hour in range(24)]
    best = max(range(24), key=lambda hour: (len(near[hour]), -sum(near[hour])))
    return best if len(near[best]) >= 3 and len(near[best]) * 2 > len(apart) else None


def _from_hour(moment: Instant, hour: int) -> Span:
    gap = abs(moment % DAY - hour * HOUR)
    return min(gap, DAY - gap)


def _flaps(openings: Sequence[Instant]) -> int:
    """How many openings in quick succession end the list."""
    flaps = 1
    while flaps < len(openings) and openings[-flaps] - openings[-flaps - 1] <= FLAP_GAP:
        flaps += 1
    return flaps


# --- wording --------------------------------------------------------------------------------------------------------


def times_told(count: int, days: int) -> str:
    """4th time in 7 days."""
    ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending} time in {dict(WINDOWS)[days]}"


def summary(found: Pattern) -> str:
    """4th time in 7 days, mostly around 14:00 UTC, median 32 min to resolve."""
    parts = [times_told(found.count, found.days)]
    if found.flaps:
        parts.append(flapping(found))
    if found.usual_hour is not None:
        parts.append(f"mostly around {found.usual_hour:02}:00 UTC")
    if found.median is not None:
        length = spoken(found.median)
        parts.append(f"median {length} to resolve" if found.ended > 1 else f"once resolved in {length}")
    return ", ".join(parts)


def flapping(found: Pattern) -> str:
    """Flapping (6 times within 48 min)."""
    return f"flapping ({found.flaps} times within {spoken(found.flapped)})"


def last_time(fix: Fix, now: Instant) -> str:
    """Last time (3 days ago, 32 min) anna@example.org resolved it: "restarted the pool"."""
    when = ago(now - fix.at) if fix.took is None else f"{ago(now - fix.at)}, {spoken(fix.took)}"
    who = plain(fix.who, LONGEST_NAME) or "somebody"
    if not fix.similar:
        return f"Last time ({when}) {who} resolved it: {quoted(fix.note)}"
    about = f" about {quoted(fix.subject, LONGEST_NAME)}" if fix.subject else ""
    return f"A similar alert{about} ({when}) was resolved by {who}: {quoted(fix.note)}"


def quoted(text: str, longest: int = LONGEST_QUOTE) -> str:
    """What somebody wrote, in quotes, on one line, cut when it is long."""
    return f'"{plain(text, longest)}"'


def plain(text: str, longest: int) -> str:
    """What somebody wrote, on one line, cut when it is long."""
    # cut twice: the first one bounds the work, whatever the text is
    shown = "".join(c if c.isprintable() else " " for c in text[: longest * 4].replace('"', "'"))
    line = " ".join(shown.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}\u2026"


def ago(length: Span) -> str:
    """3 days ago; what is not yet a minute old, or in the future, is "just now"."""
    if length < MINUTE:
        return "just now"
    for unit, name in ((DAY, "day"), (HOUR, "hour")):
        if length >= unit:
            many = length // unit
            return f"{many} {name}{'' if many == 1 else 's'} ago"
    return f"{length // MINUTE} min ago"


def spoken(length: Span) -> str:
    """A length of time for people: 40 s, 32 min, 5 h 20 min, 3 days."""
    seconds = max(0, round(length / SECOND))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days = round(minutes / 1440)
    return f"{days} day{'' if days == 1 else 's'}"
