"""Names as words."""

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2,})|[^A-Za-z0-9]+")


@lru_cache(4096)
def words_of(name: str) -> str:
    """An identifier as lower-case words: `KubePodNotReady` and `kube_pod_not_ready` are both "kube pod not ready"."""
    return _HUMP.sub(" ", name).strip().lower()


_TEMPLATE = re.compile(r"\{\{|\}\}|^\$(?:\w+|\{\w+\})$")


def unrendered(text: str) -> bool:
    """True for template text that the sender left as it was (`{{ $labels.pod }}`, `$namespace`): it names nothing."""
    return ("{{" in text or "}}" in text or text.startswith("$")) and _TEMPLATE.search(text) is not None
