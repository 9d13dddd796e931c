"""When something mostly happens: claimed only when it happened often enough, on days enough."""

from collections.abc import Mapping

from receiver.domain.value import value

LEAST = 5
"""Fewer times are no pattern."""
LEAST_DAYS = 3
"""What happened on fewer days is one trouble, not a habit."""
LONGEST = 3
"""Hours in a row that still say when to look."""
LEAST_WEEKDAYS = 5
"""On so many different days, all of them from Monday to Friday, it is a matter of weekdays."""
_DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


@value
class Usual:
    """Hours of the day that more than half of the times began in."""

    first: int
    """0..23, by the clocks of the zone that was asked for."""
    hours: int
    """1..3."""
    times: int
    """Of all times, so many began in them."""
    days: int
    """On so many different days."""
    weekly: str
    """"weekdays", "weekends", one day of the week, or "" when the days have nothing in common."""

    @property
    def spoken(self) -> str:
        """12:00-14:00 on weekdays."""
        hours = f"{self.first:02}:00-{(self.first + self.hours) % 24:02}:00"
        return f"{hours} on {self.weekly}" if self.weekly else hours


def weekday(hour: int) -> int:
    """The day of the week that an hour (as in `tally.Hours`) belongs to: 0 for Monday."""
    return (hour // 24 + 3) % 7


def usual(hours: Mapping[int, int]) -> Usual | None:
    """What is usual of times by hour (as in `tally.Hours`); None when nothing is.

    Times within one hour of one day are the same trouble, and must not decide it alone: more than half of those hours,
    too, have to lie within the hours that are named.
    """
    total, cells = sum(hours.values()), len(hours)
    if total < LEAST:
        return None
    by_hour, busy = [0] * 24, [0] * 24
    for hour, n in hours.items():
        by_hour[hour % 24] += n
        busy[hour % 24] += 1
    twice = by_hour + by_hour
    for width in range(1, LONGEST + 1):
        of_width = [sum(twice[start : start + width]) for start in range(24)]
        first = of_width.index(max(of_width))
        within = {(first + k) % 24 for k in range(width)}
        times = sum(by_hour[hour] for hour in within)
        days = {hour // 24 for hour in hours if hour % 24 in within}
        often = times * 2 > total and times >= LEAST
        if often and sum(busy[hour] for hour in within) * 2 > cells and len(days) >= LEAST_DAYS:
            return Usual(first, width, times, len(days), _weekly(days))
    return None


def _weekly(days: set[int]) -> str:
    of_week = {(day + 3) % 7 for day in days}
    if len(of_week) == 1:
        return _DAYS[of_week.pop()]
    if of_week <= {5, 6}:
        return "weekends" if len(days) >= LEAST_DAYS else ""
    return "weekdays" if max(of_week) < 5 and len(days) >= LEAST_WEEKDAYS else ""
