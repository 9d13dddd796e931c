"""Grafana Alerting's webhook contact point, payload version 1: Alertmanager's form with more in it.

Source: Grafana's alerting receivers (webhook/v1) and its documentation of the webhook notifier.
"""

from collections.abc import Mapping
from typing import Any

from receiver.domain.enrichment import Enrichment, Link
from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.domain.vocabulary import Category
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.labelled import read
from receiver.sources.text import kind_of, safe_url

_LINKS = (
    ("generatorURL", "Rule in Grafana"),
    ("panelURL", "Panel"),
    ("dashboardURL", "Dashboard"),
    ("silenceURL", "Silence it in Grafana"),
    ("imageURL", "Image"),
)
_TROUBLE = {
    "DatasourceNoData": "No data for the rule {rule}",
    "DatasourceError": "Grafana could not evaluate the rule {rule}",
}
"""Names that Grafana gives by itself when a rule cannot be judged; the label `rulename` then names the rule."""
VALUES = 26
"""A rule's queries are named A to Z by default."""


def parse(headers: Mapping[str, str], document: Any, size: int, source: SourceContext, now: Instant) -> Sightings:
    """Read one webhook. Raises Refused (400, 413) for a body that can never be taken."""
    del headers
    if not isinstance(document, dict):
        raise Refused(f"the body is a JSON {kind_of(document)}, not the object that Grafana's webhook sends")
    if not isinstance(document.get("alerts"), list):
        raise Refused(
            'the body has no list "alerts", so it is not Grafana\'s own payload; if the contact point has a custom'
            " payload, remove it or use a source of kind generic"
        )
    if "orgId" not in document and document.get("version") != "1":
        raise Refused("this is not Grafana's webhook payload (version 1); Alertmanager posts to /webhook/alertmanager")
    return read(document, size, source, now, told)


def told(alert: Mapping[str, Any], labels: Mapping[str, str]) -> Enrichment:
    """What Grafana says of an alert besides labels and annotations."""
    links = tuple(Link(title, url) for field, title in _LINKS if (url := safe_url(alert.get(field))))
    facts: dict[str, Any] = {}
    values = _values(alert.get("values"))
    if values:
        facts["values"] = values
    name = labels.get("alertname", "")
    if name == "TestAlert":
        facts["test"] = True
    trouble = _TROUBLE.get(name)
    if trouble is None:
        return Enrichment(facts=facts, links=links)
    rule = labels.get("rulename", "")
    return Enrichment(
        title=trouble.format(rule=rule or "of this alert"),
        message=f"Nobody watches what the rule {rule or 'of this alert'} is for until it can be evaluated again.",
        category=Category.AVAILABILITY,
        subject=rule or None,
        facts=facts,
        links=links,
    )


def _values(values: Any) -> dict[str, float | None]:
    """RefID to number; null where the query gave none."""
    if not isinstance(values, dict):
        return {}
    kept = {name: value for name, value in values.items() if value is None or type(value) in (int, float)}
    return dict(list(kept.items())[:VALUES])
