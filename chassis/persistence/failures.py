"""Failures of a transaction, sorted: run the same work again, wait for the database, refuse in words, or none of these."""

from __future__ import annotations

import re
from decimal import InvalidOperation

import psycopg
from sqlalchemy.exc import DBAPIError, OperationalError

from chassis.errors import Conflict, Invalid, Refusal

UNSTORABLE = (None, "22001", "22003", "22008", "22021", "22P02", "22P05")  # None: seen by the driver


class ConcurrentChange(Exception):
    """Somebody else changed or made one of the aggregates first; the work must be run again."""


class FlushedItem(ConcurrentChange):
    """An item of a batch failed after it had been flushed, or in the database; the batch must be run again with savepoints."""


def must_run_again(error: BaseException) -> bool:
    """Say whether the same work may succeed at once.

    It lost a race, met a deadlock (40P01) or a serialization failure (40001), or a day's partition was missing: the next
    try makes that partition. PostgreSQL reports a missing partition as a check violation without a constraint.
    """
    if isinstance(error, ConcurrentChange):
        return True
    driver = getattr(error, "orig", error)
    if isinstance(driver, psycopg.errors.CheckViolation):
        return driver.diag.constraint_name is None
    return getattr(driver, "sqlstate", None) in ("40P01", "40001")


def is_transient(error: BaseException) -> bool:
    """Say whether the database is away: such work is retried in place and never dies."""
    if isinstance(error, (OperationalError, psycopg.OperationalError)):
        state = getattr(getattr(error, "orig", error), "sqlstate", None)
        return state is None or state[:2] in ("08", "53", "57", "40", "55")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return type(error).__module__.startswith("sqlalchemy") and type(error).__name__ == "TimeoutError"


def comes_from_database(error: BaseException) -> bool:
    """Say whether the database raised this: the transaction can only be rolled back, to a savepoint at least."""
    return isinstance(getattr(error, "orig", error), psycopg.Error)


def refusal_of(error: BaseException) -> Refusal | None:
    """Return the refusal that a violated constraint, or a value that nothing can store, stands for; None for any other error."""
    driver = getattr(error, "orig", error)
    if isinstance(driver, psycopg.errors.CardinalityViolation):
        return Invalid("the request contains the same part twice; send each part once", code="stands-twice")
    if isinstance(driver, psycopg.IntegrityError):
        return _violated(driver)
    unstorable = isinstance(driver, psycopg.DataError) and driver.sqlstate in UNSTORABLE
    if unstorable or isinstance(error, UnicodeEncodeError):
        return Invalid(
            "a value is too large to store, or a text contains a character that cannot be stored (such as NUL); correct it"
        )
    if isinstance(error, (OverflowError, InvalidOperation)):
        return Invalid(f"a date or a number leads too far ({error}); send a smaller one")
    return None


def _violated(error: psycopg.IntegrityError) -> Refusal:
    named = error.diag
    if isinstance(error, (psycopg.errors.UniqueViolation, psycopg.errors.ExclusionViolation)):
        key = re.match(r"Key \((.+?)\)=", named.message_detail or "")
        what = key[1] if key else named.constraint_name or "key"
        detail = f"another record has the same {what}; change that record, or give this one another reference"
        return Conflict(detail, code="taken")
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        return Conflict(
            f"the request refers to a record that does not exist here ({named.constraint_name}); send that record first"
        )
    if isinstance(error, psycopg.errors.NotNullViolation):
        return Invalid(f"{named.column_name} has no value; give it one", field=named.column_name)
    rule = named.constraint_name or named.table_name
    return Invalid(f"its values break the rule {rule!r} of the database; correct them and send it again")
