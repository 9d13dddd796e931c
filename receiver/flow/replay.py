"""Stored alerts described once more, by another configuration and book: what would change. Stores and sends nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from enrichers import AlertView, Context
from enrichers.chain import SENDER, describe, extend
from receiver.domain.enrichment import Enrichment, History, Impact, Link, Recommendation
from receiver.domain.sighting import NOTHING, Sighting
from receiver.domain.times import Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority
from receiver.flow.setup import Setup
from receiver.sources import KINDS
from receiver.store.kept import Kept

T = TypeVar("T")
_SINGLES = ("subject", "metric", "value", "threshold", "direction", "unit", "overage_percent")


@value
class Judged:
    """What a configuration makes of an alert."""

    category: Category
    priority: Priority
    expire_after: Span | None
    """None when the configuration does not name the alert's source."""
    recommendations: tuple[Recommendation, ...] | None = None
    """None when they are not known: they are not stored."""


@value
class Difference:
    """What would change for one alert."""

    kept: Kept
    before: Judged
    after: Judged
    removed: tuple[Recommendation, ...] = ()
    added: tuple[Recommendation, ...] = ()
    reordered: bool = False
    """True when those that stay would come in another order."""

    @property
    def category(self) -> tuple[Category, Category] | None:
        """(before, after), None when it stays."""
        return _pair(self.before.category, self.after.category)

    @property
    def priority(self) -> tuple[Priority, Priority] | None:
        """(before, after), None when it stays."""
        return _pair(self.before.priority, self.after.priority)

    @property
    def expire_after(self) -> tuple[Span, Span] | None:
        """(before, after), None when it stays or one of them is unknown."""
        before, after = self.before.expire_after, self.after.expire_after
        return None if before is None or after is None else _pair(before, after)

    @property
    def advice(self) -> bool:
        """True when recommendations would change."""
        return bool(self.removed or self.added or self.reordered)

    def __bool__(self) -> bool:
        return bool(self.category or self.priority or self.expire_after or self.advice)


def judge(kept: Kept, setup: Setup) -> Judged:
    """What that configuration makes of the alert; of deferred enrichers what they added then counts."""
    context = Context(kept.last_seen_at, setup.book, History(kept.episodes, kept.notification_count, kept.predecessor))
    described = describe(setup.inline, sighting_of(kept), context)
    view = described.view
    _add(view, kept.added)
    extend(described, setup.shown, context)
    plan = setup.plans.get(kept.source)
    usual = None if plan is None else plan.policy.expire_after
    expire_after = usual if described.expire_after is None else described.expire_after
    return Judged(view.category or kept.category, view.priority or kept.priority, expire_after, view.recommendations)


def stored(kept: Kept) -> Judged:
    """What was made of the alert when it was last described."""
    return Judged(kept.category, _at_least(kept.priority, kept.added), kept.expire_after)


def difference(kept: Kept, before: Judged, after: Judged) -> Difference:
    """Compare what two configurations make of the alert."""
    if before.recommendations is None or after.recommendations is None:
        return Difference(kept, before, after)
    stays = set(before.recommendations) & set(after.recommendations)
    return Difference(
        kept,
        before,
        after,
        removed=tuple(one for one in before.recommendations if one not in stays),
        added=tuple(one for one in after.recommendations if one not in stays),
        reordered=_of(before.recommendations, stays) != _of(after.recommendations, stays),
    )


def sighting_of(kept: Kept) -> Sighting:
    """The last firing sighting, as far as it is kept."""
    kind = KINDS.get(kept.kind)
    sighting = Sighting(
        source=kept.source,
        kind=kept.kind,
        fingerprint=kept.fingerprint,
        firing=kept.firing,
        labels=kept.labels,
        annotations=kept.annotations,
        starts_at=kept.started_at,
        generator_url=kept.generator_url,
        raw=kept.raw,
        told=_told(kept) if any(kept.told) else NOTHING,
    )
    if kind is not None and kind.tell is not None:
        return replace(sighting, told=kind.tell({**kept.raw, "generatorURL": kept.generator_url}, kept.labels))
    return sighting if kind is None or kind.join is None else kind.join(sighting, {})


def _told(kept: Kept) -> Enrichment:
    """What the sender itself said, by what is stored of it: what others said later mostly repeats that."""
    singles, facts, links = kept.told
    detail = kept.detail
    known = {name: detail[name] for name in _SINGLES} | {"title": kept.title, "message": kept.message}
    known |= {"category": kept.category, "priority": _asked(detail), "impact": Impact(**detail["impact"])}
    return Enrichment(
        facts={name: detail["facts"][name] for name in facts if name in detail["facts"]},
        links=tuple(Link(**link) for link in detail["links"][:links]),
        **{name: known[name] for name in singles},
    )


def _asked(detail: Mapping[str, Any]) -> Priority | None:
    """The priority that the sender set, which the reasoning begins with."""
    first = next(iter(detail["priority_terms"]), None)
    return Priority(first["input"]) if first is not None and first["rule"] == SENDER else None


def _add(view: AlertView, added: Any) -> None:
    """What deferred enrichers added, as the rules see it when the alert is looked at."""
    view.facts = {**view.facts, **added.get("facts", {})}
    for name in ("title", "message", *_SINGLES):
        if added.get(name) is not None:
            setattr(view, name, added[name])
    view.priority = _at_least(view.priority or Priority.MEDIUM, added)


def _at_least(priority: Priority, added: Any) -> Priority:
    """A deferred enricher only raises."""
    asked = Priority(added["priority"]) if added.get("priority") else priority
    return asked if asked.rank > priority.rank else priority


def _of(recommendations: Sequence[Recommendation], stays: set[Recommendation]) -> list[Recommendation]:
    return [one for one in recommendations if one in stays]


def _pair(before: T, after: T) -> tuple[T, T] | None:
    return None if before == after else (before, after)
