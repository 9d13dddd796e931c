"""Which thing an alert is about: the label that names it, or what the rule's expression pins."""

from collections.abc import Mapping
from functools import lru_cache

_THINGS = (
    ("exported_pod", "exported_namespace"),
    ("persistentvolumeclaim", "namespace"),
    ("pod", "namespace"),
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
)
"""(label, what it lies in), the most telling first. An exporter's own `instance` comes after what it reports about."""
_HOST = tuple(row for row in _THINGS if row[0] in ("mountpoint", "device", "name", "instance", "node", "nodename"))
_HOST_METRICS = ("node_", "windows_")
"""On a host's own metrics `pod`, `container` and `service` name the exporter that reports them."""
_INSIDE = {"namespace": "{whole}/{thing}", "instance": "{thing} on {whole}"}
_NOT_THINGS = frozenset(
    {"alertname", "severity", "level", "priority", "category", "team", "owner", "env", "environment", "stage", "tier"}
    | {"region", "zone", "prometheus", "monitor", "replica", "value", "version", "quantile", "le", "mode", "state"}
)
"""Labels that say how bad, whose or where in general, but never what."""


def subject(labels: Mapping[str, str], selected: Mapping[str, str], metric: str | None = None) -> str | None:
    """The thing affected, e.g. `shop/checkout-6d4c` or `/var on db-1:9100`; None when nothing names one."""
    if metric is not None and metric.startswith(_HOST_METRICS) and (found := _named(labels, labels, host=True)):
        return found
    return (
        _named(labels, labels)
        or (_named(selected, labels) if selected else None)
        or next((value for label, value in sorted(labels.items()) if value and label not in _NOT_THINGS), None)
    )


def _named(source: Mapping[str, str], labels: Mapping[str, str], *, host: bool = False) -> str | None:
    for label, inside in _telling(tuple(source), host=host):
        thing = source[label]
        if thing:
            whole = labels.get(inside) if inside else None
            return (
                _INSIDE[inside.removeprefix("exported_")].format(whole=whole, thing=thing)
                if inside and whole
                else thing
            )
    return None


def naming(labels: Mapping[str, str]) -> tuple[str, ...]:
    """The labels that name the thing, and what it lies in: (`pod`, `namespace`)."""
    for label, inside in _telling(tuple(labels), host=False):
        if labels[label]:
            return tuple(name for name in (label, inside) if name and labels.get(name))
    return ()


@lru_cache(1024)
def _telling(names: tuple[str, ...], *, host: bool) -> tuple[tuple[str, str | None], ...]:
    """Those of these labels that name a thing. Remembered: all alerts of one rule have the same labels."""
    return tuple(row for row in (_HOST if host else _THINGS) if row[0] in names)
