"""What is kept for how long, by the machine's clock: answers 48 hours, facts 7 days, inbox rows longer.

Outbox rows are kept no longer than inbox rows, so a topic rebuilt from the outbox cannot be taken for new.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg

from chassis import days, log
from chassis.clock import machine_now
from chassis.failures import is_transient

ANSWERS_KEPT = timedelta(hours=48)
FACTS_KEPT = timedelta(days=7)  # since they were stored; one that is not published stays
INBOX_KEPT = timedelta(days=14)
EVERY_SECONDS, LOOK_SECONDS = 600.0, 1.0
AHEAD = timedelta(days=1)


def tidy(connection: psycopg.Connection[Any], now: datetime) -> dict[str, int]:
    """Make the next day, drop what is past its time; returns how many rows of answers, how many days of the rest."""
    for table in days.TABLES:
        for day in (now, now + AHEAD):
            days.make(connection, table, day.date())
    old = "DELETE FROM idempotency_keys WHERE stored_at < %s"
    gone = {
        "idempotency_keys": connection.execute(old, [now - ANSWERS_KEPT]).rowcount,
        "outbox_days": days.drop(connection, "outbox", (now - FACTS_KEPT).date()),
        "inbox_days": days.drop(connection, "inbox", (now - INBOX_KEPT).date()),
    }
    return {what: count for what, count in gone.items() if count}


def run(url: str, stop: threading.Event, is_mine: Callable[[], bool]) -> None:
    """Tidy every ten minutes until told to stop, beside the relay and while it is the active one."""
    while not stop.wait(LOOK_SECONDS):
        if not is_mine():
            continue
        try:
            # house: allow commit — what is past its time belongs to no act, and a day is let go outside any transaction
            with psycopg.connect(url, autocommit=True) as connection:
                if gone := tidy(connection, machine_now()):
                    log.get().info("rows.expired", **gone)
        except psycopg.Error as error:
            if not is_transient(error):
                raise
            log.get().warning("housekeeping.waits", detail=str(error)[:300])
        stop.wait(EVERY_SECONDS)
