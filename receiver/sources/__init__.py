"""Senders: headers and bytes in, Sightings out. A sender is one file and one line of the table below."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from receiver.domain.sighting import Sightings
from receiver.domain.times import Instant
from receiver.sources import alertmanager
from receiver.sources.context import Bounds, SourceContext

Parse = Callable[[Mapping[str, str], bytes, SourceContext, Instant], Sightings]
"""(headers, body, source, now) to Sightings. Pure. Raises errors.Refused for what can never be taken."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sender."""

    parse: Parse


KINDS: Mapping[str, Kind] = {
    "alertmanager": Kind(alertmanager.parse),
}
"""By the word in the URL and in `sources.<name>.kind`."""

__all__ = ["KINDS", "Bounds", "Kind", "Parse", "SourceContext"]
