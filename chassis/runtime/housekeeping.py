"""Retention by the machine's clock: answers, facts in the outbox and claims in the inbox expire as the settings say.

Outbox rows are kept no longer than inbox rows, so a topic rebuilt from the outbox cannot be taken for new.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from chassis.persistence import partitions
from chassis.persistence.failures import is_transient
from chassis.runtime import log
from chassis.runtime.clock import machine_now
from chassis.runtime.settings import ServiceSettings

EVERY_SECONDS, LOOK_SECONDS = 600.0, 1.0
AHEAD = timedelta(days=1)


class Retention(NamedTuple):
    """How long each kind of row is kept. An outbox row counts from when it was stored and stays until it is published."""

    answers: timedelta = timedelta(hours=48)
    facts: timedelta = timedelta(days=7)
    inbox: timedelta = timedelta(days=14)

    @classmethod
    def of(cls, settings: ServiceSettings) -> Retention:
        """Return the retention from ANSWERS_KEPT_HOURS, FACTS_KEPT_DAYS and INBOX_KEPT_DAYS."""
        hours, facts, inbox = settings.answers_kept_hours, settings.facts_kept_days, settings.inbox_kept_days
        return cls(timedelta(hours=hours), timedelta(days=facts), timedelta(days=inbox))


def tidy(connection: psycopg.Connection[Any], now: datetime, kept: Retention = Retention()) -> dict[str, int]:
    """Make the next day's partitions, drop expired rows; returns how many answers, and how many days of the rest."""
    for table in partitions.TABLES:
        for day in (now, now + AHEAD):
            partitions.make(connection, table, day.date())
    old = "DELETE FROM idempotency_keys WHERE stored_at < %s"
    gone = {
        "idempotency_keys": connection.execute(old, [now - kept.answers]).rowcount,
        "outbox_days": partitions.drop(connection, "outbox", (now - kept.facts).date()),
        "inbox_days": partitions.drop(connection, "inbox", (now - kept.inbox).date()),
    }
    return {what: count for what, count in gone.items() if count}


def run(url: str, stop: threading.Event, is_mine: Callable[[], bool], kept: Retention) -> None:
    """Tidy every ten minutes until told to stop, beside the relay and while it is the active one."""
    while not stop.wait(LOOK_SECONDS):
        if not is_mine():
            continue
        try:
            # layers: allow commit — what is past its time belongs to no act, and a day is let go outside any transaction
            with psycopg.connect(url, autocommit=True) as connection:
                if gone := tidy(connection, machine_now(), kept):
                    log.get().info("rows.expired", **gone)
        except psycopg.Error as error:
            if not is_transient(error):
                raise
            log.get().warning("housekeeping.waits", detail=str(error)[:300])
        stop.wait(EVERY_SECONDS)
