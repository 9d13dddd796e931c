"""The writer's statements on PostgreSQL: fixed texts that take whole columns as arrays.

A text made per batch would be planned per batch, which costs more than all else (docs/performance.md).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, SmallInteger, String, Table
from sqlalchemy.types import TypeEngine

from receiver.store import tables
from receiver.store.codec import CONTENT, FIXED, STATE, TOUCHED

Rows = Iterable[tuple[Any, ...]]

# The most special first: each is also an instance of a later one.
_TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "int8"),
    (SmallInteger, "int2"),
    (Integer, "int4"),
    (Boolean, "bool"),
    (LargeBinary, "bytea"),
    (String, "text"),
)


@dataclass(frozen=True)
class Columns:
    """Some columns of a table, as arrays in a statement's parameters."""

    table: Table
    names: tuple[str, ...]

    def arrays(self, numbers: "count[int]") -> str:
        """`unnest($1::int8[], ...)`, taking the next parameters."""
        return f"unnest({', '.join(f'${next(numbers)}::{_type(self.table, name)}[]' for name in self.names)})"

    def columns(self, rows: Rows) -> list[list[Any]]:
        """The parameters for it."""
        transposed = [list(column) for column in zip(*rows, strict=True)]
        return transposed or [[] for _ in self.names]

    @property
    def listed(self) -> str:
        """`a, b, c`."""
        return ", ".join(self.names)

    def insert(self, numbers: "count[int]") -> str:
        """INSERT of all rows."""
        return f"INSERT INTO {self.table.name} ({self.listed}) SELECT * FROM {self.arrays(numbers)}"  # noqa: S608

    def update(self, numbers: "count[int]") -> str:
        """UPDATE of all rows; the first column is the key."""
        key, *rest = self.names
        setting = ", ".join(f"{name} = r.{name}" for name in rest)
        source = f"{self.arrays(numbers)} AS r({self.listed})"
        return f"UPDATE {self.table.name} SET {setting} FROM {source} WHERE {self.table.name}.{key} = r.{key}"  # noqa: S608


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next(text for sort, text in _TYPES if isinstance(kind, sort))


ALERT = Columns(tables.alert, (*STATE[:3], "latest", *STATE[3:]))
STATES = Columns(tables.alert, (STATE[0], *STATE[FIXED:]))
TOUCHES = Columns(tables.alert, ("id", *TOUCHED))
CONTENTS = Columns(tables.content, ("alert_id", *CONTENT))
LABELS = Columns(tables.label_row, ("token", "alert_id"))
CHANGES = Columns(tables.change, tuple(tables.change.c.keys()))
QUARANTINED = Columns(tables.quarantine, ("at", "source", "reason", "excerpt"))
DELIVERIES = Columns(tables.delivery, tuple(tables.delivery.c.keys()))
VOICES = Columns(tables.voice, ("source", "voice", "n", "last_at"))
COUNTS = Columns(tables.alert_count, tuple(tables.alert_count.c.keys()))


def _together(*parts: str) -> str:
    named = ", ".join(f"part_{number} AS ({part})" for number, part in enumerate(parts))
    return f"WITH {named} SELECT 1"


def _counted(numbers: "count[int]") -> str:
    keys = ", ".join(tables.alert_count.primary_key.c.keys())
    return f"{COUNTS.insert(numbers)} ON CONFLICT ({keys}) DO UPDATE SET n = alert_count.n + excluded.n"


_numbers = count(1)
WRITE = _together(
    ALERT.insert(_numbers),
    CONTENTS.insert(_numbers),
    LABELS.insert(_numbers),
    TOUCHES.update(_numbers),
    CHANGES.insert(_numbers),
    _counted(_numbers),
)
"""What every batch writes, in one statement: a round trip each would cost more than the work."""
UPDATE_STATES = STATES.update(count(1))
UPDATE_CONTENTS = CONTENTS.update(count(1))
INSERT_CHANGES = CHANGES.insert(count(1))
COUNT = _counted(count(1))
INSERT_LABELS = LABELS.insert(count(1))
INSERT_QUARANTINED = QUARANTINED.insert(count(1))
INSERT_DELIVERIES = DELIVERIES.insert(count(1))
HEARD = (
    f"{VOICES.insert(count(1))} ON CONFLICT (source, voice)"
    " DO UPDATE SET n = voice.n + excluded.n, last_at = excluded.last_at"
)
DEMOTE = "UPDATE alert SET latest = false WHERE id = ANY($1::int8[])"
DELETE_LABELS = "DELETE FROM alert_label WHERE alert_id = $2 AND token = ANY($1::int4[])"
SELECT_LABELS = "SELECT alert_id, labels FROM content WHERE alert_id = ANY($1::int8[])"
SELECT_RAW = "SELECT raw FROM content WHERE alert_id = $1"
SELECT_DELIVERIES = """
SELECT source, key FROM unnest($1::text[], $2::text[]) AS asked(source, key) JOIN delivery USING (source, key)
"""
# A job that nobody has begun will see the newer Change as well: one is enough, and its time counts from that Change.
# Its row is locked, so that nobody begins it before that Change is committed.
INSERT_JOBS = """
WITH owed AS (
    SELECT alert_id, max(change_seq) AS change_seq, max(at) AS at
    FROM unnest($1::int8[], $2::int4[], $3::int8[]) AS told(alert_id, change_seq, at) GROUP BY alert_id
), waiting AS (
    SELECT id, alert_id FROM job WHERE kind = 'enrich' AND attempts = 0 AND alert_id = ANY($1::int8[])
    ORDER BY id FOR UPDATE
), renewed AS (
    UPDATE job SET change_seq = owed.change_seq, created_at = owed.at
    FROM owed JOIN waiting USING (alert_id) WHERE job.id = waiting.id
)
INSERT INTO job (kind, alert_id, change_seq, created_at, lease_until, attempts, fence)
SELECT 'enrich', owed.alert_id, owed.change_seq, owed.at, 0, 0, 0 FROM owed
WHERE NOT EXISTS (SELECT 1 FROM waiting WHERE waiting.alert_id = owed.alert_id)
"""
# One index lookup a key, in the order asked for, so that replicas lock in the same order. A number is taken for each
# key that may need a new row. The newest stamp tells whether the silences that are remembered are those in force.
SELECT_LATEST = f"""
SELECT {", ".join(f"found.{name}" for name in STATE)},
    CASE WHEN found.id IS NULL OR found.status NOT IN ('active', 'acknowledged', 'suppressed')
    THEN nextval('alert_id_seq') END,
    (SELECT max(stamp) FROM silence)
FROM unnest($1::text[], $2::text[]) AS asked(source, fingerprint)
LEFT JOIN LATERAL (
    SELECT {", ".join(STATE)} FROM alert
    WHERE latest AND alert.fingerprint = asked.fingerprint AND alert.source = asked.source
    LIMIT 1 FOR UPDATE
) AS found ON true
"""  # noqa: S608
NEXT_ID = "SELECT nextval('alert_id_seq')"
