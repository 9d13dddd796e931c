"""Alerts that a person resolved with a note are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NOTED = """
UPDATE alert SET has_note = true WHERE id IN (
    SELECT alert_id FROM change WHERE kind = 'resolved' AND trim(why) <> '' AND who NOT LIKE 'source:%'
)
"""


def upgrade() -> None:
    op.add_column("alert", sa.Column("has_note", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(NOTED)
    noted = sa.text("has_note")
    for name, columns in (("alert_note_key", ["fingerprint", "source", "id"]), ("alert_note_name", ["name", "id"])):
        op.create_index(name, "alert", columns, unique=False, sqlite_where=noted, postgresql_where=noted)
