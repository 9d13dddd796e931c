"""The tables. Moments are whole microseconds since 1970 (UTC); JSON is text made by pydantic_core.to_json.

Changed only together with a migration under `receiver/store/migrations` (a test compares the two).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    column,
    false,
    table,
    text,
)

metadata = MetaData()
Key = BigInteger().with_variant(Integer, "sqlite")

alert = Table(
    "alert",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("latest", Boolean(create_constraint=False), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("status", String, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("latest_start", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("last_firing_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("last_end", BigInteger, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    Column("resolved_by", String, nullable=False),
    Column("suppressed_until", BigInteger, nullable=False),
    Column("notification_count", Integer, nullable=False),
    Column("recent", String, nullable=False),
    Column("episodes", String, nullable=False),
    Column("change_count", Integer, nullable=False),
    Column("predecessor", Key),
    Column("expire_after", BigInteger, nullable=False),
    Column("priority", String, nullable=False),
    Column("category", String, nullable=False),
    Column("name", String, nullable=False),
    Column("heartbeat", Boolean(create_constraint=False), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("silenced", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("silence_at", BigInteger, nullable=False, server_default=text("0")),
    # The Silence that suppresses it now, 0 for none.
    Column("hushed_by", Key, nullable=False, server_default=text("0")),
    # Whom it is assigned to, "" for nobody: written by acts of people only.
    Column("assignee", String, nullable=False, server_default=text("''")),
    # Whether a person ever resolved it with a note. Intake never writes it: it costs nothing there, and the two small
    # indexes over it find what fixed an alert among any number of others.
    Column("has_note", Boolean(create_constraint=False), nullable=False, server_default=false()),
    # At most one row of a key is its latest: this serves both the lookup and the promise.
    Index(
        "alert_latest",
        "fingerprint",
        "source",
        unique=True,
        sqlite_where=text("latest"),
        postgresql_where=text("latest"),
    ),
    # Open alerts that a Silence holds, and those that only a person's suppression does, by its end.
    Index(
        "alert_hushed",
        "hushed_by",
        "id",
        sqlite_where=text("hushed_by > 0 AND status IN ('active', 'acknowledged', 'suppressed')"),
        postgresql_where=text("hushed_by > 0 AND status IN ('active', 'acknowledged', 'suppressed')"),
    ),
    Index(
        "alert_wakes",
        "suppressed_until",
        sqlite_where=text("status = 'suppressed' AND hushed_by = 0 AND NOT silenced"),
        postgresql_where=text("status = 'suppressed' AND hushed_by = 0 AND NOT silenced"),
    ),
