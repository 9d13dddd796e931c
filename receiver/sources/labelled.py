"""Alerts that are a set of labels, as Alertmanager and Grafana write them into their webhooks.

Tolerant of what is missing or unknown; one alert that cannot be read is quarantined, the others are taken.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from receiver.domain.enrichment import Enrichment
from receiver.domain.sighting import NOTHING, Quarantined, Sighting, Sightings, Starts
from receiver.domain.times import Instant, parse_rfc3339
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.fingerprint import fingerprint
from receiver.sources.text import EARLIEST, LATEST, bounded, cut, excerpt, kind_of, shown

GROUP_SIZE = FIELDS_SIZE = 8 * 2**10
"""Bytes kept of what is said about a group and, apart, about an alert besides labels and annotations."""
_PLAIN = 1024
KEPT = 10
"""Alerts kept aside of a webhook of which none can be read."""
_SHOWN = frozenset({"labels", "annotations", "generatorURL"})
_SKIPPED = frozenset({"alerts", "commonLabels", "commonAnnotations", "status"})
_QUOTED = re.compile(r"\\(.)")
_WEB = ("http://", "https://", "/")

Tell = Callable[[Mapping[str, Any], Mapping[str, str]], Enrichment]
"""(alert as sent, its labels) to what the sender says of it besides."""


class Unreadable(Exception):  # noqa: N818 - becomes a quarantined alert's reason
    """Why one alert cannot be read."""


def read(document: Mapping[str, Any], size: int, source: SourceContext, now: Instant, tell: Tell | None) -> Sightings:
    """All alerts of a webhook of `size` bytes whose outer form is known to be right.

    When none can be read there is a `refusal`. Raises Refused (413) for too many alerts.
    """
    alerts = document["alerts"]
    if len(alerts) > source.bounds.alerts:
        raise Refused(
            f"{len(alerts)} alerts in one webhook, at most {source.bounds.alerts} are taken (limits.alerts):"
            " set max_alerts",
            status=413,
            reason="too_large",
        )
    group = _group(document, size)
    taken: list[Sighting] = []
    bad: list[Quarantined] = []
    for index, alert in enumerate(alerts):
        try:
            taken.append(_sighting(alert, group, source, now, tell))
        except (Unreadable, Refused) as why:
            bad.append(Quarantined(index, str(why), excerpt(alert)))
    if bad and not taken:
        refusal = f"no alert of this webhook can be read; alerts.{bad[0].index}: {bad[0].reason}"
        return Sightings((), tuple(bad[:KEPT]), refusal=refusal)
    truncated = document.get("truncatedAlerts")
    left_out = truncated if isinstance(truncated, int) and 0 < truncated < 2**31 else 0
    return Sightings(tuple(taken), tuple(bad), left_out)


def _group(document: Mapping[str, Any], size: int) -> dict[str, Any]:
    """What the webhook says of the whole group, without what is in its alerts anyway."""
    group = {key: value for key, value in document.items() if key not in _SKIPPED}
    receiver = group.get("receiver")
    if isinstance(receiver, str) and "\\" in receiver:
        group["receiver"] = _QUOTED.sub(r"\1", receiver)  # it comes through Go's regexp.QuoteMeta
    return group if size <= GROUP_SIZE and _flat(group) else bounded(group, GROUP_SIZE)


def _flat(group: Mapping[str, Any]) -> bool:
    """True for what the senders themselves write: texts, numbers and label sets."""
    for value in group.values():
        kind = type(value)
        if kind is dict and all(type(inner) is str for inner in value.values()):
            continue
        if kind is not str and kind is not int:
            return False
    return True


def _sighting(alert: Any, group: Mapping[str, Any], source: SourceContext, now: Instant, tell: Tell | None) -> Sighting:
    if not isinstance(alert, dict):
        raise Unreadable(f"it is a JSON {kind_of(alert)}, not an object")
    status = alert.get("status")
    if status not in ("firing", "resolved"):
        raise Unreadable(f"status is {shown(status)}, neither firing nor resolved")
    labels = _labels(alert.get("labels"), source)
    firing = status == "firing"
    starts_at = time_in(alert, "startsAt")
    ends_at = None if firing else time_in(alert, "endsAt") or now
    return Sighting(
        source=source.name,
        kind=source.kind,
        fingerprint=_fingerprint(alert.get("fingerprint"), labels),
        firing=firing,
        labels=labels,
        annotations=_annotations(alert.get("annotations"), source),
        starts_at=_start(starts_at or now, ends_at),
        ends_at=ends_at,
        generator_url=_web_address(alert.get("generatorURL"), source.bounds.annotation_size),
        raw=_raw(alert) | {"group": group},
        # without a start of its own nothing tells a repeat from an episode that began anew
        starts=Starts.EVENT if starts_at is None else Starts.EPISODE,
        mark=0 if starts_at is None else None,
        told=NOTHING if tell is None else tell(alert, labels),
    )


def _web_address(told: Any, longest: int) -> str:
    """The address where the alert was made, "" for what would do something else when somebody follows it."""
    return told if isinstance(told, str) and len(told) <= longest and told.startswith(_WEB) else ""


def _start(starts_at: Instant, ends_at: Instant | None) -> Instant:
    """Nothing ends before it began."""
    return starts_at if ends_at is None else min(starts_at, ends_at)


def _raw(alert: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of the alert besides labels and annotations."""
    fields = {key: value for key, value in alert.items() if key not in _SHOWN}
    try:
        plain = len("".join((*fields, *fields.values()))) <= _PLAIN
    except TypeError:  # not everything is text
        plain = False
    return fields if plain else bounded(fields, FIELDS_SIZE)


