"""Tables of the scorecard."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Computed,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

PHASES = ("blind", "task", "acknowledge", "decide", "commit", "execute", "verify")
# What is asked of many cases at once: 100,000 of them are read from the index alone.
ASKED = (
    "cause_kind",
    "severity",
    "state",
    "critical_function",
    "recorded_at",
    "elapsed_us",
    "decision_us",
    "acknowledged_us",
    "handoffs",
    "open_phase",
    *(f"{phase}_us" for phase in PHASES),
)


def _of_phase(phase: str) -> Column[int]:
    found = f"""(jsonb_path_query_first(phases, '$[*] ? (@.phase == "{phase}").duration_us')::bigint)"""
    return Column(f"{phase}_us", BigInteger, Computed(found, persisted=True))


_OPEN_PHASE = "(jsonb_path_query_first(phases, '$[*] ? (@.open == true).phase') #>> '{}')"

# What the stream said of each case; of two measures the one that knows more is kept.
readings = Table(
    "readings",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("fact_id", UUID, nullable=False),
    Column("latest_fact_id", UUID, nullable=False),
    Column("facts", Integer, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("state", Text, nullable=False),
    instant("identified_at"),
    instant("occurred_at"),
    instant("recorded_at"),
    Column("elapsed_us", BigInteger, nullable=False),
    Column("decision_us", BigInteger),
    Column("coordination_us", BigInteger),
    Column("excluded_us", BigInteger, nullable=False),
    Column("phases", JSONB, nullable=False),
    Column("inversions", JSONB, nullable=False),
    Column("critical_function", Text),
    Column("reopened", Integer, nullable=False),
    Column("handoffs", Integer, nullable=False, server_default=text("0")),
    Column("acknowledged_us", BigInteger),
    aggregate_version(),
    Column("open_phase", Text, Computed(_OPEN_PHASE, persisted=True)),
    *map(_of_phase, PHASES),
    Index("readings_identified_at_listed", "identified_at", "case_id", postgresql_include=ASKED),
)

# One narrow row per fact of a case, from `exceptions.case` itself: what SQL recomputes the clock from.
case_facts = Table(
    "case_facts",
    metadata,
    Column("fact_id", UUID, primary_key=True),
    Column("case_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    instant("since_at", nullable=True),
    Column("task_id", UUID),
    Column("function", Text),
    Column("required", Boolean),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("severity", Text, nullable=False),
    Column("sites", JSONB, nullable=False),
    Column("customers", JSONB, nullable=False),
    Column("giver", Text),
    Column("taker", Text),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("case_facts_case_id_order", "case_id", "recorded_at", "fact_id"),
    Index(
        "case_facts_giver_pairs", "giver", "taker", "case_id", "recorded_at", postgresql_where=text("giver IS NOT NULL")
    ),
)

# Who may see a case: what its last fact says. A trigger keeps it with every statement that adds facts, whoever adds them.
case_scopes = Table(
    "case_scopes",
    metadata,
    Column("case_id", UUID, primary_key=True),
    instant("recorded_at"),
    Column("fact_id", UUID, nullable=False),
    Column("sites", ARRAY(Text), nullable=False),
    Column("customers", ARRAY(Text), nullable=False),
)

# The causal record: one row per fact of every topic, in any order. `heard_at` is the machine's time.
facts = Table(
    "facts",
    metadata,
    Column("fact_id", UUID, primary_key=True),
    Column("type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("subject", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    Column("correlation_id", UUID, nullable=False),
    Column("cause_id", UUID),
    Column("cause_kind", Text, nullable=False),
    Column("armed_by", UUID),
    Column("armed_kind", Text),
    Column("traceparent", Text),
    Column("heard_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
    Index("facts_cause_id_effects", "cause_id"),
    Index("facts_subject_find", "subject"),
    Index("facts_armed_by_effects", "armed_by", postgresql_where=text("armed_by IS NOT NULL")),
)
