"""Tables of inventory. A row of the ledger is never changed: the database itself refuses it (first migration)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

items = Table(
    "items",
    metadata,
    Column("item_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("description", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("unit_value_amount", Numeric),
    Column("unit_value_currency", Text),
    Column("source", Text, nullable=False, server_default="crossdock"),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

sites = Table(
    "sites",
    metadata,
    Column("site_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("country", Text),
    Column("zone", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("source", Text, nullable=False, server_default="crossdock"),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

stocks = Table(
    "stocks",
    metadata,
    Column("stock_id", UUID, primary_key=True),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("on_hand", Numeric, nullable=False),
    instant("counted_at"),
    Column("entries", Integer, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("stocks_site_item_list", "site", "item", unique=True),
)

stock_entries = Table(
    "stock_entries",
    metadata,
    Column("position", BigInteger, Identity(always=True), primary_key=True),
    Column("entry_id", UUID, nullable=False, unique=True),
    Column("stock_id", UUID, nullable=False),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("on_hand", Numeric, nullable=False),
    Column("counted", Numeric),
    Column("reason", Text),
    Column("order_line_id", UUID),
    Column("shipment_line_id", UUID),
    Column("by_subject", Text),
    Column("by_role", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    Index("stock_entries_stock_id_list", "stock_id", "position"),
)

inbound_shipments = Table(
    "inbound_shipments",
    metadata,
    Column("shipment_id", UUID, primary_key=True),
    Column("destination", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("expected_on", Date),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

inbound_lines = Table(
    "inbound_lines",
    metadata,
    Column("shipment_id", UUID, ForeignKey("inbound_shipments.shipment_id"), nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("stock_id", UUID, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    PrimaryKeyConstraint("shipment_id", "line_id"),
    Index("inbound_lines_stock_id_find", "stock_id"),
)

order_demands = Table(
    "order_demands",
    metadata,
    Column("order_id", UUID, primary_key=True),
    Column("site", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

demand_lines = Table(
    "demand_lines",
    metadata,
    Column("order_id", UUID, ForeignKey("order_demands.order_id"), nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("stock_id", UUID, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("promised_on", Date, nullable=False),
    PrimaryKeyConstraint("order_id", "line_id"),
    Index("demand_lines_stock_id_find", "stock_id", "promised_on"),
)

expectations = Table(
    "expectations",
    metadata,
    Column("stock_id", UUID, primary_key=True),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("published", Integer, nullable=False),
    Column("weeks", JSONB, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

shortages = Table(
    "shortages",
    metadata,
    Column("stock_id", UUID, primary_key=True),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("short_on", Date, nullable=False),
    instant("short_at"),
    Column("quantity", Numeric, nullable=False),
    Column("projected", Numeric, nullable=False),
    Column("causes", JSONB, nullable=False),
    instant("predicted_at"),
    instant("averted_at", nullable=True),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("shortages_short_on_list", "short_on", "stock_id"),
)
