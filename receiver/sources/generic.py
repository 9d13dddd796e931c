"""Any JSON, by a layout of the user's own: one body, one alert or many."""

from collections.abc import Mapping
from typing import Any

from receiver.domain.enrichment import Direction, Enrichment, Impact, Link
from receiver.domain.sighting import Quarantined, Sighting, Sightings, Starts
from receiver.domain.times import Instant
from receiver.domain.vocabulary import Priority
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.expression import search
from receiver.sources.fingerprint import fingerprint
from receiver.sources.layout import Layout, Pick, as_count, as_number, as_text, as_time
from receiver.sources.text import bounded, cut, excerpt, kind_of, safe_url, shown

RAW_SIZE = 16 * 2**10
_MESSAGE = 4000
_PRIORITIES = {str(priority): priority for priority in Priority}
KEPT = 10
"""Alerts kept aside of a webhook of which none can be read."""


def parse(headers: Mapping[str, str], document: Any, size: int, source: SourceContext, now: Instant) -> Sightings:
    """Read one webhook. Raises Refused (400, 413), naming the path, for a body that does not fit the layout."""
    del headers, size
    layout = source.layout
    if layout is None:
        raise Refused(f"source {source.name} has no mapping (sources.{source.name}.mapping)")
    alerts = _alerts(document, layout, source)
    taken, bad, left_out = [], [], 0
    for index, alert in enumerate(alerts):
        try:
            if layout.ignore is not None and layout.ignore.holds(alert, document, _at(source, "ignore")):
                left_out += 1
            else:
                taken.append(_Alert(alert, document, layout, source).sighting(now))
        except Refused as why:
            bad.append(Quarantined(index, why.sentence, excerpt(alert)))
    if bad and not taken:
        return Sightings((), tuple(bad[:KEPT]), refusal=bad[0].reason)
    return Sightings(tuple(taken), tuple(bad), ignored="" if taken or bad or not left_out else "ignore")


def _at(source: SourceContext, field: str) -> str:
    return f"sources.{source.name}.mapping.{field}"


def _alerts(document: Any, layout: Layout, source: SourceContext) -> list[Any]:
    found = document
    if layout.alerts:
        found = search(layout.alerts, document, _at(source, "alerts"))
        if found is None:
            raise Refused(f"{_at(source, 'alerts')} ({layout.alerts}) finds nothing in this body")
    alerts = found if isinstance(found, list) else [found]
    if len(alerts) > source.bounds.alerts:
        raise Refused(
            f"{len(alerts)} alerts in one webhook, at most {source.bounds.alerts} are taken (limits.alerts)",
            status=413,
            reason="too_large",
        )
    return alerts


class _Alert:
    """One alert of a body, read field by field."""

    def __init__(self, alert: Any, body: Any, layout: Layout, source: SourceContext) -> None:
        if not isinstance(alert, dict):
            where = f"{_at(source, 'alerts')} ({layout.alerts})" if layout.alerts else f"sources.{source.name}.mapping"
            raise Refused(f"{where}: an alert is a JSON {kind_of(alert)}, not an object")
        self._alert, self._body, self._layout, self._source = alert, body, layout, source

    def sighting(self, now: Instant) -> Sighting:
        """All of it. Raises Refused."""
        layout = self._layout
        name = self._text(layout.name, "name")
        if not name:
            raise Refused(f"{_at(self._source, 'name')} ({layout.name.path}) finds nothing in this body")
        resolved = layout.resolved is not None and layout.resolved.holds(
            self._alert, self._body, _at(self._source, "resolved")
        )
        labels = self._labels(name)
        starts_at = self._time("starts_at")
        ends_at = min(self._time("ends_at") or now, now) if resolved else None
        return Sighting(
            source=self._source.name,
            kind=self._source.kind,
            fingerprint=self._fingerprint(labels),
            firing=not resolved,
            labels=labels,
            annotations={},
            starts_at=min(starts_at or now, ends_at or now),
            ends_at=ends_at,
            starts=Starts.NONE,
            told=self._told(),
            raw=bounded(self._alert, RAW_SIZE),
        )

    def _text(self, pick: Pick, field: str) -> str:
        return pick.text(self._alert, self._body, _at(self._source, field)).strip()

    def _field(self, name: str) -> str:
        pick = self._layout.fields.get(name)
        return "" if pick is None else self._text(pick, name)

    def _labels(self, name: str) -> dict[str, str]:
        labels = {"alertname": name, "severity": self._field("severity"), "category": self._field("category")}
        labels |= {label: self._text(pick, f"labels.{label}") for label, pick in self._layout.labels.items()}
        longest = self._source.bounds.label_size
        return {label: value[:longest] for label, value in labels.items() if value}

    def _fingerprint(self, labels: Mapping[str, str]) -> str:
        picks = self._layout.fingerprint
        if not picks:
            # what an alert is does not change with how bad it is
            return fingerprint({label: value for label, value in labels.items() if label != "severity"})
        told = {str(number): self._text(pick, f"fingerprint.{number}") for number, pick in enumerate(picks)}
        if not any(told.values()):
            paths = ", ".join(pick.path for pick in picks)
            raise Refused(f"{_at(self._source, 'fingerprint')} ({paths}) finds nothing in this body")
        return fingerprint(told)

    def _time(self, name: str) -> Instant | None:
        pick = self._layout.fields.get(name)
        if pick is None:
            return None
        found = pick.of(self._alert, self._body, _at(self._source, name))
        try:
            return as_time(found)
        except ValueError as error:
            raise Refused(f"{_at(self._source, name)} ({pick.path}) is {shown(found)}, {error}") from None

    def _told(self) -> Enrichment:
        layout = self._layout
        links = [(title, safe_url(self._text(pick, f"links.{title}"))) for title, pick in layout.links.items()]
        facts = {
            fact: pick.of(self._alert, self._body, _at(self._source, f"facts.{fact}"))
            for fact, pick in layout.facts.items()
        }
        users = as_count(self._field("users"))
        threshold = as_number(self._field("threshold"))
        side = self._field("direction").lower()
        direction: Direction = "below" if side == "below" else "above"
        return Enrichment(
            title=self._field("title")[:500] or None,
            message=cut(self._field("message"), _MESSAGE) or None,
            subject=self._field("subject")[:300] or None,
            priority=_PRIORITIES.get(self._field("priority").lower()),
            metric=self._field("metric")[:300] or None,
            value=as_number(self._field("value")),
            threshold=threshold,
            unit=self._field("unit")[:40] or None,
            direction=None if threshold is None else direction,
            impact=None if users is None else Impact(users, f"source:{self._source.name}"),
            facts=bounded({fact: value for fact, value in facts.items() if as_text(value)}, RAW_SIZE),
            links=tuple(Link(title, url) for title, url in links if url),
        )
