"""The writer's statements on SQLite, as text for the driver.

Python's driver lets go of the interpreter at every step of a statement, and takes it back: a step a row would cost more
than the rows do while the event loop is busy (docs/performance.md). So rows are read as one JSON value and written many
at a time. Everything else in the store speaks SQLAlchemy Core.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from receiver.store import tables
from receiver.store.codec import ALTERED, CONTENT, FIXED, STATE, TOUCHED

Row = tuple[Any, ...]

STATE_SIZES = (1, 8, 64, 500)
"""How many fingerprints one SELECT asks for: few sizes, so that few texts are prepared."""
ROWS = (32, 8, 1)
"""How many rows one INSERT writes: at most 999 parameters, which every build of SQLite takes."""


class Insert:
    """INSERT of rows into some columns of a table."""

    def __init__(self, table: str, columns: Sequence[str], conflict: str = "") -> None:
        self._head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608
        self._row = f"({', '.join('?' * len(columns))})"
        self._conflict = conflict
        self._sizes = [size for size in ROWS if size * len(columns) <= 999]

    def statements(self, rows: Sequence[Row]) -> Iterator[tuple[str, Row]]:
        """Texts and parameters that write all of the rows."""
        done = 0
        for size in self._sizes:
            while len(rows) - done >= size:
                yield self._text(size), tuple(chain.from_iterable(rows[done : done + size]))
                done += size

    @cache  # noqa: B019 - lives as long as the process
    def _text(self, size: int) -> str:
        return f"{self._head}{', '.join([self._row] * size)} {self._conflict}"


INSERT_ALERT = Insert("alert", (*STATE[:3], "latest", *STATE[3:]))
INSERT_CONTENT = Insert("content", ("alert_id", *CONTENT))
INSERT_CHANGE = Insert("change", tables.change.c.keys())
INSERT_QUARANTINED = Insert("quarantine", ("at", "source", "reason", "excerpt"))
INSERT_LABELS = Insert("alert_label", ("rowid", "tokens"))
INSERT_DELIVERY = Insert("delivery", tables.delivery.c.keys())
HEARD = Insert(
    "voice", tables.voice.c.keys(), "ON CONFLICT DO UPDATE SET n = n + excluded.n, last_at = excluded.last_at"
)
COUNT = Insert("alert_count", tables.alert_count.c.keys(), "ON CONFLICT DO UPDATE SET n = n + excluded.n")


def _update(names: Sequence[str]) -> str:
    setting = ", ".join(f"{name} = json_extract(r.value, '$[{place}]')" for place, name in enumerate(names, 1))
    return f"UPDATE alert SET {setting} FROM json_each(?) AS r WHERE alert.id = json_extract(r.value, '$[0]')"  # noqa: S608


TOUCH = _update(TOUCHED)
"""Its parameter: a JSON array of rows, each its id and then the values."""
ALTER = _update(ALTERED)
"""The same for alerts that were altered, but not described anew."""
UPDATE_STATE = f"UPDATE alert SET {', '.join(f'{name} = ?' for name in STATE[FIXED:])} WHERE id = ?"  # noqa: S608
UPDATE_CONTENT = f"UPDATE content SET {', '.join(f'{name} = ?' for name in CONTENT)} WHERE alert_id = ?"  # noqa: S608
DEMOTE = "UPDATE alert SET latest = 0 WHERE id = ?"
DELETE_LABELS = "INSERT INTO alert_label (alert_label, rowid, tokens) VALUES ('delete', ?, ?)"
# A job that nobody has begun will see the newer Change as well: one is enough, and its time counts from that Change.
RENEW_JOB = "UPDATE job SET change_seq = ?2, created_at = ?3 WHERE alert_id = ?1 AND kind = 'enrich' AND attempts = 0"
INSERT_JOB = """
INSERT INTO job (kind, alert_id, change_seq, created_at, lease_until, attempts, fence)
SELECT 'enrich', ?1, ?2, ?3, 0, 0, 0
WHERE NOT EXISTS (SELECT 1 FROM job WHERE alert_id = ?1 AND kind = 'enrich' AND attempts = 0)
"""
SELECT_RAW = "SELECT raw FROM content WHERE alert_id = ?"
SELECT_DELIVERY = "SELECT 1 FROM delivery WHERE source = ? AND key = ?"


_SHOWN = ", ".join(f"hex({name})" if name == "digest" else name for name in STATE)


@cache
def select_states(size: int) -> str:
    """SELECT the latest row of each of `size` fingerprints, whatever its source, as one JSON array of arrays."""
    return (
        f"SELECT json_group_array(json_array({_SHOWN})) FROM alert"  # noqa: S608
        f" WHERE latest AND fingerprint IN ({', '.join('?' * size)})"
    )
