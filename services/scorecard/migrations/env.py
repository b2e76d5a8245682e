"""Alembic's environment of scorecard."""

from chassis.persistence.migrations import run_environment
from services.scorecard.tables import metadata

run_environment(metadata)
