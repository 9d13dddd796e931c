"""What `schemathesis run` needs to know of texts that have a form of their own."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

FORMS: dict[str, Sequence[str]] = {
    "cursor": [""],  # each is of one list only: made up ones are refused
    "length": ["45m", "2h", "90d", "1h30m", "90s"],
    "matcher": ['alertname="Down"', 'job=~"web.*"', 'team!="db"', '{instance!~"h.", team="shop"}'],
    "cron": ["0 2 * * *", "*/30 9-17 * * 1-5"],
    "person": ["ada@example.org", "Ben"],
    "zone": ["UTC", "Europe/Berlin"],
}
for name, texts in FORMS.items():
    schemathesis.openapi.format(name, st.sampled_from(texts))
TERMS = ["priority>=high", "status:open,resolved", "label.team=shop", "age>1h", '"disk full"', "-source:other", "disk"]
schemathesis.openapi.format("search", st.lists(st.sampled_from(TERMS), max_size=6, unique=True).map(" ".join))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """A key stands for one post: the same one with another body is refused, so each post has its own."""
    del context, kwargs
    missing = "missing" in str(getattr(case.meta and case.meta.phase.data, "scenario", "")).lower()
    if not missing and "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid4())
