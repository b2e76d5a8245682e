"""Failures of a transaction, sorted: run the same work again, wait for the database, or neither."""

from __future__ import annotations

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError


class ConcurrentChange(Exception):
    """Somebody else changed or made one of the aggregates first; the work must be run again."""


class FlushedItem(ConcurrentChange):
    """An item of a batch was refused after it had been flushed; the batch must be run again carefully, with savepoints."""


def must_run_again(error: BaseException) -> bool:
    """Say whether the same work may succeed at once: lost a race, deadlock (40P01), serialization (40001)."""
    if isinstance(error, ConcurrentChange):
        return True
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state in ("40P01", "40001")


def is_transient(error: BaseException) -> bool:
    """Say whether the database is away: such work is retried in place and never dies."""
    if isinstance(error, (OperationalError, psycopg.OperationalError)):
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        return state is None or state[:2] in ("08", "53", "57", "40", "55")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return type(error).__module__.startswith("sqlalchemy") and type(error).__name__ == "TimeoutError"
