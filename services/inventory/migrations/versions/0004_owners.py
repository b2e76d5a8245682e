"""items and sites know the source that registered them: machines change those of their own source only"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table, key, door in (("items", "item_id", "keep-items"), ("sites", "site_id", "keep-sites")):
        op.execute(f"ALTER TABLE {table} ADD COLUMN source text NOT NULL DEFAULT 'crossdock'")
        op.execute(
            f"UPDATE {table} SET source = first.source FROM ("
            " SELECT DISTINCT ON (result_id) result_id, source FROM signals"
            f" WHERE door = '{door}' ORDER BY result_id, recorded_at, signal_id"
            f") AS first WHERE first.result_id = {table}.{key}::text"
        )


def downgrade() -> None:
    for table in ("items", "sites"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN source")
