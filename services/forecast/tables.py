"""Tables of forecast. Overrides and publications are added and never changed."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKey, Index, Integer, MetaData, Numeric, PrimaryKeyConstraint, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

forecasts = Table(
    "forecasts",
    metadata,
    Column("forecast_id", UUID, primary_key=True),
    Column("item", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("published", Integer, nullable=False),
    Column("said", JSONB, nullable=False),
    instant("published_at", nullable=True),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("forecasts_site_item_list", "site", "item", unique=True),
)

baselines = Table(
    "baselines",
    metadata,
    Column("forecast_id", UUID, ForeignKey("forecasts.forecast_id"), nullable=False),
    Column("week_on", Date, nullable=False),
    Column("quantity", Numeric, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("forecast_id", "week_on"),
)

overrides = Table(
    "overrides",
    metadata,
    Column("forecast_id", UUID, ForeignKey("forecasts.forecast_id"), nullable=False),
    Column("override_id", UUID, nullable=False),
    Column("week_on", Date, nullable=False),
    Column("before", Numeric, nullable=False),
    Column("after", Numeric, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by_subject", Text, nullable=False),
    Column("by_role", Text, nullable=False),
    Column("expires_on", Date),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("forecast_id", "override_id"),
)

publications = Table(
    "publications",
    metadata,
    Column("forecast_id", UUID, ForeignKey("forecasts.forecast_id"), nullable=False),
    Column("published", Integer, nullable=False),
    Column("weeks", JSONB, nullable=False),
    Column("by_subject", Text, nullable=False),
    Column("by_role", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    PrimaryKeyConstraint("forecast_id", "published"),
)
