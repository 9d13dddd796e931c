"""What a reload replaces as one: the settings, the enrichers and the rule book, and the plans made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from importlib.metadata import version
from typing import Any, get_args

from pydantic_core import to_json

from enrichers import Context
from enrichers.chain import describe
from receiver.domain.alert import Policy
from receiver.domain.enrichment import History
from receiver.domain.rules import Book
from receiver.domain.sighting import NOTHING, Sighting
from receiver.domain.times import Instant, span
from receiver.errors import Mistake, Mistakes, gathered
from receiver.meters import Meters
from receiver.plugins import LoadedEnricher, Stage, load_enrichers
from receiver.rulebook import Entry, load_book, survey
from receiver.settings import Settings
from receiver.settings.sources import Source
from receiver.sources import KINDS, Bounds, Join, SourceContext
from receiver.sources.redact import Redaction
from receiver.store import Content
from receiver.store.codec import detail, pack

LONGEST_NAME = 300
"""Characters of a name that alerts are counted by; the label `alertname` itself is kept whole."""


@dataclass(frozen=True, slots=True)
class Setup:
    """One generation of the configuration. A webhook or job keeps the one it began with."""

    settings: Settings
    inline: tuple[LoadedEnricher, ...]
    shown: tuple[LoadedEnricher, ...]
    deferred: tuple[LoadedEnricher, ...]
    book: Book
    plans: Mapping[str, "SourcePlan"]
    """By the name of the source."""
    contexts: Mapping[str, SourceContext]
    """What a source's parser knows, by its name."""


def build(settings: Settings, meters: Meters) -> Setup:
    """Load what the settings name. Raises Mistakes, all that there are: then nothing of it is used."""
    mistakes: list[Mistake] = []
    enrichers: tuple[LoadedEnricher, ...] = ()
    book = Book()
    with gathered(mistakes):
        enrichers = load_enrichers(settings)
    with gathered(mistakes):
        book = book_of(settings)
    if mistakes:
        raise Mistakes(mistakes)
    inline, shown, deferred = (tuple(e for e in enrichers if e.stage == stage) for stage in get_args(Stage))
    meters.introduce(settings.sources)
    names = tuple(enricher.name for enricher in inline)
    plans = {
        name: SourcePlan(
            policy := _policy(settings, name),
            bool(deferred),
            inline,
            book,
            meters,
            _salt(settings, book, policy),
            names,
            KINDS[source.kind].join,
        )
        for name, source in settings.sources.items()
    }
    contexts = {name: context_of(settings, name, source) for name, source in settings.sources.items()}
    return Setup(settings, inline, shown, deferred, book, plans, contexts)


def _salt(settings: Settings, book: Book, policy: Policy) -> bytes:
    """Of whatever could describe the same sighting differently: other settings, other adjustments, another version."""
    told = (version("alertsage"), settings.enrichers, book.adjustments.digest, policy.expire_after)
    return blake2b(repr(told).encode(), digest_size=16).digest()


def book_of(settings: Settings) -> Book:
    """The rule book that the settings name. Raises Mistakes."""
    return load_book(settings.rules.folder, partial(settings.mistake, ("rules", "folder")))


def survey_of(settings: Settings) -> tuple[Book, list[Entry]]:
    """The same book, and its rules as people look at them. Raises Mistakes."""
    return survey(settings.rules.folder, partial(settings.mistake, ("rules", "folder")))


def context_of(settings: Settings, name: str, source: Source) -> SourceContext:
    """What the parser of a source knows besides the request."""
    redact = settings.redact
    return SourceContext(
        name=name,
        kind=source.kind,
        bounds=Bounds.of(settings.limits),
        redaction=Redaction(redact.patterns, redact.keys, redact.defaults),
        keep=frozenset(source.keep),
        layout=source.mapping.layout if source.mapping else None,
    )


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """How webhooks of one source are taken in: see `receiver.store.Plan`."""

    policy: Policy
    deferred: bool
    inline: tuple[LoadedEnricher, ...]
    book: Book
    meters: Meters
    salt: bytes
    names: tuple[str, ...]
    """Of the inline enrichers."""
    join: Join | None = None

    @property
    def joins(self) -> bool:
        """See `receiver.store.Plan`."""
        return self.join is not None

    def joined(self, sighting: Sighting, before: Mapping[str, Any]) -> Sighting:
        """See `receiver.store.Plan`."""
        return sighting if self.join is None else self.join(sighting, before)

    def digest(self, sighting: Sighting) -> bytes:
        """A short checksum of all that `describe` looks at, the rules included."""
        told = () if sighting.told is NOTHING else (sighting.told,)
        looked_at = to_json((sighting.labels, sighting.annotations, sighting.generator_url, *told))
        return blake2b(looked_at, digest_size=8, key=self.salt).digest()

    def describe(self, sighting: Sighting, history: History, now: Instant) -> Content:
        """Run the inline enrichers. Never raises: a failed one is an outcome on the alert."""
        described = describe(self.inline, sighting, Context(now, self.book, history))
        view = described.view
        self.meters.chain_ran(self.names, tuple([ran.outcome for ran in described.outcomes]))
        assert view.category is not None and view.priority is not None  # noqa: S101, PT018 - the chain sees to it
        return Content(
            name=view.name[:LONGEST_NAME],
            heartbeat=sighting.heartbeat,
            category=view.category,
            priority=view.priority,
            title=view.title,
            message=view.message,
            kind=sighting.kind,
            generator_url=sighting.generator_url,
            labels=sighting.labels,
            labels_json=to_json(sighting.labels).decode(),
            annotations_json=to_json(sighting.annotations).decode(),
            detail_json=detail(described),
            raw=pack(to_json(sighting.raw)),
            expire_after=described.expire_after,
            subject=(view.subject or "")[:LONGEST_NAME],
        )


def _policy(settings: Settings, source: str) -> Policy:
    times = settings.lifecycle
    return Policy(
        expire_after=span(settings.sources[source].expiry),
        repeat_within=span(times.repeat_within),
        late_within=span(times.late_within),
        reopen_within=span(times.reopen_within),
        resolve_grace=span(times.resolve_grace),
    )
