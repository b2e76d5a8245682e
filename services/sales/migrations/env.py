"""Alembic's environment of sales."""

from chassis.persistence.migrations import run_environment
from services.sales.tables import metadata

run_environment(metadata)
