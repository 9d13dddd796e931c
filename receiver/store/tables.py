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
    # What it is about, as its sender tells: patterns count by it.
    Column("subject", String, nullable=False, server_default=text("''")),
    # What became of it since it last began: patterns would have to search its Changes otherwise, which takes as long as
    # all else that they do.
    Column("fate_seq", Integer, nullable=False, server_default=text("0")),
    Column("began_seq", Integer, nullable=False, server_default=text("0")),
    Column("over_at", BigInteger, nullable=False, server_default=text("0")),
    Column("heeded", BigInteger),
    # The status that its opening, which is its first Change, left it in: "" in rows from before this was kept, and of
    # an alert of which the end was heard first.
    Column("opened_as", String, nullable=False, server_default=text("''")),
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
    # In the order of every usual list of what is open: by priority, and newest first.
    Index("alert_status", "status", "priority", "id"),
    # When alerts were opened, for patterns and for whoever follows what happens, who find it without the Change.
    Index("alert_created", "created_at", "id"),
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
    Index(
        "alert_heartbeat",
        "name",
        sqlite_where=text("heartbeat AND latest"),
        postgresql_where=text("heartbeat AND latest"),
    ),
    Index(
        "alert_note_key",
        "fingerprint",
        "source",
        "id",
        sqlite_where=text("has_note"),
        postgresql_where=text("has_note"),
    ),
    Index("alert_note_name", "name", "id", sqlite_where=text("has_note"), postgresql_where=text("has_note")),
    # Numbers are never used twice, even after the newest rows were deleted.
    sqlite_autoincrement=True,
    # Repeats rewrite rows: with room beside them they stay on their page, and no index is touched.
    postgresql_with={"fillfactor": 75},
)

# What is shown, apart from the state that every repeat rewrites: the hot rows stay small, so a storm of repeats
# dirties few pages.
content = Table(
    "content",
    metadata,
    Column("alert_id", Key, primary_key=True, autoincrement=False),
    Column("kind", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("generator_url", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("annotations", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    # From deferred enrichers: kept apart, so that an alert described anew by a repeat keeps it.
    Column("added", Text),
    # What people and programs added to it by the API: a JSON object, kept over whatever its sender tells.
    Column("metadata", Text),
)

REOPENED, LATER = "kind = 'reopened'", "NOT kind IN ('opened', 'reopened')"
"""Of which Changes two indexes are, in the very words by which SQLite knows them again."""
change = Table(
    "change",
    metadata,
    Column("alert_id", Key, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", String, nullable=False),
    Column("who", String, nullable=False),
    Column("why", Text, nullable=False),
    # Where the alert stood after it; "" in rows from before this was kept.
    Column("status", String, nullable=False, server_default=text("''")),
    Column("via", String, nullable=False, server_default=text("''")),
    Column("detail", Text),
    # When alerts began anew, for patterns, which have no part in the others and read these in exactly this order; those
    # are indexed beside it, but for openings: when an alert was opened says the alert (alert_created).
    Index("change_reopened", "at", "alert_id", "seq", sqlite_where=text(REOPENED), postgresql_where=text(REOPENED)),
    Index("change_later", "at", sqlite_where=text(LATER), postgresql_where=text(LATER)),
    sqlite_with_rowid=False,
)

# Silences made by people; those of rules/silences.yaml are kept here as well, so that all replicas judge alike.
silence = Table(
    "silence",
    metadata,
    Column("id", Key, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    # NULL for a recurring one that goes on for ever.
    Column("ends_at", BigInteger),
    # A recurring window: cron expression of its starts, how long each lasts, and the time zone that both are meant in.
    Column("schedule", String, nullable=False, server_default=text("''")),
    Column("lasts", BigInteger, nullable=False, server_default=text("0")),
    Column("zone", String, nullable=False, server_default=text("''")),
    Column("comment", Text, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Counts its changes.
    Column("version", Integer, nullable=False, server_default=text("1")),
    # The rule's id for one from a file, "" for one that people made.
    Column("rule", String, nullable=False, server_default=text("''")),
    Column("changed_by", String, nullable=False, server_default=text("''")),
    Column("changed_at", BigInteger, nullable=False, server_default=text("0")),
    Column("created_via", String, nullable=False, server_default=text("''")),
    Column("changed_via", String, nullable=False, server_default=text("''")),
    # Counts all changes of all silences: the highest one tells whether what a replica remembers is still so.
    Column("stamp", BigInteger, nullable=False, server_default=text("0")),
    Index("silence_ends", "ends_at"),
    Index("silence_stamp", "stamp"),
    sqlite_autoincrement=True,
)

# API tokens: only a checksum is kept.
token = Table(
    "token",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scopes", String, nullable=False),
    Column("created_by", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    sqlite_autoincrement=True,
)

job = Table(
    "job",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", String, nullable=False),
    Column("alert_id", Key, nullable=False),
    Column("change_seq", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("lease_until", BigInteger, nullable=False),
    Column("attempts", SmallInteger, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Index("job_due", "lease_until", "id"),
    Index("job_alert", "alert_id"),
    sqlite_autoincrement=True,
)

alert_count = Table(
    "alert_count",
    metadata,
    Column("source", String, primary_key=True),
    Column("status", String, primary_key=True),
    Column("priority", String, primary_key=True),
    Column("category", String, primary_key=True),
    Column("name", String, primary_key=True),
    Column("n", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Key, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("source", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("excerpt", Text, nullable=False),
    sqlite_autoincrement=True,
)

# Deliveries that were taken in: the same one again (a retry, or a spooled copy of what was stored after all) is not.
delivery = Table(
    "delivery",
    metadata,
    Column("source", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    # Of what is posted to the API: the alert that it became, and a checksum of it (the same key with another body is a
    # mistake of the sender's).
    Column("alert_id", BigInteger),
    Column("said", LargeBinary),
    Index("delivery_at", "at"),
    sqlite_with_rowid=False,
)

# Which of its kinds of webhook a sender has spoken with, and how often: what it never sends can then be told.
voice = Table(
    "voice",
    metadata,
    Column("source", String, primary_key=True),
    Column("voice", String, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

label_row = Table(
    "alert_label",
    MetaData(),
    Column("token", Integer, primary_key=True),
    Column("alert_id", BigInteger, primary_key=True),
)
"""PostgreSQL's label index (`receiver.store.labels`): rows of (token, alert)."""
LABEL_INDEX = (
    "CREATE VIRTUAL TABLE alert_label USING fts5(tokens, content='', detail=none, columnsize=0, tokenize='ascii')"
)
"""Makes SQLite's."""
label_index = table("alert_label", column("rowid", Integer), column("alert_label", String))
"""SQLite's full-text table over labels (`receiver.store.labels`)."""
