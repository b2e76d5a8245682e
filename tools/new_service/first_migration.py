"""Write a service's first migration from its tables, without a server: there is nothing yet to compare with."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, DropTableOp, MigrateOperation, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData

ROOT = Path(__file__).resolve().parents[2]
PAGE = '''"""first"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    {up}


def downgrade() -> None:
    {down}
'''


def first_migration(metadata: MetaData) -> str:
    """Answer the migration that makes all tables, and takes them away again in the other order."""
    tables = metadata.sorted_tables
    up: list[MigrateOperation] = []
    for table in tables:
        up.append(CreateTableOp.from_table(table))
        up += [CreateIndexOp.from_index(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    down: list[MigrateOperation] = [DropTableOp.from_table(table) for table in reversed(tables)]
    return PAGE.format(up=_rendered(up), down=_rendered(down))


def _rendered(operations: list[MigrateOperation]) -> str:
    context = MigrationContext.configure(dialect_name="postgresql")
    return render_python_code(UpgradeOps(ops=operations), migration_context=context)


def main() -> int:
    """Write it into the migrations of the service named as the only argument."""
    service = sys.argv[1]
    metadata = importlib.import_module(f"services.{service}.tables").metadata
    path = ROOT / "services" / service / "migrations" / "versions" / "0001_first.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first_migration(metadata), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
