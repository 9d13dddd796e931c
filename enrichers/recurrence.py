"""Says whether it happened before: how often in the last days."""

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.times import DAY, rfc3339

_DAYS = (1, 7, 30)


def recurrence(_alert: AlertView, context: Context) -> Enrichment | None:
    """The fact `recurrence`, e.g. "4th time in 7 days"; None the first time."""
    history = context.history
    if len(history.episodes) < 2:
        return None
    for days in _DAYS:
        within = [moment for moment in history.episodes if moment > context.now - days * DAY]
        if len(within) > 1:
            span = "24 hours" if days == 1 else f"{days} days"
            facts: dict[str, object] = {
                "recurrence": f"{_ordinal(len(within))} time in {span}",
                "first_seen": rfc3339(history.episodes[0]),
                "seen_before": rfc3339(within[-2]),
            }
            if history.previous_id is not None:
                facts["previous_alert"] = history.previous_id
            return Enrichment(facts=facts)
    return None


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
