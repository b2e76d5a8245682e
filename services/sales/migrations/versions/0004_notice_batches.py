"""the notices of one task are a batch, and a notice that is not done with is pending"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (("notice_books", "notice_batches"), ("notice_book_entries", "notice_batch_entries"))
INDEXES = (
    ("notice_books_pkey", "notice_batches_pkey"),
    ("notice_books_case_id_find", "notice_batches_case_id_find"),
    ("notice_book_entries_pkey", "notice_batch_entries_pkey"),
)
FOREIGN_KEY = ("notice_book_entries_task_id_fkey", "notice_batch_entries_task_id_fkey")


def upgrade() -> None:
    op.alter_column("notice_book_entries", "to_go", new_column_name="pending")
    for old, new in TABLES:
        op.rename_table(old, new)
    for old, new in INDEXES:
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")
    op.execute(f"ALTER TABLE notice_batch_entries RENAME CONSTRAINT {FOREIGN_KEY[0]} TO {FOREIGN_KEY[1]}")


def downgrade() -> None:
    op.execute(f"ALTER TABLE notice_batch_entries RENAME CONSTRAINT {FOREIGN_KEY[1]} TO {FOREIGN_KEY[0]}")
    for old, new in INDEXES:
        op.execute(f"ALTER INDEX {new} RENAME TO {old}")
    for old, new in TABLES:
        op.rename_table(new, old)
    op.alter_column("notice_book_entries", "pending", new_column_name="to_go")
