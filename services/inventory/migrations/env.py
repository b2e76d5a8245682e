"""Alembic's environment of inventory."""

from chassis.migrations import run_environment
from services.inventory.tables import metadata

run_environment(metadata)
