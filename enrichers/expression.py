"""Shows the rule behind an alert: its expression, and where to run it."""

from enrichers import promql
from enrichers.api import Context
from enrichers.query import query
from receiver.domain.enrichment import AlertView, Enrichment, Link


def expression(alert: AlertView, _context: Context) -> Enrichment | None:
    """What the rule says, from the `generatorURL`; None without an expression there.

    The facts `expression`, `metrics`, `functions`, `promql` (what is measured, for this alert's own series) and
    `prometheus` (its address), and a link.
    """
    reading = promql.read(alert.generator_url)
    if reading is None:
        return None
    facts: dict[str, object] = {"expression": reading.expression, "metrics": list(reading.metrics)}
    if reading.functions:
        facts["functions"] = sorted(reading.functions)
    if (asked := query(reading.measured, alert.labels)) is not None:
        facts["promql"] = asked
    if not reading.server:
        return Enrichment(facts=facts)
    links = (Link("Expression in Prometheus", alert.generator_url),)
    return Enrichment(facts=facts | {"prometheus": reading.server}, links=links)
