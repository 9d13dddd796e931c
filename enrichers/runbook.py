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
        named = [annotations[name] for name in _ANNOTATIONS if name in annotations]
        url = next((found for text in named if (found := _address(text))), None)
        if url is None and self.base_url and alert.name:
            url = f"{self.base_url.rstrip('/')}/{quote(alert.name, safe='')}"
        if url is None:
            return None
        return Enrichment(links=(Link("Runbook", url),), facts={"runbook": url})


@lru_cache(1024)
def _address(text: str) -> str | None:
    """The text when it is one web address and nothing else. Remembered: all alerts of one rule share it."""
    if not text.startswith(("http://", "https://")) or len(text) > LONGEST:
        return None
    return text if text.isprintable() and not any(character in text for character in " \"'<>`\\") else None
