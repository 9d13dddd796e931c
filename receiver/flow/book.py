"""The rule book over interfaces: its rules as data, and webhook bodies tried on it. Nothing is stored."""

from collections.abc import Iterator, Sequence
from typing import Any

from receiver.domain import times
from receiver.domain.adjust import Adjustment
from receiver.domain.phrases import Values
from receiver.domain.rules import Rule
from receiver.domain.sighting import Sightings
from receiver.domain.trials import trials
from receiver.errors import Refused
from receiver.flow.setup import Setup, context_of, survey_of
from receiver.flow.tryout import Tryout
from receiver.rulebook import Entry
from receiver.settings import Settings
from receiver.settings.sources import Source
from receiver.sources.reading import read
from receiver.sources.shape import NO_FORM, form_of

MOST_TRIED = 20
"""Alerts of one body."""


def rules(settings: Settings) -> list[dict[str, Any]]:
    """Every rule with its text, in the order in which they speak, at last those switched off. Raises Mistakes.

    Reads the files: takes as long as a reload.
    """
    _, entries = survey_of(settings)
    return [as_data(entry) | {"text": entry.written} for entry in entries]


def as_data(entry: Entry) -> dict[str, Any]:
    """One rule as data, without its text."""
    file, line = file_and_line(entry.place)
    rule = entry.rule
    return {
        "id": entry.id,
        "kind": entry.kind,
        "rank": rule.rank if isinstance(rule, Rule) else None,
        "recommendations": len(rule.say) if isinstance(rule, Rule) else 0,
        "sets": rule.sets if isinstance(rule, Adjustment) else None,
        "file": file,
        "line": line,
        "replaces": entry.replaces or None,
        "switched_off_by": entry.off or None,
    }


def file_and_line(written: str) -> tuple[str, int]:
    """File and line of `file:line`."""
    file, _, line = written.rpartition(":")
    return file, int(line)


def sightings(body: bytes, settings: Settings, source: str | None, naming: str = "?source=NAME") -> Sightings:
    """A body as the named source would read it, else as the first of the kind that its form tells.

    Raises Refused; `naming` is how a source is named.
    """
    if source is None:
        kind = form_of(body, settings.limits.values)
        if kind is None:
            raise Refused(f"{NO_FORM}; name the source that it is for: {naming}")
        source = next((known for known, one in settings.sources.items() if one.kind == kind), kind)
    configured = settings.sources.get(source) or Source.model_validate({"kind": source})
    return read({}, body, context_of(settings, source, configured), times.now())


def tried(setup: Setup, body: bytes, source: str | None, rule_id: str | None) -> dict[str, Any]:
    """What the rules in force say of each alert of a webhook's body, and why; or why that one does or does not.

    Raises Refused.
    """
    if source is not None and source not in setup.settings.sources:
        raise Refused(f"there is no source {source[:80]!r}; there is {', '.join(setup.settings.sources)}")
    book = setup.book
    every: Sequence[Rule | Adjustment] = (*book.adjustments.rules, *book.rules)
    asked = [rule for rule in every if rule.id == rule_id]
    if rule_id is not None and not asked:
        raise Refused(f"there is no rule {rule_id[:80]!r} in force; GET /api/v1/rules lists them", status=404)
    said = sightings(body, setup.settings, source)
    if said.refusal:
        raise Refused(said.refusal)
    shown = []
    for sighting in said.alerts[:MOST_TRIED]:
        attempt = Tryout(setup, sighting)
        view = attempt.view
        alert = {"name": view.name, "title": view.title, "priority": view.priority, "category": view.category}
        shown.append(alert | {"rules": list(_spoken(attempt, asked or attempt.applying()))})
    return {
        "alerts": shown,
        "left_out": max(0, len(said.alerts) - MOST_TRIED),
        "unread": [{"index": bad.index, "reason": bad.reason} for bad in said.quarantined[:MOST_TRIED]],
    }


def _spoken(attempt: Tryout, judged: Sequence[Rule | Adjustment]) -> Iterator[dict[str, Any]]:
    for rule in judged:
        view = attempt.seen_by(rule)
        applies = bool(rule.when.holds(view))
        says = [] if isinstance(rule, Adjustment) else [say.about(Values(attempt.view), rule.id) for say in rule.say]
        yield {
            "id": rule.id,
            "kind": "adjustment" if isinstance(rule, Adjustment) else "recommendation",
            "applies": applies,
            "rank": rule.rank if isinstance(rule, Rule) else None,
            "sets": rule.sets if isinstance(rule, Adjustment) else None,
            "says": [one.text for one in says if one is not None] if applies else [],
            "file": rule.file,
            "line": rule.line,
            "why": [
                {"depth": trial.depth, "test": trial.said, "held": trial.held, "saw": trial.saw}
                for trial in trials(rule.when, view)
            ],
        }
