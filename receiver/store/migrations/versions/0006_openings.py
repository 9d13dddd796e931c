"""When an alert was opened, and as what, stands in its row: patterns find all openings there, without their Changes.

Of rows from before, the first Change is looked up.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert", sa.Column("opened_as", sa.String(), nullable=False, server_default=sa.text("''")))
    op.create_index("alert_created", "alert", ["created_at", "id"])
    op.drop_index("change_began", "change")
    again = sa.text("kind = 'reopened'")
    op.create_index("change_reopened", "change", ["at", "alert_id", "seq"], sqlite_where=again, postgresql_where=again)
