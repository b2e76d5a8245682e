"""Tables of procurement."""

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

suppliers = Table(
    "suppliers",
    metadata,
    Column("supplier_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("candidate", Boolean, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

track_records = Table(
    "track_records",
    metadata,
    Column("supplier_id", UUID, primary_key=True),
    Column("supplier", Text, nullable=False),
    Column("receipts", Integer, nullable=False),
    Column("receipts_on_time", Integer, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

receipts = Table(
    "receipts",
    metadata,
    Column("shipment_line_id", UUID, primary_key=True),
    Column("purchase_order_line_id", UUID, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("received_on", Date, nullable=False),
    Column("on_time", Boolean, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    Index("receipts_purchase_order_line_id_find", "purchase_order_line_id"),
)

term_sheets = Table(
    "term_sheets",
    metadata,
    Column("item_id", UUID, primary_key=True),
    Column("item", Text, nullable=False, unique=True),
    aggregate_version(),
)

terms = Table(
    "terms",
    metadata,
    Column("item_id", UUID, ForeignKey("term_sheets.item_id"), nullable=False),
    Column("term_id", UUID, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("price_amount", Numeric),
    Column("price_currency", Text),
    Column("freight_amount", Numeric),
    Column("freight_currency", Text),
    Column("lead_time_days", Integer),
    Column("minimum_quantity", Numeric),
    Column("capacity_per_week", Numeric),
    Column("effective_from", Date, nullable=False),
    Column("effective_to", Date),
    Column("deliveries", Integer, nullable=False),
    Column("last_delivered_on", Date),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("item_id", "term_id"),
    Index("terms_supplier_find", "supplier"),
)

purchase_orders = Table(
    "purchase_orders",
    metadata,
    Column("order_id", UUID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("cause", JSONB),
    Column("alternative_id", UUID),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("purchase_orders_recorded_at_list", "recorded_at", "order_id"),
    Index("purchase_orders_reference_find", "reference"),
)

purchase_order_lines = Table(
    "purchase_order_lines",
    metadata,
    Column("order_id", UUID, ForeignKey("purchase_orders.order_id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("reference", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("needed_on", Date, nullable=False),
    Column("price_amount", Numeric),
    Column("price_currency", Text),
    Column("confirmed_on", Date),
    Column("confirmed_quantity", Numeric),
    PrimaryKeyConstraint("order_id", "position"),
    Index("purchase_order_lines_line_id_once", "line_id", unique=True),
)

sourcings = Table(
    "sourcings",
    metadata,
    Column("sourcing_id", UUID, primary_key=True),
    Column("task_id", UUID, nullable=False),
    Column("case_id", UUID, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_id", UUID, nullable=False),
    Column("state", Text, nullable=False),
    Column("closed_because", Text),
    Column("opening", Integer, nullable=False),
    Column("money_limit_amount", Numeric),
    Column("money_limit_currency", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    instant("ranked_at"),
    aggregate_version(),
    Index("sourcings_task_id_once", "task_id", unique=True),
    Index("sourcings_case_id_find", "case_id"),
    Index("sourcings_recorded_at_list", "recorded_at", "sourcing_id"),
)

sourcing_lines = Table(
    "sourcing_lines",
    metadata,
    Column("sourcing_id", UUID, ForeignKey("sourcings.sourcing_id"), nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("reference", Text, nullable=False),
    Column("shipment_id", UUID),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("customer", Text),
    Column("quantity", Numeric, nullable=False),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("needed_on", Date, nullable=False),
    Column("expected_on", Date),
    Column("supplier", Text),
    PrimaryKeyConstraint("sourcing_id", "line_id"),
)

alternatives = Table(
    "alternatives",
    metadata,
    Column("sourcing_id", UUID, ForeignKey("sourcings.sourcing_id"), nullable=False),
    Column("alternative_id", UUID, nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("supplier", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("feasible", Boolean, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("surplus", Numeric, nullable=False),
    Column("arrives_on", Date),
    Column("weeks", Integer),
    Column("receipts", Integer, nullable=False),
    Column("receipts_on_time", Integer, nullable=False),
    Column("price_amount", Numeric),
    Column("price_currency", Text),
    Column("landed_cost_amount", Numeric),
    Column("landed_cost_currency", Text),
    Column("term_id", UUID, nullable=False),
    PrimaryKeyConstraint("sourcing_id", "alternative_id"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("sourcing_id", UUID, ForeignKey("sourcings.sourcing_id"), nullable=False),
    Column("opening", Integer, nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("alternative_id", UUID),
    Column("supplier", Text),
    Column("order_id", UUID),
    Column("landed_cost_amount", Numeric),
    Column("landed_cost_currency", Text),
    Column("by_subject", Text, nullable=False),
    Column("by_role", Text, nullable=False),
    Column("rationale", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("sourcing_id", "opening", "line_id"),
)
