"""Silences of the sender, deliveries taken in, voices heard."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("silenced", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("alert", sa.Column("silence_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.create_table(
        "delivery",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("delivery_at", "delivery", ["at"], unique=False)
    op.create_table(
        "voice",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("voice", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "voice"),
        sqlite_with_rowid=False,
    )
