"""the functions that a case was escalated to, and the time of the last escalation, take plain names"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("cases", "rungs_told", new_column_name="escalated_to")
    _rename_in_chain("told_at", "escalated_at")


def downgrade() -> None:
    _rename_in_chain("escalated_at", "told_at")
    op.alter_column("cases", "escalated_to", new_column_name="rungs_told")


def _rename_in_chain(old: str, new: str) -> None:
    op.execute(
        f"UPDATE cases SET chain = (chain - '{old}') || jsonb_build_object('{new}', chain -> '{old}')"
        f" WHERE jsonb_typeof(chain) = 'object' AND chain ? '{old}'"
    )
