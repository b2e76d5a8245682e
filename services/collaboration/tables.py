"""Tables of collaboration, and those that the chassis keeps in the same database."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, Time
from sqlalchemy.dialects.postgresql import JSONB, UUID

from chassis.persistence.tables import aggregate_version, chassis_tables, instant

metadata = MetaData()
chassis = chassis_tables(metadata)

functions = Table(
    "functions",
    metadata,
    Column("function_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

people = Table(
    "people",
    metadata,
    Column("person_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("function", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("contact", Text),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
    Index("people_function_code_list", "function", "code"),
)

calendars = Table(
    "calendars",
    metadata,
    Column("calendar_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("zone", Text, nullable=False),
    Column("weekdays", JSONB, nullable=False),
    Column("opens", Time, nullable=False),
    Column("closes", Time, nullable=False),
    Column("holidays", JSONB, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

rosters = Table(
    "rosters",
    metadata,
    Column("roster_id", UUID, primary_key=True),
    Column("function", Text, nullable=False, unique=True),
    Column("duties", JSONB, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)

ladders = Table(
    "ladders",
    metadata,
    Column("ladder_id", UUID, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("calendar", Text, nullable=False),
    Column("rungs", JSONB, nullable=False),
    Column("max_escalations", Integer, nullable=False),
    instant("occurred_at"),
    instant("recorded_at"),
    aggregate_version(),
)
