"""The audit trail in words: who did what to an Alert, when, and what that means for who acts on it now."""

from collections.abc import Iterable, Sequence

from receiver.domain.alert import Alert, Change
from receiver.domain.history import LONGEST_NAME, ago, plain, quoted
from receiver.domain.times import Instant, as_datetime
from receiver.domain.vocabulary import Kind, Status

TOLD_SINCE = 3
"""So many Changes are told one by one."""
_DID = {
    Kind.OPENED: "opened it",
    Kind.REOPENED: "reopened it",
    Kind.ESCALATED: "raised its priority",
    Kind.ACKNOWLEDGED: "acknowledged it",
    Kind.SUPPRESSED: "suppressed it",
    Kind.UNSUPPRESSED: "ended its suppression",
    Kind.RESOLVED: "resolved it",
    Kind.EXPIRED: "expired it",
    Kind.ASSIGNED: "assigned it",
    Kind.NOTED: "left a note",
    Kind.AMENDED: "added metadata",
}
_BROUGHT = {
    Status.ACTIVE: (Kind.OPENED, Kind.REOPENED, Kind.UNSUPPRESSED, Kind.ESCALATED),
    Status.ACKNOWLEDGED: (Kind.ACKNOWLEDGED,),
    Status.SUPPRESSED: (Kind.SUPPRESSED, Kind.OPENED, Kind.REOPENED),
    Status.RESOLVED: (Kind.RESOLVED,),
    Status.EXPIRED: (Kind.EXPIRED,),
}
"""The kinds of Change that bring an Alert into a status."""


def latest(trail: Sequence[Change], kinds: Iterable[Kind]) -> Change | None:
    """The newest Change of these kinds; the trail is in order."""
    wanted = frozenset(kinds)
    return next((made for made in reversed(trail) if made.kind in wanted), None)


def cause(alert: Alert, trail: Sequence[Change]) -> Change | None:
    """What brought the Alert where it stands; the newest Change when that is not known any more."""
    return latest(trail, _BROUGHT[alert.status]) or (trail[-1] if trail else None)


def other_way(alert: Alert, now: Instant) -> str:
    """What to end when something else than a person keeps a suppressed Alert quiet; "" when a person does."""
    if alert.status is not Status.SUPPRESSED or now < alert.suppressed_until:
        return ""
    if alert.hushed_by:
        return f"expire silence {alert.hushed_by} first"
    return "lift that at its sender first" if alert.silenced else ""


def did(made: Change, now: Instant) -> str:
    """Ada acknowledged it 3 min ago (2026-11-23 06:41:12 UTC): "looking"."""
    who = plain(made.who, LONGEST_NAME) or "somebody"
    when = f"{ago(now - made.at)} ({as_datetime(made.at):%Y-%m-%d %H:%M:%S} UTC)"
    why = f": {quoted(made.why)}" if made.why.strip() else ""
    until = made.detail.get("suppressed_until", (None, None))[1] if made.kind is Kind.SUPPRESSED else None
    return f"{who} {_DID[made.kind]}{f' until {until}' if until else ''} {when}{why}"


def since(trail: Sequence[Change], version: int, now: Instant) -> str:
    """What happened after that version, the newest told one by one."""
    newer = [made for made in trail if made.seq > version]
    told = "; ".join(did(made, now) for made in newer[-TOLD_SINCE:])
    before = (newer[-1].seq - version if newer else 0) - TOLD_SINCE
    return f"{before} more changes; {told}" if before > 0 else told
