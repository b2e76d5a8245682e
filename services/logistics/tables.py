"""Tables of logistics."""

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
from sqlalchemy.dialects.postgresql import UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

carriers = Table(
    "carriers",
    metadata,
    Column("carrier_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    instant("recorded_at"),
    aggregate_version(),
)

lanes = Table(
    "lanes",
    metadata,
    Column("lane_id", UUID, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("transit_days", Integer, nullable=False),
    instant("recorded_at"),
    aggregate_version(),
)

site_calendars = Table(
    "site_calendars",
    metadata,
    Column("site", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    instant("recorded_at"),
    aggregate_version(),
)

calendar_zones = Table(
    "calendar_zones",
    metadata,
    Column("code", Text, primary_key=True),
    Column("zone", Text, nullable=False),
    instant("recorded_at"),
    aggregate_version(),
)

shipments = Table(
    "shipments",
    metadata,
    Column("shipment_id", UUID, primary_key=True),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("carrier", Text),
    Column("mode", Text),
    Column("origin", Text),
    Column("destination", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    instant("promised_at"),
    instant("expected_at"),
    Column("state", Text, nullable=False),
    instant("planned_at"),
    instant("recorded_at"),
    Column("told_basis", Text),
    Column("told_provisional", Boolean, nullable=False),
    instant("told_expected_at", nullable=True),
    instant("first_delayed_at", nullable=True),
    Column("received_on", Date),
    instant("received_at", nullable=True),
    instant("received_recorded_at", nullable=True),
    Column("verdict", Text),
    Column("cancelled_because", Text),
    aggregate_version(),
    Index("shipments_reference_find", "reference"),
)

shipment_lines = Table(
    "shipment_lines",
    metadata,
    Column("shipment_id", UUID, ForeignKey("shipments.shipment_id"), nullable=False),
    Column("line_id", UUID, nullable=False),
    Column("reference", Text, nullable=False),
    Column("item", Text, nullable=False),
    Column("quantity", Numeric, nullable=False),
    Column("value_amount", Numeric, nullable=False),
    Column("value_currency", Text, nullable=False),
    Column("promised_on", Date, nullable=False),
    Column("order_id", UUID),
    Column("order_line_id", UUID),
    Column("customer", Text),
    Column("purchase_order_id", UUID),
    Column("purchase_order_line_id", UUID),
    Column("supplier", Text),
    PrimaryKeyConstraint("shipment_id", "line_id"),
)

milestones = Table(
    "milestones",
    metadata,
    Column("shipment_id", UUID, ForeignKey("shipments.shipment_id"), nullable=False),
    Column("milestone_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    instant("expected_at", nullable=True),
    Column("reason", Text, nullable=False),
    Column("note", Text),
    PrimaryKeyConstraint("shipment_id", "milestone_id"),
)

data_quality_findings = Table(
    "data_quality_findings",
    metadata,
    Column("finding_id", UUID, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("shipment_id", UUID, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    Column("detail", Text, nullable=False),
)
