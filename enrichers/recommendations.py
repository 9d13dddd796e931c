"""Says what to do, from the rule book."""

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment


def recommendations(alert: AlertView, context: Context) -> Enrichment | None:
    """What the book's rules recommend for this alert, best first."""
    said = context.rules.recommend(alert)
    return Enrichment(recommendations=said) if said else None
