"""What the writer needs to know about a webhook besides its sightings. `receiver.flow` provides it."""

from collections.abc import Mapping
from typing import Any, Protocol

from receiver.domain.alert import Policy
from receiver.domain.enrichment import History
from receiver.domain.sighting import Sighting
from receiver.domain.times import Instant, Span
from receiver.domain.value import value
from receiver.domain.vocabulary import Category, Priority


@value
class Content:
    """An alert described: what is shown of it."""

    name: str
    heartbeat: bool
    category: Category
    priority: Priority
    title: str
    message: str
    kind: str
    generator_url: str
    labels: Mapping[str, str]
    labels_json: str
    annotations_json: str
    detail_json: str
    raw: bytes
    expire_after: Span | None = None
    """What a rule set outright; None for the policy's."""
    subject: str = ""
    """What it is about; "" when that is not known."""


class Plan(Protocol):
    """How one webhook is taken in. Fixed when the webhook came, so that a reload does not change it half way."""

    @property
    def policy(self) -> Policy:
        """The lifecycle's time limits for this source."""
        ...

    @property
    def deferred(self) -> bool:
        """True when deferred enrichers are configured: each piece of news is owed a job."""
        ...

    @property
    def joins(self) -> bool:
        """True when a sighting of this source may tell but a part of what is known (`joined`)."""
        ...

    def joined(self, sighting: Sighting, before: Mapping[str, Any]) -> Sighting:
        """The sighting with what the alert's last one told besides; `before` is its `raw`."""
        ...

    def digest(self, sighting: Sighting) -> bytes:
        """A short checksum of all that `describe` looks at, the rules included."""
        ...

    def describe(self, sighting: Sighting, history: History, now: Instant) -> Content:
        """Describe the alert (inline enrichers). Never raises, never waits."""
        ...
