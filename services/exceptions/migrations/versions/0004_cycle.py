"""the number inside the id of a case has a column of its own: recurrence counts the cases before it, from 0"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("causes", "recurrence", new_column_name="cycle")
    op.add_column("cases", sa.Column("cycle", sa.Integer(), nullable=True))
    # Until now the opening said the number itself; what it said stays in `recurrence`.
    op.execute("UPDATE cases SET cycle = recurrence")
    op.alter_column("cases", "cycle", nullable=False)


def downgrade() -> None:
    op.execute("UPDATE cases SET recurrence = cycle")
    op.drop_column("cases", "cycle")
    op.alter_column("causes", "cycle", new_column_name="recurrence")
