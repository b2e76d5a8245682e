"""Alembic's environment of logistics."""

from chassis.persistence.migrations import run_environment
from services.logistics.tables import metadata

run_environment(metadata)
