"""What programs tell of by themselves over the API: the parameters of a form, checked already, as one Sighting."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from pydantic_core import to_json

from receiver.domain.enrichment import Link
from receiver.domain.forms import FORMS, OWN, Made, make
from receiver.domain.sighting import Sighting, Sightings, Starts
from receiver.domain.times import Instant
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.text import CUT, bounded, cut, moment, safe_url

FORM = "form"
"""The key beside the parameters that names the form."""
RAW_SIZE = 64 * 2**10
"""Bytes of JSON that are kept of all that was told, and of its metadata and facts a quarter each."""
_PART = RAW_SIZE // 4
_MESSAGE, _STACK = 3900, 12_000
_SUBJECT = 300
KEPT = ("metadata", "recommendations", "related_logs", "notification_channels", "form")
MOST_RECOMMENDATIONS, RECOMMENDATION = 20, 2000
MOST_CHANNELS, CHANNEL = 20, 100


def parse(headers: Mapping[str, str], document: Any, size: int, source: SourceContext, now: Instant) -> Sightings:
    """Read one. What is too long is cut, never refused: an alert that is cut is worth more than none.

    Raises Refused for what no form of this version makes (a spooled one may be another's).
    """
    del headers, size
    form = FORMS.get(document.get(FORM, "")) if isinstance(document, dict) else None
    if form is None:
        raise Refused("this is none of the forms of POST /api/v1/alerts")
    given = _cut(document)
    try:
        made = make(form, given)
    except (TypeError, ValueError) as error:
        raise Refused(f"these are not the parameters of the form {document[FORM]}: {error}") from None
    starts_at = moment(given.get("started_at")) or now
    sighting = Sighting(
        source=source.name,
        kind=source.kind,
        fingerprint=fingerprint(made),
        firing=True,
        labels=_labels(made, source),
        annotations={},
        starts_at=min(starts_at, now),
        starts=Starts.NONE,
        told=replace(
            made.said,
            title=made.said.title and made.said.title[:500],
            subject=made.said.subject and made.said.subject[:_SUBJECT],
            facts=bounded(made.said.facts, _PART),
            links=_links(given.get("links", {})),
        ),
        raw=bounded({name: given[name] for name in KEPT if given.get(name)}, RAW_SIZE),
    )
    return Sightings((sighting,), said=blake2b(to_json(document), digest_size=16).digest())


def fingerprint(made: Made) -> str:
    """Own alerts are told apart by type and resource (design section 4)."""
    return blake2b(to_json((made.name, made.resource)), digest_size=8).hexdigest()


def _cut(document: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters, bounded one by one."""
    given = {name: told for name, told in document.items() if name != FORM}
    for name, longest in (("message", _MESSAGE), ("error_message", _MESSAGE), ("description", _MESSAGE)):
        if isinstance(given.get(name), str):
            given[name] = cut(given[name], longest)
    stack = given.get("stack_trace")
    if isinstance(stack, str) and len(stack) > _STACK:
        given["stack_trace"] = f"{CUT}{stack[-_STACK:]}"  # the crash is at its end
    if isinstance(given.get("metadata"), dict):
        given["metadata"] = bounded(given["metadata"], _PART)
    if told := given.get("recommendations"):
        given["recommendations"] = _few(told, MOST_RECOMMENDATIONS, RECOMMENDATION)
    if told := given.get("notification_channels"):
        given["notification_channels"] = _few(told, MOST_CHANNELS, CHANNEL)
    if isinstance(given.get("related_logs"), str):
        given["related_logs"] = cut(given["related_logs"], RECOMMENDATION)
    return given | {FORM: document[FORM]}


def _few(told: list[str], most: int, longest: int) -> list[str]:
    kept = [cut(one, longest) for one in told[:most]]
    return kept if len(told) <= most else [*kept, f"{len(told) - most} more were left out"]


def _labels(made: Made, source: SourceContext) -> dict[str, str]:
    bounds = source.bounds
    told = list(made.labels.items())[: bounds.labels]
    return {label[: bounds.label_size]: text[: bounds.label_size] for label, text in told if text}


def _links(told: Mapping[str, str]) -> tuple[Link, ...]:
    found = [(title[:200], safe_url(url)) for title, url in list(told.items())[:50]]
    return tuple(Link(title, url) for title, url in found if url)


def told(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What is shown of an own alert as its sender told it, of the `raw` that is kept."""
    return {name: raw[name] for name in KEPT if name in raw}


__all__ = ["FORM", "KEPT", "OWN", "fingerprint", "parse", "told"]
