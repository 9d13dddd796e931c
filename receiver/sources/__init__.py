"""Senders: headers and bytes in, Sightings out. A sender is one file and one line of the table below."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from receiver.domain.enrichment import Enrichment
from receiver.domain.sighting import Sighting, Sightings
from receiver.domain.times import Instant
from receiver.sources import alertmanager, generic, grafana, own, sentry
from receiver.sources.context import Bounds, SourceContext

Parse = Callable[[Mapping[str, str], Any, int, SourceContext, Instant], Sightings]
"""(headers by lower-case name, decoded body, its size in bytes, source, now) to Sightings.

Pure. Raises errors.Refused for what can never be taken.
"""
Join = Callable[[Sighting, Mapping[str, Any]], Sighting]
"""(sighting, the `raw` that is kept of the alert) to the sighting with what was known besides."""
Strip = Callable[[Any, SourceContext], Any]
"""(decoded body, source) to the body without what is not to be stored anywhere."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sender."""

    parse: Parse
    expire_after: timedelta
    """How long silence is borne, unless the source says otherwise (design section 4)."""
    headers: tuple[str, ...] = ()
    """Lower-case names of the headers that `parse` looks at."""
    join: Join | None = None
    """For senders that tell a part at a time."""
    strip: Strip | None = None
    """For senders that send what is never kept."""
    retries: bool = True
    """False for a sender that tries once: what cannot be stored at once is kept in the spool."""
    tell: Callable[[Mapping[str, Any], Mapping[str, str]], Enrichment] | None = None
    """(alert as sent, its labels) to what the sender says of it besides, for kinds where the kept alert tells that."""
    proofs: tuple[str, ...] = ()
    """Lower-case names of the headers in which a signature of the raw body may come."""
    delivery: str = ""
    """Lower-case name of the header that identifies a delivery over its retries."""
    webhook: bool = True
    """False for what comes over the API, which asks for a token instead of a secret of the source's own."""


KINDS: Mapping[str, Kind] = {
    "alertmanager": Kind(alertmanager.parse, timedelta(days=3)),
    "grafana": Kind(grafana.parse, timedelta(days=3), tell=grafana.told, proofs=("x-grafana-alerting-signature",)),
    "sentry": Kind(
        sentry.parse,
        timedelta(days=7),
        headers=sentry.HEADERS,
        join=sentry.join,
        strip=sentry.strip,
        retries=False,
        proofs=("sentry-hook-signature", "sentry-app-signature"),
        delivery="idempotency-key",
    ),
    "generic": Kind(generic.parse, timedelta(days=1), retries=False, delivery="idempotency-key"),
    own.OWN: Kind(own.parse, timedelta(hours=1), retries=False, delivery="idempotency-key", webhook=False),
}
"""By the word in the URL and in `sources.<name>.kind`."""
SENDERS = tuple(name for name, kind in KINDS.items() if kind.webhook)
"""The kinds that post webhooks."""

__all__ = ["KINDS", "SENDERS", "Bounds", "Join", "Kind", "Parse", "SourceContext"]
