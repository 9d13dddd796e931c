"""The words that alerts are described with: statuses, priorities, categories, kinds of Change."""

from enum import StrEnum


class Status(StrEnum):
    """Where an Alert stands. The first three are open."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        """True while the problem is not over as far as we know."""
        return self in OPEN


OPEN = frozenset({Status.ACTIVE, Status.ACKNOWLEDGED, Status.SUPPRESSED})


class Priority(StrEnum):
    """How soon somebody has to look, most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @property
    def rank(self) -> int:
        """4 for critical down to 0 for info, to compare by."""
        return RANK[self]

    def raised(self, steps: int = 1) -> "Priority":
        """The priority that many steps more urgent, at most critical."""
        return BY_RANK[min(self.rank + steps, 4)]


RANK = {
    Priority.CRITICAL: 4,
    Priority.HIGH: 3,
    Priority.MEDIUM: 2,
    Priority.LOW: 1,
    Priority.INFO: 0,
}
BY_RANK = {rank: priority for priority, rank in RANK.items()}


class Category(StrEnum):
    """What kind of trouble it is."""

    SYSTEM = "system"
    DATABASE = "database"
    APPLICATION = "application"
    PERFORMANCE = "performance"
    SECURITY = "security"
    BUSINESS = "business"
    AVAILABILITY = "availability"


class Kind(StrEnum):
    """What a Change did to an Alert: its audit trail is made of these."""

    OPENED = "opened"
    REOPENED = "reopened"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    RESOLVED = "resolved"
    EXPIRED = "expired"
    ASSIGNED = "assigned"
    NOTED = "noted"
    AMENDED = "amended"
    """Metadata was added to it."""


TOLD = frozenset({Kind.OPENED, Kind.REOPENED, Kind.ESCALATED})
"""The Changes that are news: they are enriched by deferred enrichers and, later, told to people."""
