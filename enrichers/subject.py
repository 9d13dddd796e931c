"""Which thing an alert is about: the label that names it, or what the rule's expression pins."""

import re
from collections.abc import Mapping
from functools import lru_cache

from receiver.domain.words import unrendered

_THINGS = (
    ("exported_pod", "exported_namespace"),
    ("exported_service", "exported_namespace"),
    ("persistentvolumeclaim", "namespace"),
    ("pod", "namespace"),
    ("kubernetes_pod_name", "kubernetes_namespace"),
    ("deployment", "namespace"),
    ("statefulset", "namespace"),
    ("daemonset", "namespace"),
    ("job_name", "namespace"),
    ("cronjob", "namespace"),
    ("horizontalpodautoscaler", "namespace"),
    ("replicaset", "namespace"),
    ("ingress", "namespace"),
    ("datname", "instance"),
    ("consumergroup", None),
    ("consumer_group", None),
    ("topic", None),
    ("queue", None),
    ("mountpoint", "instance"),
    ("device", "instance"),
    ("interface", "instance"),
    ("index", "instance"),
    ("handler", "instance"),
    ("name", "instance"),
    ("node", None),
    ("nodename", None),
    ("hostname", None),
    ("host", None),
    ("target", None),
    ("exported_instance", None),
    ("instance", None),
    ("service", "namespace"),
    ("app", "namespace"),
    ("application", None),
    ("backend", None),
    ("container", None),
    ("resource", None),
    ("job", None),
    ("namespace", None),
    ("cluster", None),
    ("cluster_id", None),
)
"""(label, what it lies in), the most telling first. An exporter's own `instance` comes after what it reports about."""
_HOST = tuple(row for row in _THINGS if row[0] in ("mountpoint", "device", "name", "instance", "node", "nodename"))
_HOST_METRICS = ("node_", "windows_")
"""On a host's own metrics `pod`, `container` and `service` name the exporter that reports them."""
_INSIDE = {"namespace": "{whole}/{thing}", "instance": "{thing} on {whole}"}
_NOT_THINGS = frozenset(
    {"alertname", "severity", "level", "priority", "category", "team", "owner", "env", "environment", "stage", "tier"}
    | {"region", "zone", "prometheus", "monitor", "replica", "value", "version", "quantile", "le", "mode", "state"}
    | {"support_group", "context", "meta", "dashboard", "playbook", "runbook", "area", "provider", "pipeline", "type"}
    | {"status", "reason", "condition", "code", "status_code", "destination", "channel", "receiver", "product"}
)
"""Labels that say how bad, whose or where in general, but never what."""


_QUEUES = re.compile(r"topic|kafka|pulsar|nsq|pub_?sub|sns|mqtt|consumer|partition|broker|burrow|stream")
_TELLING = re.compile(r".*(?:_name|_id|cluster)")


def subject(
    labels: Mapping[str, str],
    selected: Mapping[str, str],
    metric: str | None = None,
    kept: tuple[str, ...] | None = None,
) -> str | None:
    """The thing affected, e.g. `shop/checkout-6d4c` or `/var on db-1:9100`; None when nothing names one.

    `kept` are the labels that the expression's aggregations let through (None: all). They are the thing's; the others
    the alerting rule has put on.
    """
    if kept is not None and (own := {name: labels[name] for name in kept if _names(labels.get(name, ""))}):
        if own.keys() - _NOT_THINGS - {"job"}:
            own.pop("job", None)  # it only says what kind of thing the others are
        return _named(own, own) or own[_last_telling(tuple(own))]
    if kept == () and selected and (names := [name for name in selected if _TELLING.fullmatch(name)]):
        return selected[names[-1]]
    if metric is not None and metric.startswith(_HOST_METRICS) and (found := _named(labels, labels, host=True)):
        return found
    if "topic" in labels and metric is not None and not _QUEUES.search(metric.lower()):
        labels = {name: value for name, value in labels.items() if name != "topic"}
    return (
        _named(labels, labels)
        or (_named(selected, labels) if selected else None)
        or next((value for label, value in sorted(labels.items()) if _names(value) and label not in _NOT_THINGS), None)
    )


def _last_telling(names: tuple[str, ...]) -> str:
    """Of the labels of an aggregation the innermost that looks like a name: people write the larger things first."""
    things = [name for name in names if name not in _NOT_THINGS and not name.startswith("cancel_if")] or names
    return next((name for name in reversed(things) if _TELLING.fullmatch(name)), things[-1])


def _named(source: Mapping[str, str], labels: Mapping[str, str], *, host: bool = False) -> str | None:
    for label, inside in _telling(tuple(source), host=host):
        thing = source[label]
        if _names(thing):
            whole = labels.get(inside) if inside else None
            return (
                _INSIDE[inside.rpartition("_")[2]].format(whole=whole, thing=thing)
                if inside and whole and _names(whole)
                else thing
            )
    return None


def naming(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The labels that name the thing, and what it lies in: (`pod`, `namespace`)."""
    for label, inside in _telling(tuple(labels), host=False):
        if _names(labels[label]):
            return tuple(name for name in (label, inside) if name and _names(labels.get(name, "")))
    return ()


def _names(value: str) -> bool:
    return value != "" and (("{" not in value and "$" not in value) or not unrendered(value))


@lru_cache(1024)
def _telling(names: tuple[str, ...], *, host: bool) -> tuple[tuple[str, str | None], ...]:
    """Those of these labels that name a thing. Remembered: all alerts of one rule have the same labels."""
    return tuple(row for row in (_HOST if host else _THINGS) if row[0] in names)