def _labels(labels: Any, source: SourceContext) -> dict[str, str]:
    bounds = source.bounds
    if not isinstance(labels, dict):
        raise Unreadable(f"labels is {shown(labels)}, not an object")
    if len(labels) > bounds.labels:
        raise Unreadable(f"it has {len(labels)} labels, at most {bounds.labels} are taken (limits.labels)")
    if _short_texts(labels, bounds.label_size):
        return labels if all(labels.values()) else {name: value for name, value in labels.items() if value}
    for name, value in labels.items():
        if not isinstance(value, str):
            raise Unreadable(f"the label {name[:80]!r} is {shown(value)}, not a text")
        if len(value) > bounds.label_size or len(name) > bounds.label_size:
            # Never cut: the labels are the alert's identity.
            raise Unreadable(f"the label {name[:80]!r} is longer than {bounds.label_size} (limits.label_size)")
    return {name: value for name, value in labels.items() if value}


def _short_texts(named: Mapping[str, Any], longest: int) -> bool:
    """True when all are texts, and none, nor its name, can be longer than that: found out without a look at each."""
    try:
        return len("".join(named)) <= longest and len("".join(named.values())) <= longest
    except TypeError:
        return False


def _annotations(annotations: Any, source: SourceContext) -> dict[str, str]:
    most, longest = source.bounds.labels, source.bounds.annotation_size
    if annotations is None:
        return {}
    if not isinstance(annotations, dict):
        raise Unreadable(f"annotations is {shown(annotations)}, not an object")
    if len(annotations) > most:
        raise Unreadable(f"it has {len(annotations)} annotations, at most {most} are taken (limits.labels)")
    if _short_texts(annotations, longest):
        return annotations
    kept = {}
    for name, value in annotations.items():
        if not isinstance(value, str):
            raise Unreadable(f"the annotation {name[:80]!r} is {shown(value)}, not a text")
        kept[name[:longest]] = cut(value, longest)
    return kept


def _fingerprint(sent: Any, labels: Mapping[str, str]) -> str:
    if sent is None or sent == "":
        return fingerprint(labels)
    if not isinstance(sent, str) or len(sent) > 128:
        raise Unreadable(f"fingerprint is {shown(sent)}, not a short text")
    return sent


def time_in(fields: Mapping[str, Any], name: str) -> Instant | None:
    """The moment in that field; None when absent or zero. Raises Unreadable when it is none."""
    told = fields.get(name)
    if told is None or told == "":
        return None
    if not isinstance(told, str):
        raise Unreadable(f"{name} is {shown(told)}, not a time")
    try:
        moment = _moment(told[:64])
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is {shown(told)}, not a time like 2026-11-23T06:40:41.347Z") from None
    if moment is not None and not EARLIEST <= moment <= LATEST:
        raise Unreadable(f"{name} is {shown(told)}, outside the years 1970 to 2200")
    return moment


_moment = lru_cache(8192)(parse_rfc3339)
"""Remembered: what repeats tells the same start."""
