"""What an alert shows beyond what is stored of it: the advice of the rules in force, the links they lead to,
over all that is known by now.

Found anew whenever it is looked at, because filling it in and storing it for every alert of a storm would cost more
than all else (docs/performance.md), and so that a better rule helps with the alerts that are already there.
"""

from typing import Any

from pydantic_core import to_jsonable_python

from enrichers import Context
from enrichers.chain import Described, extend, provenance
from enrichers.shipped import SHIPPED
from receiver.domain import times
from receiver.domain.enrichment import AlertView
from receiver.domain.times import parse_rfc3339
from receiver.flow.setup import Setup
from receiver.store.reads import add

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
    outcomes = alert["enrichers"]
    own = next((place for place, ran in enumerate(outcomes) if ran["enricher"] not in SHIPPED), len(outcomes))
    ran = [*outcomes[:own], *to_jsonable_python(described.outcomes), *outcomes[own:]]
    return alert | said | {"enrichers": ran}


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
