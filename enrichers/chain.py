"""The chain: enrichers one after the other over one alert, each seeing what those before it added."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Literal, Protocol

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment, Impact, Term
from receiver.domain.sighting import NOTHING, Sighting
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority

LONGEST_TITLE, LONGEST_MESSAGE = 500, 4000
Fared = Literal["ok", "nothing", "failed", "timed out", "skipped"]
_ADDED = frozenset({"facts", "links", "recommendations", "priority_terms"})
SINGLES = tuple(name for name in Enrichment.__dataclass_fields__ if name not in _ADDED)
"""The fields of which the last one said stands."""
_singles = attrgetter(*SINGLES)
_BITS = tuple((1 << place, name) for place, name in enumerate(SINGLES))
_UNKNOWN_IMPACT = Impact()


@value
class Outcome:
    """How one run of one enricher went."""

    enricher: str
    outcome: Fared
    ms: float
    detail: str | None = None
    """Why, when it did not go well."""


@value
class Said:
    """What one of a chain said, without the words."""

    who: str
    singles: int
    """Which of SINGLES: a bit each, the first one lowest."""
    facts: tuple[str, ...]
    links: int
    recommendations: int


@dataclass(slots=True)
class Described:
    """An alert after a chain: what is known of it, who said what, how each enricher fared."""

    view: AlertView
    outcomes: list[Outcome] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)


class Link(Protocol):
    """One enricher of a chain."""

    @property
    def name(self) -> str:
        """As configured."""
        ...

    @property
    def call(self) -> Any:
        """Takes (AlertView, Context); returns an Enrichment or None."""
        ...


SENDER = "sender"
"""Who said what is no enricher's doing (in `provenance`)."""


def view_of(sighting: Sighting) -> AlertView:
    """The alert before anything but labels and annotations has been looked at."""
    return AlertView(
        source=sighting.source,
        kind=sighting.kind,
        fingerprint=sighting.fingerprint,
        name=sighting.name,
        labels=sighting.labels,
        annotations=sighting.annotations,
        generator_url=sighting.generator_url,
        starts_at=sighting.starts_at,
        firing=sighting.firing,
        raw=sighting.raw,
    )


def describe(chain: Sequence[Link], sighting: Sighting, context: Context) -> Described:
    """Run the inline chain, the sender speaking first. Never raises: an enricher that does is an outcome."""
    described = Described(view_of(sighting))
    view = described.view
    if sighting.told is not NOTHING:
        described.said.append(merge(view, SENDER, sighting.told))
    extend(described, chain, context)
    view.category = view.category or Category.APPLICATION
    view.priority = view.priority or Priority.MEDIUM
    view.title = (view.title or view.name or "alert without a name")[:LONGEST_TITLE]
    view.message = view.message[:LONGEST_MESSAGE]
    return described


def extend(described: Described, chain: Sequence[Link], context: Context) -> None:
    """Run some enrichers more over what is known. Never raises: an enricher that does is an outcome."""
    view, began = described.view, time.perf_counter()
    for enricher in chain:
        outcome: Fared = "nothing"
        detail = None
        try:
            added = enricher.call(view, context)
        except Exception as error:  # noqa: BLE001 - around one enricher: the alert says what failed
            added, outcome, detail = None, "failed", f"{type(error).__name__}: {error}"[:500]
            context.log.warning("inline enricher %s failed: %s", enricher.name, detail)
        if added is not None:
            outcome = "ok"
            described.said.append(merge(view, enricher.name, added))
        ended = time.perf_counter()
        described.outcomes.append(Outcome(enricher.name, outcome, round((ended - began) * 1000, 3), detail))
        began = ended


def merge(view: AlertView, who: str, added: Enrichment) -> Said:
    """Add to the view what one of a chain said."""
    singles = 0
    for (bit, name), said in zip(_BITS, _singles(added), strict=True):
        if said is not None:
            setattr(view, name, said)
            singles |= bit
    if added.facts:
        view.facts = {**view.facts, **added.facts}
    if added.priority_terms:
        view.priority_terms += added.priority_terms
    if added.recommendations:
        view.recommendations += added.recommendations
    if added.links:
        view.links += added.links
    return Said(who, singles, tuple(added.facts), len(added.links), len(added.recommendations))


def provenance(said: Iterable[Said]) -> dict[str, Any]:
    """Who said what: a name for each single value and each fact, a list of names for links and recommendations."""
    told: dict[str, Any] = {}
    for one in said:
        told |= dict.fromkeys((name for bit, name in _BITS if one.singles & bit), one.who)
        if one.facts:
            told["facts"] = told.get("facts", {}) | dict.fromkeys(one.facts, one.who)
        for name, many in (("links", one.links), ("recommendations", one.recommendations)):
            if many:
                told[name] = [*told.get(name, ()), *[one.who] * many]
    return told


def as_stored(added: Enrichment, view: AlertView, who: str) -> Enrichment:
    """What a deferred enricher may add to an alert that is judged already.

    The category stays; a priority above the present one raises it, and says so in a term; any other says nothing.
    """
    if added.priority is None or added.priority.rank <= (view.priority or Priority.INFO).rank:
        return replace(added, category=None, priority=None)
    told = Term(who, "asked for more", f"raised to {added.priority}")
    return replace(added, category=None, priority_terms=(*added.priority_terms, told))


def as_json(described: Described) -> dict[str, Any]:
    """The alert in the form of `alertsage explain --json` and of the API, for pydantic_core.to_json; absent is None."""
    view = described.view
    return {
        "fingerprint": view.fingerprint,
        "source": view.source,
        "labels": view.labels,
        "annotations": view.annotations,
        "title": view.title,
        "message": view.message,
        "category": view.category and view.category.value,
        "priority": view.priority and view.priority.value,
        "priority_terms": view.priority_terms,
        "subject": view.subject,
        "metric": view.metric,
        "value": view.value,
        "threshold": view.threshold,
        "direction": view.direction,
        "unit": view.unit,
        "overage_percent": view.overage_percent,
        "impact": view.impact or _UNKNOWN_IMPACT,
        "facts": view.facts,
        "recommendations": view.recommendations,
        "links": view.links,
        "provenance": provenance(described.said),
        "enrichers": described.outcomes,
    }
