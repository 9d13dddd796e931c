"""Names as words."""

import re
from functools import lru_cache

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2,})|[^A-Za-z0-9]+")


@lru_cache(4096)
def words_of(name: str) -> str:
    """An identifier as lower-case words: `KubePodNotReady` and `kube_pod_not_ready` are both "kube pod not ready"."""
    return _HUMP.sub(" ", name).strip().lower()
