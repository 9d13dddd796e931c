"""Alertmanager's webhook, payload version 4 of every release (reference: its template/template.go, notify/webhook).

Tolerant of what is missing or unknown; one alert that cannot be read is quarantined, the others are taken.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from receiver.domain.sighting import Quarantined, Sighting, Sightings
from receiver.domain.times import Instant, parse_rfc3339
from receiver.errors import Refused
from receiver.sources.context import SourceContext
from receiver.sources.fingerprint import fingerprint
from receiver.sources.text import bounded, decode

EXCERPT_SIZE = 2 * 2**10
GROUP_SIZE = FIELDS_SIZE = 8 * 2**10
"""Bytes kept of what is said about a group and, apart, about an alert besides labels and annotations."""
_PLAIN = 1024
CUT = "…[cut]"
_EARLIEST, _LATEST = 0, 7_258_118_400 * 1_000_000  # 1970 .. 2200: beyond, a time is a mistake
_SHOWN = frozenset({"labels", "annotations"})
_SKIPPED = frozenset({"alerts", "commonLabels", "commonAnnotations", "status"})
_QUOTED = re.compile(r"\\(.)")


class _Unreadable(Exception):  # noqa: N818 - becomes a quarantined alert's reason
    """Why one alert cannot be read."""


def parse(headers: Mapping[str, str], body: bytes, source: SourceContext, now: Instant) -> Sightings:
    """Read one webhook. Raises Refused (400, 413) for a body that can never be taken."""
    del headers  # nothing in them changes what the body means
    document = decode(body, source.bounds.values)
    alerts = _alerts(document, source.bounds.alerts)
    group = _group(document, len(body))
    taken: list[Sighting] = []
    bad: list[Quarantined] = []
    for index, alert in enumerate(alerts):
        try:
            taken.append(_sighting(alert, group, source, now))
        except (_Unreadable, Refused) as why:
            bad.append(Quarantined(index, str(why), to_json(alert).decode()[:EXCERPT_SIZE]))
    if bad and not taken:
        raise Refused(f"no alert of this webhook can be read; alerts.{bad[0].index}: {bad[0].reason}")
    truncated = document.get("truncatedAlerts")
    left_out = truncated if isinstance(truncated, int) and 0 < truncated < 2**31 else 0
    return Sightings(tuple(taken), tuple(bad), left_out)


def _alerts(document: Any, most: int) -> list[Any]:
    if not isinstance(document, dict):
        raise Refused(f"the body is a JSON {_kind(document)}, not the object that Alertmanager's webhook sends")
    if document.get("version") == "1" or "orgId" in document:
        raise Refused("this is Grafana's webhook payload (version 1), not Alertmanager's (version 4)")
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise Refused(
            'the body has no list "alerts", so it is not Alertmanager\'s own payload;'
            " if webhook_configs has `payload:`, remove it"
        )
    if document.get("version", "4") not in ("4", 4):
        raise Refused(f"payload version {str(document['version'])[:40]!r} is not known; Alertmanager sends version 4")
    if len(alerts) > most:
        raise Refused(
            f"{len(alerts)} alerts in one webhook, at most {most} are taken (limits.alerts): set max_alerts",
            status=413,
            reason="too_large",
        )
    return alerts


def _group(document: Mapping[str, Any], size: int) -> dict[str, Any]:
    """What the webhook says of the whole group, without what is in its alerts anyway."""
    group = {key: value for key, value in document.items() if key not in _SKIPPED}
    receiver = group.get("receiver")
    if isinstance(receiver, str):
        group["receiver"] = _QUOTED.sub(r"\1", receiver)  # it comes through Go's regexp.QuoteMeta
    return group if size <= GROUP_SIZE and _flat(group) else bounded(group, GROUP_SIZE)


def _flat(group: Mapping[str, Any]) -> bool:
    """True for what Alertmanager itself sends: texts, numbers and label sets."""
    for value in group.values():
        kind = type(value)
        if kind is dict and all(type(inner) is str for inner in value.values()):
            continue
        if kind is not str and kind is not int:
            return False
    return True


def _sighting(alert: Any, group: Mapping[str, Any], source: SourceContext, now: Instant) -> Sighting:
    if not isinstance(alert, dict):
        raise _Unreadable(f"it is a JSON {_kind(alert)}, not an object")
    status = alert.get("status")
    if status not in ("firing", "resolved"):
        raise _Unreadable(f"status is {_shown(status)}, neither firing nor resolved")
    labels = _labels(alert.get("labels"), source)
    firing = status == "firing"
    starts_at = _time(alert, "startsAt")
    ends_at = None if firing else _time(alert, "endsAt") or now
    url = alert.get("generatorURL")
    return Sighting(
        source=source.name,
        kind=source.kind,
        fingerprint=_fingerprint(alert.get("fingerprint"), labels),
        firing=firing,
        labels=labels,
        annotations=_annotations(alert.get("annotations"), source),
        starts_at=starts_at or (now if ends_at is None else min(now, ends_at)),
        ends_at=ends_at,
        generator_url=url if isinstance(url, str) and len(url) <= source.bounds.annotation_size else "",
        raw=_raw(alert) | {"group": group},
    )


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
        raise _Unreadable(f"labels is {_shown(labels)}, not an object")
    if len(labels) > bounds.labels:
        raise _Unreadable(f"it has {len(labels)} labels, at most {bounds.labels} are taken (limits.labels)")
    for name, value in labels.items():
        if not isinstance(value, str):
            raise _Unreadable(f"the label {name[:80]!r} is {_shown(value)}, not a text")
        if len(value) > bounds.label_size or len(name) > bounds.label_size:
            # Never cut: the labels are the alert's identity.
            raise _Unreadable(f"the label {name[:80]!r} is longer than {bounds.label_size} (limits.label_size)")
    return {name: value for name, value in labels.items() if value}


def _annotations(annotations: Any, source: SourceContext) -> dict[str, str]:
    most, longest = source.bounds.labels, source.bounds.annotation_size
    if annotations is None:
        return {}
    if not isinstance(annotations, dict):
        raise _Unreadable(f"annotations is {_shown(annotations)}, not an object")
    if len(annotations) > most:
        raise _Unreadable(f"it has {len(annotations)} annotations, at most {most} are taken (limits.labels)")
    kept = {}
    for name, value in annotations.items():
        if not isinstance(value, str):
            raise _Unreadable(f"the annotation {name[:80]!r} is {_shown(value)}, not a text")
        kept[name[:longest]] = value if len(value) <= longest else value[:longest] + CUT
    return kept


def _fingerprint(sent: Any, labels: Mapping[str, str]) -> str:
    if sent is None or sent == "":
        return fingerprint(labels)
    if not isinstance(sent, str) or len(sent) > 128:
        raise _Unreadable(f"fingerprint is {_shown(sent)}, not a short text")
    return sent


def _time(alert: Mapping[str, Any], name: str) -> Instant | None:
    """The moment; None when absent or zero. Raises _Unreadable when it is none."""
    told = alert.get(name)
    if told is None or told == "":
        return None
    if not isinstance(told, str):
        raise _Unreadable(f"{name} is {_shown(told)}, not a time")
    try:
        moment = parse_rfc3339(told[:64])
    except (ValueError, OverflowError):
        raise _Unreadable(f"{name} is {_shown(told)}, not a time like 2026-11-23T06:40:41.347Z") from None
    if moment is not None and not _EARLIEST <= moment <= _LATEST:
        raise _Unreadable(f"{name} is {_shown(told)}, outside the years 1970 to 2200")
    return moment


def _kind(value: Any) -> str:
    names = {str: "string", bool: "boolean", type(None): "null", list: "array", dict: "object"}
    return names.get(type(value), "number")


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, str):
        return f'"{value[:60]}"'
    return f"a JSON {_kind(value)}"
