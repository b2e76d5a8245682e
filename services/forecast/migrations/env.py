"""Alembic's environment of forecast."""

from chassis.persistence.migrations import run_environment
from services.forecast.tables import metadata

run_environment(metadata)
