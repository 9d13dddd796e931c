"""The first schema: alerts and their content, Changes, jobs, counts, quarantine, the label index."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert",
        sa.Column("id", KEY, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("latest", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("latest_start", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_firing_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("last_end", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_by", sa.String(), nullable=False),
        sa.Column("suppressed_until", sa.BigInteger(), nullable=False),
        sa.Column("notification_count", sa.Integer(), nullable=False),
        sa.Column("recent", sa.String(), nullable=False),
        sa.Column("episodes", sa.String(), nullable=False),
        sa.Column("change_count", sa.Integer(), nullable=False),
        sa.Column("predecessor", KEY, nullable=True),
        sa.Column("expire_after", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("heartbeat", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
        postgresql_with={"fillfactor": 75},
    )
    op.create_index(
        "alert_heartbeat",
        "alert",
        ["name"],
        unique=False,
        sqlite_where=sa.text("heartbeat AND latest"),
        postgresql_where=sa.text("heartbeat AND latest"),
    )
    op.create_index(
        "alert_latest",
        "alert",
        ["fingerprint", "source"],
        unique=True,
        sqlite_where=sa.text("latest"),
        postgresql_where=sa.text("latest"),
    )
    op.create_index("alert_status", "alert", ["status", "id"], unique=False)
    op.create_table(
        "alert_count",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "status", "priority", "category", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "change",
        sa.Column("alert_id", KEY, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", "seq"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "content",
        sa.Column("alert_id", KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("generator_url", sa.Text(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("added", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("alert_id"),
    )
    op.create_table(
        "job",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("alert_id", KEY, nullable=False),
        sa.Column("change_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("job_alert", "job", ["alert_id"], unique=False)
    op.create_index("job_due", "job", ["lease_until", "id"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE alert_label"
            " USING fts5(tokens, content='', detail=none, columnsize=0, tokenize='ascii')"
        )
    else:
        op.create_table(
            "alert_label",
            sa.Column("token", sa.Integer(), nullable=False, autoincrement=False),
            sa.Column("alert_id", sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint("token", "alert_id"),
        )
