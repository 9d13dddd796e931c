"""Shows the rule behind an alert: its expression, and where to run it."""

from enrichers import promql
from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment, Link


def expression(alert: AlertView, _context: Context) -> Enrichment | None:
    """The facts `expression` and `prometheus` (its address) and a link, from the `generatorURL`; None without one."""
    reading = promql.read(alert.generator_url)
    if reading is None:
        return None
    facts = {"expression": reading.expression}
    if not reading.server:
        return Enrichment(facts=facts)
    links = (Link("Expression in Prometheus", alert.generator_url),)
    return Enrichment(facts=facts | {"prometheus": reading.server}, links=links)
