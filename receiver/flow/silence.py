"""What people do with silences: make, change, end, try out; and what the file of rules says of them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from receiver.domain import times
from receiver.domain.matchers import Matcher
from receiver.domain.silences import By, Draft, Silence, SilenceRule, Terms
from receiver.domain.times import Instant, rfc3339
from receiver.domain.value import value
from receiver.domain.windows import State
from receiver.errors import Refused
from receiver.settings.units import format_duration
from receiver.silencing import Misfit, drafted, matchers_in
from receiver.store import Connection, Store, silences

log = logging.getLogger("alertsage.silences")


@value
class Edit:
    """What somebody changes of a silence: what is not named stays as it is."""

    fields: Mapping[str, Any]
    """Fields of Draft."""
    version: int | None
    """The version that they have seen; None when they do not say."""


def matchers_of(texts: tuple[str, ...]) -> tuple[Matcher, ...]:
    """The matchers in these texts, of which a silence could be made. Raises Refused (422)."""
    try:
        return matchers_in(texts)
    except Misfit as misfit:
        raise Refused(f"{misfit.field}: {misfit.sentence}", status=422) from None


async def create(store: Store, draft: Draft, by: By) -> Silence:
    """Make a silence, which begins now at the earliest. Raises Refused (409, 422) and StoreAway."""
    now = times.now()
    terms = _terms(draft, now)
    starts = max(terms.window.starts_at, now)
    terms = replace(terms, window=replace(terms.window, starts_at=starts))
    made = await store.write(lambda c: silences.add(c, terms, by, now))
    log.info("%s made %s", by.who, made.named)
    return made


async def edit(store: Store, number: int, change: Edit, by: By) -> Silence:
    """Change a silence. Raises Refused (404, 409, 422) and StoreAway."""
    now = times.now()

    def decide(known: Silence) -> Terms | None:
        _editable(known, change.version)
        if known.state(now) is State.EXPIRED:
            ended = rfc3339(known.terms.window.ends_at or 0)
            raise Refused(f"silence {known.id} expired at {ended}: make a new one", status=409)
        terms = _terms(_with(known, change.fields), now)
        return None if terms == known.terms else terms

    return await _altered(store, number, decide, by, now)


async def expire(store: Store, number: int, version: int | None, by: By) -> Silence:
    """End a silence now; one that has expired stays as it is. Raises Refused (404, 409) and StoreAway."""
    now = times.now()

    def decide(known: Silence) -> Terms | None:
        if known.state(now) is State.EXPIRED:
            return None
        _editable(known, version)
        return _ended(known.terms, now)

    return await _altered(store, number, decide, by, now)


async def _altered(store: Store, number: int, decide: Any, by: By, now: Instant) -> Silence:
    altered = await store.write(lambda c: silences.alter(c, number, decide, by, now))
    if altered is None:
        raise Refused(f"there is no silence {number}", status=404)
    return altered


def _terms(draft: Draft, now: Instant) -> Terms:
    try:
        terms = drafted(draft, now)
    except Misfit as misfit:
        raise Refused(f"{misfit.field}: {misfit.sentence}", status=422) from None
    if terms.window.ends_at is not None and terms.window.ends_at <= now:
        raise Refused("ends_at: lies in the past; end a silence with DELETE", status=422)
    return terms


def _with(known: Silence, fields: Mapping[str, Any]) -> Draft:
    """The silence as a draft, with other fields. A length of one that does not come again counts from its start."""
    terms, window = known.terms, known.terms.window
    draft = Draft(
        matchers=tuple(matcher.text for matcher in terms.matchers),
        comment=terms.comment,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        lasts=window.lasts,
        schedule=terms.schedule,
        zone=terms.zone,
    )
    draft = replace(draft, **fields)
    if not draft.schedule:
        draft = replace(draft, zone=draft.zone if fields.get("zone") else "")
        if fields.get("lasts") and "ends_at" not in fields:
            draft = replace(draft, ends_at=None)
        elif not fields.get("lasts"):
            draft = replace(draft, lasts=0)
    return draft


def _editable(known: Silence, version: int | None) -> None:
    if known.rule:
        raise Refused(
            f"silence {known.id} is {known.rule} of silences.yaml in your folder of rules: change it there", status=409
        )
    if version is not None and version != known.version:
        by = known.changed_by or known.created_by
        at = rfc3339(known.changed_at or known.created_at)
        sentence = f"silence {known.id} is version {known.version} by now, not {version}: {by} changed it at {at}"
        raise Refused(sentence, status=409)


def _ended(terms: Terms, now: Instant) -> Terms:
    window = terms.window
    return replace(terms, window=replace(window, starts_at=min(window.starts_at, now), ends_at=now))


# --- the file of rules ----------------------------------------------------------------------------------------------


async def take_rules(store: Store, rules: Sequence[SilenceRule]) -> None:
    """Make the database's silences of rules those of the file. Raises StoreAway."""
    now = times.now()
    known = await store.read(silences.of_rules)
    if _differences(rules, known, now):
        await store.write(partial(_take_rules, rules=rules, now=now))


