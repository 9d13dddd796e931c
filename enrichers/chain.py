"""The chain: enrichers one after the other over one alert, each seeing what those before it added."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from enrichers.api import Context
from enrichers.expression import expression
from receiver.domain import adjust
from receiver.domain.enrichment import AlertView, Enrichment, Impact, Term
from receiver.domain.sighting import NOTHING, Sighting
from receiver.domain.times import Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority

LONGEST_TITLE, LONGEST_MESSAGE = 500, 4000
Fared = Literal["ok", "nothing", "failed", "timed out", "skipped"]
_ADDED = frozenset({"facts", "links", "recommendations", "priority_terms"})
SINGLES = tuple(name for name in Enrichment.__dataclass_fields__ if name not in _ADDED)
"""The fields of which the last one said stands."""
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
    expire_after: Span | None = None
    """What a rule set outright; None for the source's own."""


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
JUDGING = "priority"
"""The enricher that looks at the category: before it runs, the category is what rules set it to."""


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
    """Run the inline chain, the sender speaking first. Never raises: an enricher that does is an outcome.

    The adjustments of the rule book have the last word.
    """
    described = _told(sighting)
    adjustments = context.rules.adjustments
    if not adjustments.rules:
        extend(described, chain, context)
        _complete(described.view)
        return described
    read = _read(described.view, context)
    early = _with_category(described, chain, context, read)
    applying = adjustments.late(_seen(described.view, read), early)
    _adopt(described, adjust.priority(applying))
    if (expiry := adjust.expiry(applying)) is not None:
        who, added, described.expire_after = expiry
        _adopt(described, (who, added))
    return described


def looked_at(chain: Sequence[Link], sighting: Sighting, context: Context, *, early: bool) -> AlertView:
    """The alert as adjustments see it: those that set the category `early`, before the priority is judged."""
    described = _told(sighting)
    read = _read(described.view, context)
    if early:
        extend(described, chain[: _split(chain)], context)
    else:
        _with_category(described, chain, context, read)
    return _seen(described.view, read)


def _told(sighting: Sighting) -> Described:
    """The alert after nobody but its sender has spoken."""
    described = Described(view_of(sighting))
    if sighting.told is not NOTHING:
        described.said.append(merge(described.view, SENDER, sighting.told))
    return described


def _complete(view: AlertView) -> None:
    """What every alert has, whoever spoke."""
    view.category = view.category or Category.APPLICATION
    view.priority = view.priority or Priority.MEDIUM
    view.title = (view.title or view.name or "alert without a name")[:LONGEST_TITLE]
    view.message = view.message[:LONGEST_MESSAGE]


def _with_category(
    described: Described, chain: Sequence[Link], context: Context, read: Mapping[str, Any]
) -> list[adjust.Adjustment]:
    """Run the chain, the category set by the rules that do so before the priority is judged; returns those."""
    judging = _split(chain)
    extend(described, chain[:judging], context)
    early = context.rules.adjustments.early(_seen(described.view, read))
    _adopt(described, adjust.category(early))
    extend(described, chain[judging:], context)
    _complete(described.view)
    return early


def _split(chain: Sequence[Link]) -> int:
    """How many of the chain run before the category has to be right."""
    return next((place for place, link in enumerate(chain) if link.name == JUDGING), len(chain))


def _read(view: AlertView, context: Context) -> Mapping[str, Any]:
    """The facts that the alerting rule's expression tells, if any adjustment asks for them."""
    added = expression(view, context) if context.rules.adjustments.reads_expression else None
    return {} if added is None else added.facts


def _seen(view: AlertView, read: Mapping[str, Any]) -> AlertView:
    """The alert as adjustments see it: those facts are added to it only when it is looked at."""
    return replace(view, facts={**view.facts, **read}) if read else view


def _adopt(described: Described, said: tuple[str, Enrichment] | None) -> None:
    if said is not None:
        described.said.append(merge(described.view, *said))


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
    singles = _singly(view, added)
    if added.facts:
        view.facts = {**view.facts, **added.facts}
    if added.priority_terms:
        view.priority_terms += added.priority_terms
    if added.recommendations:
        view.recommendations += added.recommendations
    if added.links:
        view.links += added.links
    return Said(who, singles, tuple(added.facts), len(added.links), len(added.recommendations))


def _singly(view: AlertView, added: Enrichment) -> int:  # noqa: C901 - a loop costs four times as much
    """Put what was said of SINGLES in place; returns which they were: a bit each, the first one lowest."""
    bits = 0
    if added.title is not None:
        view.title, bits = added.title, 1
    if added.message is not None:
        view.message, bits = added.message, bits | 2
    if added.category is not None:
        view.category, bits = added.category, bits | 4
    if added.priority is not None:
        view.priority, bits = added.priority, bits | 8
    if added.subject is not None:
        view.subject, bits = added.subject, bits | 16
    if added.metric is not None:
        view.metric, bits = added.metric, bits | 32
    if added.value is not None:
        view.value, bits = added.value, bits | 64
    if added.threshold is not None:
        view.threshold, bits = added.threshold, bits | 128
    if added.direction is not None:
        view.direction, bits = added.direction, bits | 256
    if added.unit is not None:
        view.unit, bits = added.unit, bits | 512
    if added.overage_percent is not None:
        view.overage_percent, bits = added.overage_percent, bits | 1024
    if added.impact is not None:
        view.impact, bits = added.impact, bits | 2048
    return bits


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
