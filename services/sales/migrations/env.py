"""Alembic's environment of sales."""

from chassis.migrations import run_environment
from services.sales.tables import metadata

run_environment(metadata)
