"""Tables of exceptions."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Time,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

causes = Table(
    "causes", metadata,
    Column("cause_id", UUID, primary_key=True), Column("kind", Text, nullable=False), Column("subject_id", UUID, nullable=False),
    Column("case_id", UUID), Column("cycle", Integer, nullable=False), Column("impact", JSONB), Column("shortages", JSONB, nullable=False),
    Column("signal", JSONB), instant("recorded_at"), aggregate_version(),
    Index("causes_kind_waiting", "kind", postgresql_where=text("jsonb_typeof(signal) = 'object'")),
)  # fmt: skip

cases = Table(
    "cases", metadata,
    Column("case_id", UUID, primary_key=True), Column("cause_kind", Text, nullable=False), Column("cause_subject_id", UUID, nullable=False),
    Column("cycle", Integer, nullable=False), Column("recurrence", Integer, nullable=False), Column("previous_case_id", UUID),
    Column("state", Text, nullable=False), Column("ending", Text),
    Column("severity", Text, nullable=False), Column("headline", Text, nullable=False), Column("provisional", Boolean, nullable=False),
    Column("playbook", Text, nullable=False), Column("playbook_version", Integer, nullable=False), Column("calendar", Text, nullable=False),
    Column("calendar_known", Boolean, nullable=False), Column("ladder", Text, nullable=False), Column("sites", JSONB, nullable=False),
    Column("customers", JSONB, nullable=False), Column("lines", JSONB, nullable=False), Column("affected", JSONB, nullable=False),
    Column("impact_version", Integer, nullable=False), Column("shortages", JSONB, nullable=False),
    Column("value_at_risk_amount", Numeric, nullable=False), Column("value_at_risk_currency", Text, nullable=False),
    Column("needed_on", Date, nullable=False), instant("cause_occurred_at"), instant("opened_at"), instant("clock_from"),
    Column("acknowledge_within", JSONB, nullable=False), instant("acknowledge_by"), Column("deadline_percent", Integer, nullable=False),
    Column("owner", Text), Column("owner_role", Text), instant("acknowledged_at", nullable=True), instant("acknowledge_missed_at", nullable=True),
    instant("decided_at", nullable=True), Column("choice", Text), instant("implemented_at", nullable=True), instant("closed_at", nullable=True),
    instant("settled_at", nullable=True), Column("days_late", Integer), instant("paused_at", nullable=True), Column("pause_reason", Text),
    Column("escalations", Integer, nullable=False), Column("rungs_told", JSONB, nullable=False), Column("chain", JSONB),
    instant("due_at", nullable=True), aggregate_version(),
    Index("cases_cause_find", "cause_kind", "cause_subject_id"),
    Index("cases_opened_at_list", "opened_at", "case_id"),
    Index("cases_value_at_risk_list", "value_at_risk_amount", "case_id"),
    Index("cases_due_at_list", "due_at", "case_id"),
    Index("cases_sites_scope", "sites", postgresql_using="gin"),
    Index("cases_customers_scope", "customers", postgresql_using="gin"),
)  # fmt: skip

tasks = Table(
    "tasks", metadata,
    Column("case_id", UUID, ForeignKey("cases.case_id"), nullable=False), Column("task_id", UUID, nullable=False),
    Column("kind", Text, nullable=False), Column("function", Text, nullable=False), Column("holder", Text, nullable=False),
    Column("offered_to", Text), Column("required", Boolean, nullable=False), Column("title", Text, nullable=False), Column("place", Integer, nullable=False),
    Column("state", Text, nullable=False), Column("money_limit_amount", Numeric), Column("money_limit_currency", Text), instant("opened_at"),
    instant("clock_from"), Column("commit_within", JSONB, nullable=False), Column("complete_within", JSONB, nullable=False),
    instant("commit_by"), instant("complete_by"), instant("committed_to", nullable=True), instant("committed_at", nullable=True),
    instant("done_at", nullable=True), Column("outcome", Text), Column("acted_by", Text), instant("commit_missed_at", nullable=True),
    instant("complete_missed_at", nullable=True), PrimaryKeyConstraint("case_id", "place"),
    Index("tasks_task_id_find", "task_id", unique=True), Index("tasks_holder_state_list", "holder", "state"),
)  # fmt: skip

case_timeline = Table(
    "case_timeline", metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True), Column("case_id", UUID, nullable=False),
    Column("task_id", UUID), Column("type", Text, nullable=False), Column("fact", Text, nullable=False), instant("occurred_at"),
    instant("recorded_at"), Column("by_subject", Text), Column("by_role", Text), Column("content", JSONB, nullable=False),
    Column("caused_by", UUID, nullable=False), Column("caused_kind", Text, nullable=False),
    Index("case_timeline_case_id_list", "case_id", "position"),
)  # fmt: skip

playbooks = Table(
    "playbooks", metadata,
    Column("kind", Text, primary_key=True), Column("number", Integer, nullable=False), Column("calendar", Text, nullable=False),
    Column("ladder", Text, nullable=False), Column("recurrence_days", Integer, nullable=False), Column("acknowledge_within", JSONB, nullable=False),
    Column("tasks", JSONB, nullable=False), Column("by_subject", Text, nullable=False), instant("recorded_at"), aggregate_version(),
)  # fmt: skip

playbook_versions = Table(
    "playbook_versions", metadata,
    Column("kind", Text, nullable=False), Column("number", Integer, nullable=False), Column("content", JSONB, nullable=False),
    Column("by_subject", Text, nullable=False), instant("recorded_at"), PrimaryKeyConstraint("kind", "number"),
)  # fmt: skip

thresholds = Table(
    "thresholds", metadata,
    Column("code", Text, primary_key=True), Column("number", Integer, nullable=False), Column("currency", Text, nullable=False),
    Column("money", JSONB, nullable=False), Column("tiers", JSONB, nullable=False), Column("hours_left", JSONB, nullable=False),
    Column("tightenings", JSONB, nullable=False), Column("by_subject", Text, nullable=False), instant("recorded_at"), aggregate_version(),
)  # fmt: skip

thresholds_versions = Table(
    "thresholds_versions", metadata,
    Column("code", Text, nullable=False), Column("number", Integer, nullable=False), Column("content", JSONB, nullable=False),
    Column("by_subject", Text, nullable=False), instant("recorded_at"), PrimaryKeyConstraint("code", "number"),
)  # fmt: skip

known_calendars = Table(
    "known_calendars", metadata,
    Column("code", Text, primary_key=True), Column("zone", Text, nullable=False), Column("weekdays", JSONB, nullable=False),
    Column("opens", Time, nullable=False), Column("closes", Time, nullable=False), Column("holidays", JSONB, nullable=False), aggregate_version(),
)  # fmt: skip

known_rosters = Table(
    "known_rosters", metadata,
    Column("function", Text, primary_key=True), Column("duties", JSONB, nullable=False), aggregate_version(),
)  # fmt: skip

known_ladders = Table(
    "known_ladders", metadata,
    Column("code", Text, primary_key=True), Column("calendar", Text, nullable=False), Column("rungs", JSONB, nullable=False),
    Column("max_escalations", Integer, nullable=False), aggregate_version(),
)  # fmt: skip
