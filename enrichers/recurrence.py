"""Says whether it happened before: how often in the last days."""

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.history import recurrence as counted
from receiver.domain.history import times_told
from receiver.domain.times import rfc3339


def recurrence(_alert: AlertView, context: Context) -> Enrichment | None:
    """The fact `recurrence`, e.g. "4th time in 7 days"; None the first time."""
    history = context.history
    times = counted(history.episodes)
    if times is None:
        return None
    facts: dict[str, object] = {
        "recurrence": times_told(*times),
        "first_seen": rfc3339(history.episodes[0]),
        "seen_before": rfc3339(history.episodes[-2]),
    }
    if history.previous_id is not None:
        facts["previous_alert"] = history.previous_id
    return Enrichment(facts=facts)
