"""what is asked of many cases lies in one narrow index, and every case knows its sites and customers"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PHASES = ("blind", "task", "acknowledge", "decide", "commit", "execute", "verify")
ASKED = (
    "cause_kind", "severity", "state", "critical_function", "recorded_at", "elapsed_us", "decision_us", "acknowledged_us", "handoffs",
    "open_phase", *(f"{phase}_us" for phase in PHASES),
)
KEEP_SCOPE = """
CREATE FUNCTION keep_scope() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO case_scopes (case_id, recorded_at, fact_id, sites, customers)
    SELECT DISTINCT ON (case_id) case_id, recorded_at, fact_id,
           ARRAY(SELECT jsonb_array_elements_text(sites)), ARRAY(SELECT jsonb_array_elements_text(customers))
    FROM told ORDER BY case_id, recorded_at DESC, fact_id DESC
    ON CONFLICT (case_id) DO UPDATE SET recorded_at = EXCLUDED.recorded_at, fact_id = EXCLUDED.fact_id,
        sites = EXCLUDED.sites, customers = EXCLUDED.customers
    WHERE (case_scopes.recorded_at, case_scopes.fact_id) < (EXCLUDED.recorded_at, EXCLUDED.fact_id);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    for phase in PHASES:
        found = f"""(jsonb_path_query_first(phases, '$[*] ? (@.phase == "{phase}").duration_us')::bigint)"""
        op.add_column("readings", sa.Column(f"{phase}_us", sa.BigInteger(), sa.Computed(found, persisted=True)))
    op.add_column(
        "readings",
        sa.Column(
            "open_phase", sa.Text(),
            sa.Computed("(jsonb_path_query_first(phases, '$[*] ? (@.open == true).phase') #>> '{}')", persisted=True),
        ),
    )
    op.drop_index("readings_identified_at_listed", "readings")
    op.create_index(
        "readings_identified_at_listed", "readings", ["identified_at", "case_id"], postgresql_include=list(ASKED)
    )
    op.create_index(
        "case_facts_giver_pairs", "case_facts", ["giver", "taker", "case_id", "recorded_at"],
        postgresql_where=sa.text("giver IS NOT NULL"),
    )
    op.create_table(
        "case_scopes",
        sa.Column("case_id", sa.UUID(), primary_key=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fact_id", sa.UUID(), nullable=False),
        sa.Column("sites", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("customers", sa.ARRAY(sa.Text()), nullable=False),
    )
    op.execute(KEEP_SCOPE)
    op.execute(
        "CREATE TRIGGER case_facts_scope AFTER INSERT ON case_facts REFERENCING NEW TABLE AS told"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_scope()"
    )
    op.execute(
        "INSERT INTO case_scopes SELECT DISTINCT ON (case_id) case_id, recorded_at, fact_id,"
        " ARRAY(SELECT jsonb_array_elements_text(sites)), ARRAY(SELECT jsonb_array_elements_text(customers))"
        " FROM case_facts ORDER BY case_id, recorded_at DESC, fact_id DESC"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER case_facts_scope ON case_facts")
    op.execute("DROP FUNCTION keep_scope")
    op.drop_table("case_scopes")
    op.drop_index("case_facts_giver_pairs", "case_facts")
    op.drop_index("readings_identified_at_listed", "readings")
    op.drop_column("readings", "open_phase")
    for phase in PHASES:
        op.drop_column("readings", f"{phase}_us")
    op.create_index("readings_identified_at_listed", "readings", ["identified_at", "case_id"])
