"""Names as words, and the units that names of metrics end in."""

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2,})|[^A-Za-z0-9]+")


@lru_cache(4096)
def words_of(name: str) -> str:
    """An identifier as lower-case words: `KubePodNotReady` and `kube_pod_not_ready` are both "kube pod not ready"."""
    return _HUMP.sub(" ", name).strip().lower()


UNITS = (
    (("_percent", "_percentage", "_pct"), "percent"),
    (("_ratio", "_utilization", "_utilisation"), "ratio"),
    (("_bytes", "_bytes_total"), "bytes"),
    (("_milliseconds", "_ms"), "milliseconds"),
    (("_seconds", "_seconds_total", "_seconds_sum"), "seconds"),
    (("_celsius",), "celsius"),
    (("_days",), "days"),
)
"""(how the metric's name ends, its unit)."""


def called(metric: str) -> str:
    """A metric's name without its unit, as people say it: `cpu_percent` is "CPU", `api_time_ms` is "API time"."""
    said = " ".join(word.upper() if word in _ACRONYMS else word for word in words_of(bare(metric)).split())
    return said[:1].upper() + said[1:]


def headed(name: str) -> str:
    """A name in the words of a title: `api_response_time` is "API Response Time"."""
    return " ".join(
        word.upper() if word in _ACRONYMS else word[:1].upper() + word[1:] for word in words_of(name).split()
    )


def bare(metric: str) -> str:
    """A metric's name without its unit."""
    ending = next((end for endings, _ in UNITS for end in endings if metric.endswith(end)), "")
    return metric.removesuffix(ending) or metric


_ACRONYMS = frozenset({"cpu", "api", "http", "db", "io", "gc", "jvm", "ssl", "tls", "dns", "sql", "p50", "p95", "p99"})


_TEMPLATE = re.compile(r"\{\{|\}\}|^\$(?:\w+|\{\w+\})$")


def unrendered(text: str) -> bool:
    """True for template text that the sender left as it was (`{{ $labels.pod }}`, `$namespace`): it names nothing."""
    return ("{{" in text or "}}" in text or text.startswith("$")) and _TEMPLATE.search(text) is not None
