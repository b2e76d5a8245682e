"""Alembic's environment of collaboration."""

from chassis.persistence.migrations import run_environment
from services.collaboration.tables import metadata

run_environment(metadata)
