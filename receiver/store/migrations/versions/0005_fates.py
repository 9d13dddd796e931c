"""What became of an alert since it last began stands in its row: patterns need not search its Changes for that."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PERSON = "CASE WHEN substr({0}.who, 1, 7) = 'source:' THEN {0}.who LIKE '%)' ELSE {0}.who <> 'alertsage' END"
ACTS = "('acknowledged', 'resolved', 'suppressed', 'unsuppressed', 'assigned', 'noted', 'amended')"
SINCE = "SELECT {shown} FROM change c WHERE c.alert_id = b.alert_id AND c.seq > b.seq AND {sought}"
FIRST = f"({SINCE} ORDER BY c.seq LIMIT 1)"

OVER = FIRST.format(shown="c.at", sought="c.kind = 'resolved'")
ANSWERED = FIRST.format(shown="c.at", sought=f"c.kind IN ('acknowledged', 'resolved') AND {PERSON.format('c')}")
FIRST_ACT = FIRST.format(shown="c.seq", sought=f"c.kind IN {ACTS} AND {PERSON.format('c')}")
FIRST_ANSWER = FIRST.format(shown="c.seq", sought=f"c.kind IN ('acknowledged', 'resolved') AND {PERSON.format('c')}")

FATES = f"""
UPDATE alert SET began = told.began, over_at = told.over_at, heeded = told.heeded FROM (
    SELECT b.alert_id, b.seq AS began, coalesce({OVER}, 0) AS over_at, CASE
        WHEN {FIRST_ACT} IS NULL THEN NULL
        WHEN {FIRST_ANSWER} IS NULL THEN -1
        WHEN {FIRST_ANSWER} = {FIRST_ACT} THEN {ANSWERED}
        ELSE -{ANSWERED} END AS heeded
    FROM change b WHERE b.kind IN ('opened', 'reopened') AND NOT EXISTS (
        SELECT 1 FROM change later
        WHERE later.alert_id = b.alert_id AND later.seq > b.seq AND later.kind = 'reopened'
    )
) AS told WHERE told.alert_id = alert.id
"""  # noqa: S608 - made of constants


def upgrade() -> None:
    op.add_column("alert", sa.Column("began", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("over_at", sa.BigInteger(), nullable=False, server_default=sa.text("0")))
    op.add_column("alert", sa.Column("heeded", sa.BigInteger()))
    op.execute(FATES)