def _take_rules(connection: Connection, rules: Sequence[SilenceRule], now: Instant) -> None:
    silences.hold(connection)
    known = silences.of_rules(connection)
    for rule_id, terms in _differences(rules, known, now).items():
        rule = next((rule for rule in rules if rule.id == rule_id), None)
        by = By(rule.by if rule is not None else "silences.yaml", "file")
        if rule_id in known:
            silences.alter(connection, known[rule_id].id, lambda _, terms=terms: terms, by, now)  # type: ignore[misc]
        else:
            silences.add(connection, terms, by, now, rule_id)
        log.info("the silence %s of silences.yaml was %s", rule_id, "taken" if rule is not None else "ended")


def _differences(rules: Sequence[SilenceRule], known: Mapping[str, Silence], now: Instant) -> dict[str, Terms]:
    """The terms of what is to be written, by the rules' ids."""
    wanted: dict[str, Terms] = {}
    for rule in rules:
        before = known.get(rule.id)
        terms = _terms_of(rule, before, now)
        over = terms.window.ends_at is not None and terms.window.ends_at <= now
        if (before is None and not over) or (
            before is not None and terms != before.terms and not (over and before.state(now) is State.EXPIRED)
        ):
            wanted[rule.id] = terms
    here = {rule.id for rule in rules}
    for rule_id, silence in known.items():
        if rule_id not in here and silence.state(now) is not State.EXPIRED:
            wanted[rule_id] = _ended(silence.terms, now)
    return wanted


def _terms_of(rule: SilenceRule, before: Silence | None, now: Instant) -> Terms:
    starts = rule.draft.starts_at
    if starts is None:
        starts = now if before is None else before.terms.window.starts_at
        if rule.draft.ends_at is not None:
            starts = min(starts, rule.draft.ends_at - 1)
    return drafted(replace(rule.draft, starts_at=starts), now)


# --- shown ----------------------------------------------------------------------------------------------------------


def shown(silence: Silence, now: Instant) -> dict[str, Any]:
    """A silence in API form."""
    terms, window = silence.terms, silence.terms.window
    state = window.state(now)
    return {
        "id": silence.id,
        "state": state,
        "matchers": [matcher.text for matcher in terms.matchers],
        "comment": terms.comment,
        "starts_at": rfc3339(window.starts_at),
        "ends_at": _moment(window.ends_at),
        "schedule": terms.schedule or None,
        "lasts": format_duration(timedelta(microseconds=window.lasts)) if terms.schedule else None,
        "zone": terms.zone or None,
        "active_until": _moment(window.active_until(now)) if state is State.ACTIVE else None,
        "next_start": _moment(window.next_start(now)),
        "created_by": silence.created_by,
        "created_via": silence.created_via or None,
        "created_at": rfc3339(silence.created_at),
        "changed_by": silence.changed_by or None,
        "changed_via": silence.changed_via or None,
        "changed_at": _moment(silence.changed_at or None),
        "version": silence.version,
        "rule": silence.rule or None,
    }


def _moment(moment: Instant | None) -> str | None:
    return None if moment is None else rfc3339(moment)
