"""a measure counts hand-overs and says when a case was acknowledged"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("readings", sa.Column("handoffs", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("readings", sa.Column("acknowledged_us", sa.BigInteger()))
    op.add_column("case_facts", sa.Column("giver", sa.Text()))
    op.add_column("case_facts", sa.Column("taker", sa.Text()))


def downgrade() -> None:
    op.drop_column("case_facts", "taker")
    op.drop_column("case_facts", "giver")
    op.drop_column("readings", "acknowledged_us")
    op.drop_column("readings", "handoffs")
