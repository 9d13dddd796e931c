"""What people do: who changed what over which interface, silences, assignees, metadata, API tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")

STOOD = """
UPDATE change SET status = CASE
    WHEN kind IN ('opened', 'reopened', 'escalated', 'unsuppressed') THEN 'active' ELSE kind END
WHERE kind NOT IN ('noted', 'assigned')
"""
HUSHED = "hushed_by > 0 AND status IN ('active', 'acknowledged', 'suppressed')"
WAKES = "status = 'suppressed' AND hushed_by = 0 AND NOT silenced"

SUBJECT = """
UPDATE alert SET subject = substr(told.subject, 1, 300)
FROM (SELECT alert_id, {} AS subject FROM content) AS told WHERE told.alert_id = alert.id AND told.subject IS NOT NULL
"""


def _on_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def upgrade() -> None:
    op.add_column("alert", sa.Column("hushed_by", KEY, nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("assignee", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("content", sa.Column("metadata", sa.Text()))
    op.add_column("change", sa.Column("status", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("change", sa.Column("via", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("change", sa.Column("detail", sa.Text()))
    op.execute(STOOD)
    op.add_column("delivery", sa.Column("alert_id", sa.BigInteger()))
    op.add_column("delivery", sa.Column("said", sa.LargeBinary()))
    op.drop_index("alert_status", "alert")
    op.create_index("alert_status", "alert", ["status", "priority", "id"])
    for name, columns, where in (
        ("alert_hushed", ["hushed_by", "id"], HUSHED),
        ("alert_wakes", ["suppressed_until"], WAKES),
    ):
        op.create_index(name, "alert", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
    began = "kind IN ('opened', 'reopened')"
    for name, kinds in (("change_began", sa.text(began)), ("change_later", sa.text(f"NOT {began}"))):
        op.create_index(name, "change", ["at"], sqlite_where=kinds, postgresql_where=kinds)
    op.add_column("alert", sa.Column("subject", sa.String(), nullable=False, server_default=sa.text("''")))
    op.execute(SUBJECT.format("detail::json ->> 'subject'" if _on_postgres() else "json_extract(detail, '$.subject')"))
    _silence()
    _token()


def _silence() -> None:
    op.create_table(
        "silence",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("matchers", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger()),
        sa.Column("schedule", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("lasts", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("zone", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, server_default=sa.text("1")),
        sa.Column("rule", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("changed_by", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("changed_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sa.Column("created_via", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("changed_via", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("stamp", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
        sqlite_autoincrement=True,
    )
    op.create_index("silence_ends", "silence", ["ends_at"])
    op.create_index("silence_stamp", "silence", ["stamp"])


def _token() -> None:
    op.create_table(
        "token",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sqlite_autoincrement=True,
    )
