"""Which thing an alert is about: the label that names it, or what the rule's expression pins."""

from collections.abc import Mapping

_THINGS = (
    ("persistentvolumeclaim", "namespace"),
    ("pod", "namespace"),
    ("deployment", "namespace"),
    ("statefulset", "namespace"),
    ("daemonset", "namespace"),
    ("job_name", "namespace"),
    ("cronjob", "namespace"),
    ("horizontalpodautoscaler", "namespace"),
    ("replicaset", "namespace"),
    ("datname", "instance"),
    ("consumergroup", None),
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
    ("instance", None),
    ("service", "namespace"),
    ("app", "namespace"),
    ("application", None),
    ("container", None),
    ("resource", None),
    ("job", None),
    ("namespace", None),
    ("cluster", None),
)
"""(label, what it lies in), the most telling first. An exporter's own `instance` comes after what it reports about."""
_INSIDE = {"namespace": "{whole}/{thing}", "instance": "{thing} on {whole}"}


def subject(labels: Mapping[str, str], selected: Mapping[str, str]) -> str | None:
    """The thing affected, e.g. `shop/checkout-6d4c` or `/var on db-1:9100`; None when nothing names one."""
    for source in (labels, selected):
        for label, inside in _THINGS:
            thing = source.get(label)
            if not thing:
                continue
            whole = labels.get(inside) if inside else None
            return _INSIDE[inside].format(whole=whole, thing=thing) if inside and whole else thing
    return None
