"""Sets the priority, with its terms."""

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.priority import of_alert


def priority(alert: AlertView, _context: Context) -> Enrichment:
    """The priority and the reasoning behind it."""
    found, terms = of_alert(alert)
    return Enrichment(priority=found, priority_terms=terms)
