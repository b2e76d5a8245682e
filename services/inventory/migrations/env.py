"""Alembic's environment of inventory."""

from chassis.persistence.migrations import run_environment
from services.inventory.tables import metadata

run_environment(metadata)
