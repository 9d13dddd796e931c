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


def upgrade() -> None:
    op.add_column("alert", sa.Column("hushed_by", KEY, nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("assignee", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("content", sa.Column("metadata", sa.Text()))
    op.add_column("change", sa.Column("status", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("change", sa.Column("via", sa.String(), nullable=False, server_default=sa.text("''")))
    op.add_column("change", sa.Column("detail", sa.Text()))
    op.execute(STOOD)
    op.create_index("change_at", "change", ["at"])
    for name, columns, where in (
        ("alert_hushed", ["hushed_by", "id"], HUSHED),
        ("alert_wakes", ["suppressed_until"], WAKES),
    ):
        op.create_index(name, "alert", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
