"""Which thing an alert is about: the label that names it, or what the rule's expression pins."""

from collections.abc import Mapping

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
    if metric is not None and metric.startswith(_HOST_METRICS) and (found := _named(labels, _HOST, labels)):
        return found
    return (
        _named(labels, _THINGS, labels)
        or _named(selected, _THINGS, labels)
        or next((value for label, value in sorted(labels.items()) if value and label not in _NOT_THINGS), None)
    )


def _named(
    source: Mapping[str, str], things: tuple[tuple[str, str | None], ...], labels: Mapping[str, str]
) -> str | None:
    for label, inside in things:
        thing = source.get(label)
        if thing:
            whole = labels.get(inside) if inside else None
            return (
                _INSIDE[inside.removeprefix("exported_")].format(whole=whole, thing=thing)
                if inside and whole
                else thing
            )
    return None
