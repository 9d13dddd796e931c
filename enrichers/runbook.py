"""Links the runbook: the one the alert names, else the one by convention."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment, Link

LONGEST = 2000
_ANNOTATIONS = ("runbook_url", "runbook", "runbookURL", "runbook_uri", "playbook")


@dataclass(frozen=True)
class Runbook:
    """`base_url`: where runbooks are by convention; the alert's name is put behind it."""

    base_url: str = ""

    def __post_init__(self) -> None:
        if self.base_url and not self.base_url.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")

    def __call__(self, alert: AlertView, _context: Context) -> Enrichment | None:
        """The runbook as link and fact, None when there is none."""
        annotations = alert.annotations
        for name in _ANNOTATIONS:
            if name in annotations and (found := _linked(annotations[name])) is not None:
                return found
        if self.base_url and alert.name:
            return _linked(f"{self.base_url.rstrip('/')}/{quote(alert.name, safe='')}")
        return None


@lru_cache(1024)
def _linked(text: str) -> Enrichment | None:
    """The text as link and fact when it is one web address and nothing else. All alerts of one rule share it."""
    if not text.startswith(("http://", "https://")) or len(text) > LONGEST:
        return None
    if not text.isprintable() or any(character in text for character in " \"'<>`\\"):
        return None
    return Enrichment(links=(Link("Runbook", text),), facts={"runbook": text})
