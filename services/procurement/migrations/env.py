"""Alembic's environment of procurement."""

from chassis.persistence.migrations import run_environment
from services.procurement.tables import metadata

run_environment(metadata)
