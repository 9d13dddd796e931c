"""What patterns mean, in plain words. A sentence claims no more than its figures carry, and says what they are."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from receiver.domain.history import LONGEST_NAME, quoted, spoken
from receiver.domain.patterns import LEAST, Asked, Open
from receiver.domain.spread import length, spread
from receiver.domain.tally import Record, Tally
from receiver.domain.times import DAY, rfc3339
from receiver.domain.usual import usual

TOP = 3
"""Names, flapping alerts and open ones that are spoken of."""
LEAST_RESOLVED = 3
"""Of fewer a median says nothing."""
LONG = DAY
"""An alert that is open for longer is worth a sentence."""


Lengths = Mapping[str, Sequence[int]]
"""By name, sorted."""


def insights(
    tally: Tally, lengths: Lengths, asked: Asked, before: Mapping[str, int] | None, longest: Sequence[Open]
) -> list[str]:
    """What the figures mean: a few sentences, the one that all others rest on first.

    `lengths` are those of each name that were resolved, sorted.
    """
    whole = _whole(tally)
    return [*_extent(tally, asked, before), *_names(tally, lengths), *whole, *_trouble(tally, asked, longest)]


def plain(text: str) -> str:
    """A name from outside, on one line, cut when it is long."""
    return quoted(text, LONGEST_NAME)[1:-1] or "(no name)"


def _extent(tally: Tally, asked: Asked, before: Mapping[str, int] | None) -> Iterator[str]:
    days = f"these {asked.days} days" if asked.days > 1 else "this day"
    if asked.known_since is None:
        yield "No alert is stored: there is nothing to see a pattern in yet."
        return
    if not asked.complete:
        yield f"Nothing is known of what was before {rfc3339(asked.known_since)}: this does not cover all of {days}."
    earlier = None if before is None else sum(before.values())
    if not tally.times:
        yield f"No alert began in {days}."
    elif earlier is None:
        yield f"Alerts began {_times(tally.times)} in {days}."
    else:
        yield f"Alerts began {_times(tally.times)} in {days}, {_times(earlier)} in as many days before."


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"


def _names(tally: Tally, lengths: Lengths) -> Iterator[str]:
    ranked = sorted(tally.records.items(), key=lambda item: (-item[1].times, item[0]))
    for name, record in islice(ranked, TOP):
        if record.times >= LEAST:
            yield _name(name, record, lengths[name], tally.times)


def _name(name: str, record: Record, lengths: Sequence[int], times: int) -> str:
    said = f"{plain(name)}: {record.times} of {times}"
    found = usual(record.hours)
    if found is not None:
        said += f", mostly {found.spoken} ({found.times} of them, on {found.days} days)"
    took = spread(lengths)
    if took.p50 is not None and took.count >= LEAST_RESOLVED:
        said += f"; resolved in {spoken(length(took.p50))} (median of {took.count})"
    elif not record.resolved and record.expired >= LEAST:
        said += f"; never resolved, {record.expired} expired"
    return said + "."


def _whole(tally: Tally) -> Iterator[str]:
    hours = Counter[int]()
    for record in tally.records.values():
        hours.update(record.hours)
    found = usual(hours)
    if found is not None and len(tally.records) > 1:
        yield f"Most alerts begin {found.spoken}: {found.times} of {tally.times}, on {found.days} days."


def _trouble(tally: Tally, asked: Asked, longest: Sequence[Open]) -> Iterator[str]:
    for one in tally.flapping()[:TOP]:
        about = f" on {plain(one.subject)}" if one.subject else ""
        within = spoken(one.until - one.since)
        yield f"{plain(one.name)}{about} flapped: it began {one.times} times within {within} (alert {one.alert})."
    over = sum(record.over for record in tally.records.values())
    ignored = sum(record.ignored for record in tally.records.values())
    if over >= LEAST and ignored * 2 > over:
        yield f"Of the {over} that are over and were told to people, {ignored} ended without anybody doing anything."
    for still in longest[:TOP]:
        if asked.until - still.since >= LONG:
            about = f" on {plain(still.subject)}" if still.subject else ""
            lasted = spoken(asked.until - still.since)
            yield f"{plain(still.name)}{about} has been open for {lasted} (alert {still.alert})."
