"""The writer's statements on SQLite: built from the tables once, as text for the driver.

The batching writer runs these by themselves, because compiling or wrapping them a batch at a time costs more than
the statements do (docs/performance.md). Everything else in the store speaks SQLAlchemy Core.
"""

from sqlalchemy import Table, bindparam, insert, update
from sqlalchemy.dialects import sqlite

from receiver.store import tables
from receiver.store.codec import CONTENT, STATE, TOUCHED

_DIALECT = sqlite.dialect(paramstyle="qmark")


def _insert(table: Table, *columns: str) -> str:
    return str(insert(table).compile(dialect=_DIALECT, column_keys=columns))


def _update(table: Table, key: str, *columns: str) -> str:
    statement = update(table).where(table.c[key] == bindparam("key"))
    return str(statement.compile(dialect=_DIALECT, column_keys=columns))


STATE_SIZES = (1, 8, 64, 500)
"""How many fingerprints one SELECT asks for: few sizes, so that few texts are prepared."""

INSERT_ALERT = _insert(tables.alert, *STATE[:3], "latest", *STATE[3:])
UPDATE_STATE = _update(tables.alert, "id", *STATE[3:])
TOUCH = _update(tables.alert, "id", *TOUCHED)
DEMOTE = "UPDATE alert SET latest = 0 WHERE id = ?"
INSERT_CONTENT = _insert(tables.content, "alert_id", *CONTENT)
UPDATE_CONTENT = _update(tables.content, "alert_id", *CONTENT)
INSERT_CHANGE = _insert(tables.change, *tables.change.c.keys())
INSERT_QUARANTINED = _insert(tables.quarantine, "at", "source", "reason", "excerpt")
INSERT_LABELS = "INSERT INTO alert_label (rowid, tokens) VALUES (?, ?)"
DELETE_LABELS = "INSERT INTO alert_label (alert_label, rowid, tokens) VALUES ('delete', ?, ?)"
# A job that nobody has begun will see the newer Change as well: one is enough.
INSERT_JOB = """
INSERT INTO job (kind, alert_id, change_seq, created_at, lease_until, attempts, fence)
SELECT 'enrich', ?1, ?2, ?3, 0, 0, 0
WHERE NOT EXISTS (SELECT 1 FROM job WHERE alert_id = ?1 AND kind = 'enrich' AND attempts = 0)
"""
SELECT_RAW = "SELECT raw FROM content WHERE alert_id = ?"
SELECT_DELIVERY = "SELECT 1 FROM delivery WHERE source = ? AND key = ?"
INSERT_DELIVERY = "INSERT INTO delivery (source, key, at) VALUES (?, ?, ?)"
HEARD = """
INSERT INTO voice (source, voice, n, last_at) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n, last_at = excluded.last_at
"""
COUNT = """
INSERT INTO alert_count (source, status, priority, category, name, n) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET n = n + excluded.n
"""


def select_states(size: int) -> str:
    """SELECT the latest row of each of `size` fingerprints, whatever its source."""
    return f"SELECT {', '.join(STATE)} FROM alert WHERE latest AND fingerprint IN ({', '.join('?' * size)})"  # noqa: S608
