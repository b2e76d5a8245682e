"""inbox and outbox are kept by day"""

from chassis.persistence.migrations import keep_by_day, keep_whole

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    keep_by_day()


def downgrade() -> None:
    keep_whole()
