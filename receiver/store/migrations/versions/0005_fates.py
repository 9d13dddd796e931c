"""What became of an alert since it last began stands in its row: patterns need not search its Changes for that.

Of rows from before they are searched until they begin anew: to find it for all of them takes a minute a million.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("fate_seq", "began_seq"):
        op.add_column("alert", sa.Column(name, sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("over_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("heeded", sa.BigInteger()))
