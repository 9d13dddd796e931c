"""A verified body as Sightings: decoded, freed of secrets, parsed. Pure; raises Refused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.sources import KINDS, SourceContext
from receiver.sources.redact import redact
from receiver.sources.text import decode


def read(headers: Mapping[str, str], body: bytes, source: SourceContext, now: Instant) -> Sightings:
    """What a webhook of the source says. `headers` by lower-case name: those that its kind asks for.

    Raises Refused (400, 413) for what can never be taken.
    """
    document, redacted = without_secrets(body, source)
    told = KINDS[source.kind].parse(headers, document, len(body), source, now)
    return replace(told, redacted=redacted) if redacted else told


def without_secrets(body: bytes, source: SourceContext) -> tuple[Any, int]:
    """The body decoded, and how many secrets were taken out of it. Raises Refused."""
    document = decode(body, source.bounds.values)
    strip = KINDS[source.kind].strip
    return redact(document if strip is None else strip(document, source), body, source.redaction)
