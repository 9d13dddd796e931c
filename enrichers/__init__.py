"""The public plugin API: what an enricher gets, what it returns, and the enrichers that come with alertsage.

An enricher is a callable `(alert, context)` that returns what it adds: an `Enrichment`, a mapping with the same
names, or None. See docs/enrichers.md.
"""

from enrichers.api import Additions, Bytes, Context, Enricher, JMESPath, Problem
from receiver.domain.enrichment import (
    AlertView,
    Enrichment,
    History,
    Impact,
    Link,
    Recommendation,
    Term,
)
from receiver.domain.vocabulary import Category, Priority

__all__ = [
    "Additions",
    "AlertView",
    "Bytes",
    "Category",
    "Context",
    "Enricher",
    "Enrichment",
    "History",
    "Impact",
    "JMESPath",
    "Link",
    "Priority",
    "Problem",
    "Recommendation",
    "Term",
]
