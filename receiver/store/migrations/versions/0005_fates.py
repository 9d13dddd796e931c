"""What became of an alert since it last began stands in its row: patterns need not search its Changes for that."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PERSON = "CASE WHEN substr(c.who, 1, 7) = 'source:' THEN c.who LIKE '%)' ELSE c.who <> 'alertsage' END"
ACTS = "('acknowledged', 'resolved', 'suppressed', 'unsuppressed', 'assigned', 'noted', 'amended')"
ANSWERS = "('acknowledged', 'resolved')"

FATES = f"""
WITH last AS (
    SELECT alert_id, max(seq) AS began FROM change WHERE kind IN ('opened', 'reopened') GROUP BY alert_id
), since AS (
    SELECT last.alert_id, last.began,
        min(CASE WHEN c.kind = 'resolved' THEN c.seq END) AS ending,
        min(CASE WHEN c.kind IN {ACTS} AND {PERSON} THEN c.seq END) AS act,
        min(CASE WHEN c.kind IN {ANSWERS} AND {PERSON} THEN c.seq END) AS answer
    FROM last JOIN change c ON c.alert_id = last.alert_id AND c.seq > last.began GROUP BY last.alert_id, last.began
), told AS (
    SELECT last.alert_id, last.began, coalesce(ended.at, 0) AS over_at, CASE
        WHEN since.act IS NULL THEN NULL
        WHEN since.answer IS NULL THEN -1
        WHEN since.answer = since.act THEN answered.at
        ELSE -answered.at END AS heeded
    FROM last LEFT JOIN since ON since.alert_id = last.alert_id
    LEFT JOIN change ended ON ended.alert_id = since.alert_id AND ended.seq = since.ending
    LEFT JOIN change answered ON answered.alert_id = since.alert_id AND answered.seq = since.answer
)
UPDATE alert SET began = told.began, over_at = told.over_at, heeded = told.heeded
FROM told WHERE told.alert_id = alert.id
"""  # noqa: S608 - made of constants


def upgrade() -> None:
    op.add_column("alert", sa.Column("began", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("over_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("heeded", sa.BigInteger()))
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ANALYZE alert, change")  # without statistics a million rows take minutes
    op.execute(FATES)
    began = sa.text("kind IN ('opened', 'reopened')")
    op.drop_index("change_began", "change")
    op.create_index("change_began", "change", ["at", "alert_id", "seq"], sqlite_where=began, postgresql_where=began)
