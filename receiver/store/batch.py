"""One transaction of the writer: the latest row of each key read, the sightings folded in, everything written once."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from receiver.domain import times
from receiver.domain.alert import Alert, Change
from receiver.domain.changes import escalate, remark
from receiver.domain.enrichment import History
from receiver.domain.lifecycle import Outcome, Verdict, fold
from receiver.domain.sighting import Remark, Sighting, Sightings
from receiver.domain.silences import begun, settle
from receiver.domain.times import Instant
from receiver.domain.vocabulary import TOLD, Category, Kind, Priority, Status
from receiver.store import codec
from receiver.store.database import Asked, Key, Statements, Written
from receiver.store.plan import Content, Plan

BATCH_PART = 200
"""At most so many alerts in one commit: the event loop does nothing else meanwhile."""
Bucket = tuple[str, Status, Priority, Category, str]
"""(source, status, priority, category, name): what is counted together."""


def bucket(alert: Alert) -> Bucket | None:
    """The count the Alert belongs to; None for heartbeats, which are never counted as trouble."""
    if alert.heartbeat:
        return None
    return (alert.source, alert.status, alert.priority, alert.category, alert.name)


@dataclass(slots=True)
class Intake:
    """One webhook (or a part of a large one) on its way into the store."""

    source: str
    told: Sightings
    at: Instant
    """When it is taken in."""
    plan: Plan
    read: Callable[[], Sightings] | None = None
    """Makes `told`, if that is still to be done: many one after the other cost less than each by itself."""
    whole: bool = True
    """False for all but the last part of a large webhook: its delivery is taken in when all of it is."""

    def read_now(self) -> None:
        """Read what it says, unless that has been done. Raises Refused."""
        if self.read is not None:
            self.told, self.read = self.read(), None

    @property
    def seen_at(self) -> Instant:
        """When it came, by our clock."""
        return self.at if self.told.came is None else self.told.came

    @property
    def keys(self) -> Iterable[Key]:
        """Of every alert that it concerns."""
        yield from ((self.source, sighting.fingerprint) for sighting in self.told.alerts)
        yield from ((self.source, said.fingerprint) for said in self.told.remarks)

    @property
    def delivery(self) -> Key | None:
        """What tells the same delivery again; None when it cannot be told."""
        return (self.source, self.told.delivery) if self.told.delivery else None


@dataclass(slots=True)
class _Entry:
    """A row as it will be when the batch is written."""

    alert: Alert
    before: Bucket | None = None
    new: bool = False
    latest: bool = True
    touched: bool = False
    changed: bool = False
    content: Content | None = None


class Batch:
    """Collects what a transaction writes. Use: `take` for each Intake, `write`."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql
        self._entries = {(alert.source, alert.fingerprint): _Entry(alert, bucket(alert)) for alert in sql.latest}
        self._displaced: list[_Entry] = []
        self._changes: list[Change] = []
        self._jobs: list[tuple[int, int, Instant]] = []
        self._quarantined: list[tuple[Instant, str, str, str]] = []
        self._known = sql.known
        self._deliveries: dict[Key, Instant] = {}
        self._voices: Counter[Key] = Counter()
        self._at: Instant = 0

    @property
    def owes_work(self) -> bool:
        """True when this batch adds jobs."""
        return bool(self._jobs)

    def take(self, intake: Intake) -> Counter[str]:
        """Fold one webhook in; returns how many sightings and remarks had each outcome."""
        told, outcomes = intake.told, Counter[str]()
        delivery = intake.delivery
        if delivery is not None:
            if delivery in self._known or delivery in self._deliveries:
                return Counter(duplicate=len(told.alerts) + len(told.remarks))
            if intake.whole and not told.refusal:  # what was refused may come again when it has been mended
                self._deliveries[delivery] = intake.at
        if told.voice:
            self._voices[intake.source, told.voice] += 1
            self._at = max(self._at, intake.at)
        for sighting in told.alerts:
            outcomes[self._take(sighting, intake)] += 1
        for said in told.remarks:
            outcomes[self._note(said, intake)] += 1
        self._quarantined += [(intake.at, intake.source, q.reason, q.excerpt) for q in told.quarantined]
        return outcomes

    def _note(self, said: Remark, intake: Intake) -> str:
        entry = self._entries.get((intake.source, said.fingerprint))
        if entry is None:
            return "unknown"
        alert, entry.changed = entry.alert, True
        changes = [remark(alert, said, intake.seen_at, intake.source)]
        if said.tells is not None:
            history = History(alert.episodes, alert.notification_count, alert.predecessor)
            entry.content = intake.plan.describe(self._joined(entry, said.tells, intake.plan), history, intake.seen_at)
            changes += self._judged(alert, entry.content, intake)
        self._made(alert, changes, intake)
        return "noted"

    def _take(self, sighting: Sighting, intake: Intake) -> str:
        key = (intake.source, sighting.fingerprint)
        entry = self._entries.get(key)
        was_open = entry is not None and entry.alert.status.open
        plan = intake.plan
        verdict = fold(entry.alert if entry else None, sighting, intake.seen_at, plan.policy, self._sql.new_id)
        if entry is None or entry.alert is not verdict.alert:
            if entry is not None:
                entry.latest, entry.changed = False, True
                self._displaced.append(entry)
            entry = self._entries[key] = _Entry(verdict.alert, new=True)
        entry.touched |= not verdict.idle
        entry.changed |= sighting.silenced is not None
        further = self._describe(entry, sighting, verdict, intake, was_open)
        if changes := [*verdict.changes, *further]:
            entry.changed = True
            self._made(entry.alert, changes, intake)
        risen = any(change.kind is Kind.ESCALATED for change in further)
        return "escalated" if risen and not verdict.news else verdict.outcome.value

    def _made(self, alert: Alert, changes: list[Change], intake: Intake) -> None:
        """Keep the Changes, and owe the work that news among them asks for."""
        self._changes += changes
        told = [change for change in changes if change.kind in TOLD]
        if told and intake.plan.deferred:
            self._jobs.append((alert.id, told[-1].seq, intake.at))

    def _describe(
        self, entry: _Entry, sighting: Sighting, verdict: Verdict, intake: Intake, was_open: bool
    ) -> list[Change]:
        """Describe the alert if it is news or says something new; returns the Changes that this makes: its priority
        rose, another silence holds it."""
        if not entry.new and (not sighting.firing or verdict.outcome in (Outcome.STALE, Outcome.HELD)):
            return []
        alert, plan = entry.alert, intake.plan
        digest = plan.digest(sighting)  # of what was told, not of what it is joined with: that grows
        begins = verdict.news or (entry.new and entry.content is None)
        if not begins and digest == alert.digest:
            return []
        history = History(alert.episodes, alert.notification_count, alert.predecessor)
        content = entry.content = plan.describe(self._joined(entry, sighting, plan), history, intake.seen_at)
        alert.digest, alert.name, alert.heartbeat = digest, content.name, content.heartbeat
        if begins and (not was_open or entry.new):
            alert.priority = content.priority
        entry.changed = True
        hushed = self._hushed(alert, content, verdict, intake.seen_at)
        return [*hushed, *self._judged(alert, content, intake)]

    def _hushed(self, alert: Alert, content: Content, verdict: Verdict, at: Instant) -> list[Change]:
        """Let the silence that is active now hold the alert, or none; by the time now, however long the webhook waited.

        An alert that begins so was never active: the Change that it begins with says so. For one that was open
        already, and is described anew, it is a Change of its own.
        """
        if not alert.status.open:
            return []
        silence = self._sql.silences.holding(content.labels, times.now(), alert.hushed_by)
        if not verdict.news:
            made = settle(alert, silence, at, "its labels are other ones now")
            return [] if made is None else [made]
        if silence is not None:
            *before, opening = verdict.changes
            verdict.changes = (*before, begun(alert, opening, silence))
        return []

    def _judged(self, alert: Alert, content: Content, intake: Intake) -> list[Change]:
        """Put in force what the description says of the row itself; returns the Change when its priority rose."""
        alert.category, alert.subject = content.category, content.subject
        alert.expire_after = intake.plan.policy.expire_after if content.expire_after is None else content.expire_after
        if not alert.status.open:
            return []
        made = escalate(alert, content.priority, intake.seen_at, f"source:{intake.source}")
        return [] if made is None else [made]

    def _joined(self, entry: _Entry, sighting: Sighting, plan: Plan) -> Sighting:
        """The sighting with what is known of this row, for senders that tell a part at a time."""
        if not plan.joins or (entry.new and entry.content is None):
            return sighting
        raw = entry.content.raw if entry.content else self._sql.raw(entry.alert.id)
        return plan.joined(sighting, codec.json(codec.unpack(raw)))

    # --- writing ----------------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write all of it, if there is anything. The caller commits."""
        entries = [e for e in (*self._displaced, *self._entries.values()) if e.new or e.changed or e.touched]
        if not (entries or self._quarantined or self._deliveries or self._voices):
            return
        old = [e for e in entries if not e.new]
        moved = ((e.before, bucket(e.alert)) for e in entries if e.new or e.changed)
        self._sql.write(
            Written(
                demoted=[e.alert.id for e in self._displaced if not e.new],
                new=[(e.alert, e.latest, e.content) for e in entries if e.new],
                changed=[e.alert for e in old if e.changed],
                touched=[e.alert for e in old if e.touched and not e.changed],
                contents=[(e.alert.id, e.content) for e in old if e.content],
                changes=self._changes,
                jobs=self._jobs,
                quarantined=self._quarantined,
                deliveries=[(*key, at) for key, at in sorted(self._deliveries.items())],
                voices=[(*key, n, self._at) for key, n in sorted(self._voices.items())],
                counts=counted(moved),
            )
        )


def asked_by(intakes: Sequence[Intake]) -> Asked:
    """What has to be known before these can be taken."""
    return Asked(
        sorted({key for intake in intakes for key in intake.keys}),
        sorted({intake.delivery for intake in intakes if intake.delivery}),
    )


def counted(moves: Iterable[tuple[Bucket | None, Bucket | None]]) -> list[tuple[Any, ...]]:
    """The parameters of COUNT for rows that moved from one bucket to another."""
    delta: Counter[Bucket] = Counter()
    for before, after in moves:
        if before != after:
            if before is not None:
                delta[before] -= 1
            if after is not None:
                delta[after] += 1
    return [
        (source, status.value, priority.value, category.value, name, n)
        for (source, status, priority, category, name), n in sorted(delta.items())
        if n
    ]
