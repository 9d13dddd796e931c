"""What an alert shows beyond what is stored of it: the advice of the rules in force, the links they lead to,
over all that is known by now; and of a single alert what happened before.

Found anew whenever it is looked at, because filling it in and storing it for every alert of a storm would cost more
than all else (docs/performance.md), and so that a better rule helps with the alerts that are already there.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from enrichers import Context
from enrichers.chain import SENDER, Described, extend, provenance
from enrichers.shipped import SHIPPED
from receiver.domain import times
from receiver.domain.enrichment import AlertView, Recommendation
from receiver.domain.history import WINDOWS, Past, Pattern, flapping, last_time, pattern, summary
from receiver.domain.times import Instant, Span, parse_rfc3339, rfc3339
from receiver.flow.setup import Setup
from receiver.store.reads import add

HISTORY = "history"
"""Who said it (in `provenance`): what is remembered."""
EPISODES_SHOWN = 10
AT_ONCE = 4
"""Alerts looked at while webhooks wait: a few milliseconds when their rules are new."""
_TAKEN = ("source", "kind", "fingerprint", "name", "labels", "annotations", "generator_url", "id", "title", "message")
_READ = ("subject", "metric", "value", "threshold", "direction", "unit", "overage_percent", "facts")


def completed(alert: dict[str, Any], setup: Setup) -> dict[str, Any]:
    """A stored alert in API form with what the enrichers of the stage "shown" add, before what deferred ones added."""
    if not setup.shown:
        return alert
    described = Described(_view(alert))
    extend(described, setup.shown, Context(now=times.now(), rules=setup.book))
    view = described.view
    said = {
        "recommendations": to_jsonable_python(view.recommendations),
        "links": to_jsonable_python(view.links),
        "facts": {name: view.facts[name] for one in described.said for name in one.facts},
        "provenance": provenance(described.said),
    }
    add(said, {name: alert[name] for name in said})
    _given_first(said, alert, len(view.recommendations))
    outcomes = alert["enrichers"]
    own = next((place for place, ran in enumerate(outcomes) if ran["enricher"] not in SHIPPED), len(outcomes))
    ran = [*outcomes[:own], *to_jsonable_python(described.outcomes), *outcomes[own:]]
    return alert | said | {"enrichers": ran}


def _given_first(said: dict[str, Any], alert: dict[str, Any], book: int) -> None:
    """What the sender itself recommends comes before what the book does: it knows its own case."""
    given = alert["provenance"].get("recommendations", []).count(SENDER)
    if given:
        for many in (said["recommendations"], said["provenance"]["recommendations"]):
            many[:] = [*many[book : book + given], *many[:book], *many[book + given :]]


async def all_completed(alerts: Sequence[dict[str, Any]], setup: Setup) -> list[dict[str, Any]]:
    """The same for a page of alerts. Gives way to the loop every few, because the first look at a rule takes long."""
    shown = []
    for number, alert in enumerate(alerts, 1):
        shown.append(completed(alert, setup))
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return shown


def remembered(alert: dict[str, Any], past: Past, now: Instant) -> dict[str, Any]:
    """An alert in API form with its history: as `history`, in a fact or two, and what helped last time before all else.

    `recurrence` says more than at the alert's opening, unless that enricher is turned off.
    """
    found = pattern(past)
    facts = {}
    if found is not None and "recurrence" in alert["facts"]:
        facts["recurrence"] = summary(found)
    if found is not None and found.flaps:
        facts["flapping"] = flapping(found)
    told = dict(alert["provenance"])
    told["facts"] = told.get("facts", {}) | dict.fromkeys(facts, HISTORY)
    first = [to_jsonable_python(Recommendation(last_time(fix, now))) for fix in past.fixes[:1]]
    told["recommendations"] = [*[HISTORY] * len(first), *told.get("recommendations", ())]
    return alert | {
        "facts": alert["facts"] | facts,
        "recommendations": [*first, *alert["recommendations"]],
        "provenance": told,
        "history": _history(past, found),
    }


def _history(past: Past, found: Pattern | None) -> dict[str, Any]:
    present = past.openings[-1] if past.openings else 0
    earlier = [one for one in past.episodes if one.began < present]
    return {
        "summary": None if found is None else summary(found),
        "count": 1 if found is None else found.count,
        "days": WINDOWS[-1][0] if found is None else found.days,
        "usual_hour": None if found is None else found.usual_hour,
        "median_seconds": None if found is None else _seconds(found.median),
        "flapping": {"times": found.flaps, "seconds": _seconds(found.flapped)} if found and found.flaps else None,
        "episodes": [
            {
                "alert": one.alert_id,
                "began_at": rfc3339(one.began),
                "ended_at": None if one.ended is None else rfc3339(one.ended),
                "seconds": None if one.ended is None else _seconds(one.ended - one.began),
                "ended_by": one.by or None,
            }
            for one in earlier[:EPISODES_SHOWN]
        ],
        "fixes": [
            {
                "alert": fix.alert_id,
                "match": "similar" if fix.similar else "exact",
                "subject": fix.subject,
                "at": rfc3339(fix.at),
                "who": fix.who,
                "note": fix.note,
                "seconds": _seconds(fix.took),
            }
            for fix in past.fixes
        ],
    }


def _seconds(length: Span | None) -> int | None:
    return None if length is None else round(length / times.SECOND)


def _view(alert: dict[str, Any]) -> AlertView:
    view = AlertView(
        **{name: alert[name] for name in _TAKEN},
        starts_at=parse_rfc3339(alert["started_at"]) or 0,
        firing=alert["ended_at"] is None,
        category=alert["category"],
        priority=alert["priority"],
    )
    for name in _READ:
        setattr(view, name, alert[name])
    return view
