"""the outbox has one index, of what is pending: its key was written twice for each fact and read by nobody"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE outbox DROP CONSTRAINT outbox_pkey")


def downgrade() -> None:
    op.execute("ALTER TABLE outbox ADD PRIMARY KEY (position, stored_at)")
