"""Tables kept by day, so that a day that is past its time is dropped whole, beside the work and not against it.

The inbox lies by the day inside an event's UUIDv7, never by a reader's clock: a redelivery after midnight meets the row
of the first time. The outbox lies by the day a fact was stored. A day is made when its first row comes, if not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import psycopg

TABLES = ("inbox", "outbox")
UNDATED = date(1970, 1, 1)  # ids that are no UUIDv7: those of timers, and what is derived from a cause
LOCK_TIMEOUT = "2s"
_LOCK = 0x64617973  # advisory lock: one process at a time makes days
_DAY_MILLIS = 86_400_000
_PARTS = (
    "SELECT c.relname, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false) FROM pg_class c"
    " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname ~ %s ORDER BY c.relname"
)


def made_on(event_id: UUID) -> date:
    """Return the day inside a UUIDv7; UNDATED for any other id."""
    number = event_id.int
    return _day((number >> 80) // _DAY_MILLIS) if (number >> 76) & 15 == 7 else UNDATED


@cache
def _day(number: int) -> date:
    return UNDATED + timedelta(days=number)


class Days:
    """Sees that a row's day is there before the row comes; asks the database once per day and process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._known: set[tuple[str, date]] = set()

    def ensure(self, table: str, days: Iterable[date]) -> None:
        """Make the days that this process does not know of; raises OperationalError where the database is away."""
        if missing := {(table, day) for day in days} - self._known:
            # layers: allow commit — a day is no act: it is made beside the work that needs it, and stays when that fails
            with psycopg.connect(self._url, autocommit=True) as connection:
                for _, day in sorted(missing):
                    make(connection, table, day)
            self._known |= missing

    def forget(self) -> None:
        """Ask again: a day that was known has been dropped."""
        self._known.clear()


def make(connection: psycopg.Connection[Any], table: str, day: date) -> None:
    """Add a day to a table, unless it is there; nobody who reads or writes other days waits for it."""
    name = f"{table}_{day:%Y_%m_%d}"
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'; SET LOCAL timezone = 'UTC'".encode())
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if connection.execute("SELECT to_regclass(%s)", [name]).fetchone() == (None,):
            likeness = f"LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
            connection.execute(f'CREATE TABLE "{name}" ({likeness})'.encode())
            bounds = f"FROM ('{day}') TO ('{day + timedelta(days=1)}')"
            connection.execute(f'ALTER TABLE {table} ATTACH PARTITION "{name}" FOR VALUES {bounds}'.encode())


def drop(connection: psycopg.Connection[Any], table: str, before: date) -> int:
    """Drop a table's days before this one, except where a fact still waits to be published; returns how many.

    Takes no lock that readers and writers of the table wait for; finishes what a killed predecessor began.
    """
    gone = 0
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'".encode())
    for name, attached, pending in _dated(connection, table, before):
        waits = f'SELECT 1 FROM "{name}" WHERE published_at IS NULL LIMIT 1'.encode()
        if attached and not pending and table == "outbox" and connection.execute(waits).fetchone():
            continue
        if attached:
            how = "FINALIZE" if pending else "CONCURRENTLY"
            connection.execute(f'ALTER TABLE {table} DETACH PARTITION "{name}" {how}'.encode())
        connection.execute(f'DROP TABLE "{name}"'.encode())
        gone += 1
    return gone


def _dated(connection: psycopg.Connection[Any], table: str, before: date) -> Iterator[tuple[str, bool, bool]]:
    dated = f"^{table}_[0-9]{{4}}_[0-9]{{2}}_[0-9]{{2}}$"
    for name, attached, pending in connection.execute(_PARTS, [dated]).fetchall():
        day = datetime.strptime(name.removeprefix(f"{table}_"), "%Y_%m_%d").date()
        if UNDATED < day < before:
            yield name, attached, pending
