"""Alembic's environment of exceptions."""

from chassis.persistence.migrations import run_environment
from services.exceptions.tables import metadata

run_environment(metadata)
