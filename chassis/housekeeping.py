"""What is kept for how long, by the machine's clock: answers 48 hours, published facts 7 days, inbox rows longer.

Published outbox rows are kept no longer than inbox rows, so a topic rebuilt from the outbox cannot be taken for new.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

ANSWERS_KEPT = timedelta(hours=48)
PUBLISHED_KEPT = timedelta(days=7)
INBOX_KEPT = timedelta(days=14)
EVERY_SECONDS = 600.0


def tidy(connection: Any, now: datetime) -> dict[str, int]:
    """Delete what is past its time; returns how many rows of each table."""
    gone = {
        "idempotency_keys": connection.execute(
            "DELETE FROM idempotency_keys WHERE stored_at < %s", [now - ANSWERS_KEPT]
        ).rowcount,
        "outbox": connection.execute("DELETE FROM outbox WHERE published_at < %s", [now - PUBLISHED_KEPT]).rowcount,
        # The age of an inbox row is the time inside its UUIDv7, not a column; timers have other ids and stay.
        "inbox": connection.execute(
            "DELETE FROM inbox WHERE event_id < %s AND reaction NOT LIKE 'at %%'", [_first_id_of(now - INBOX_KEPT)]
        ).rowcount,
    }
    return {table: count for table, count in gone.items() if count}


def _first_id_of(instant: datetime) -> UUID:
    return UUID(int=int(instant.timestamp() * 1000) << 80)
