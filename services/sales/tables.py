"""Tables of sales."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

customers = Table(
    "customers",
    metadata,
    Column("customer_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("contact", Text),
    Column("zone", Text, nullable=False),
    Column("source", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

orders = Table(
    "orders",
    metadata,
    Column("order_id", UUID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("cancelled_because", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("orders_recorded_at_order_id_list", "recorded_at", "order_id"),
    Index("orders_reference_find", "reference"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_id", UUID, ForeignKey("orders.order_id"), nullable=False),
    Column("order_line_id", UUID, nullable=False),
    Column("reference", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("requested_on", Date, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("promise_version", Integer, nullable=False),
    Column("first_promised_on", Date, nullable=False),
    Column("told_on", Date, nullable=False),
    Column("confirmed_on", Date),
    Column("actual_on", Date),
    Column("received_quantity", Numeric, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("order_id", "order_line_id"),
    Index("order_lines_order_line_id_find", "order_line_id", unique=True),
)

promises = Table(
    "promises",
    metadata,
    Column("order_id", UUID, ForeignKey("orders.order_id"), nullable=False),
    Column("order_line_id", UUID, nullable=False),
    Column("promise_version", Integer, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("previous_on", Date),
    Column("reason", Text, nullable=False),
    Column("made_by", JSONB),
    Column("cause", JSONB),
    Column("notice_id", UUID),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("order_id", "order_line_id", "promise_version"),
)

statements = Table(
    "statements",
    metadata,
    Column("statement_id", UUID, primary_key=True),
    Column("order_line_id", UUID, nullable=False),
    Column("customer", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("stated_version", Integer, nullable=False),
    Column("stated_on", Date, nullable=False),
    Column("current_version", Integer, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("contradicts", Boolean, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    Index("statements_order_line_id_list", "order_line_id", "recorded_at"),
)

impacts = Table(
    "impacts",
    metadata,
    Column("impact_id", UUID, primary_key=True),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("assessment", Integer, nullable=False),
    Column("site", Text),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("unmatched_lines", Integer, nullable=False),
    Column("task_ids", JSONB, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("impacts_cause_id_find", "cause_id"),
    Index("impacts_recorded_at_impact_id_list", "recorded_at", "impact_id"),
)

impact_lines = Table(
    "impact_lines",
    metadata,
    Column("impact_id", UUID, ForeignKey("impacts.impact_id"), nullable=False),
    Column("shipment_line_id", UUID, nullable=False),
    Column("order_id", UUID, nullable=False),
    Column("order_line_id", UUID, nullable=False),
    Column("customer", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("promise_version", Integer, nullable=False),
    Column("proposed_on", Date, nullable=False),
    PrimaryKeyConstraint("impact_id", "shipment_line_id"),
)

notice_batches = Table(
    "notice_batches",
    metadata,
    Column("task_id", UUID, primary_key=True),
    Column("case_id", UUID, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("closed_because", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("notice_batches_case_id_find", "case_id"),
)

notice_batch_entries = Table(
    "notice_batch_entries",
    metadata,
    Column("task_id", UUID, ForeignKey("notice_batches.task_id"), nullable=False),
    Column("notice_id", UUID, nullable=False),
    Column("customer", Text, nullable=False),
    Column("pending", Boolean, nullable=False),
    PrimaryKeyConstraint("task_id", "notice_id"),
)

notices = Table(
    "notices",
    metadata,
    Column("notice_id", UUID, primary_key=True),
    Column("task_id", UUID, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("customer", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    instant("approved_at", nullable=True),
    Column("approved_by", JSONB),
    Column("automatic", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    instant("sent_at", nullable=True),
    Column("transport", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("notices_case_id_find", "case_id"),
    Index("notices_recorded_at_notice_id_list", "recorded_at", "notice_id"),
)

notice_lines = Table(
    "notice_lines",
    metadata,
    Column("notice_id", UUID, ForeignKey("notices.notice_id"), nullable=False),
    Column("order_line_id", UUID, nullable=False),
    Column("order_id", UUID, nullable=False),
    Column("order_reference", Text, nullable=False),
    Column("line_reference", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("promise_version", Integer, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("proposed_on", Date, nullable=False),
    PrimaryKeyConstraint("notice_id", "order_line_id"),
)

notice_policies = Table(
    "notice_policies",
    metadata,
    Column("policy_id", UUID, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("automatic_tiers", JSONB, nullable=False),
    Column("automatic_value_max_amount", Numeric),
    Column("automatic_value_max_currency", Text),
    Column("default_slip_days", Integer, nullable=False),
    Column("retry_minutes", JSONB, nullable=False),
    Column("made_by", JSONB),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

notice_policy_versions = Table(
    "notice_policy_versions",
    metadata,
    Column("policy_id", UUID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("content", JSONB, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("policy_id", "revision"),
)
