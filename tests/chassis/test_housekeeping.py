"""What is kept for how long."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg

from chassis import housekeeping
from chassis.clock import machine_now
from chassis.ids import instant_of, time_ordered_id
from tests.support.service import House


def test_answers_live_48_hours_and_inbox_rows_outlive_published_facts(toy_house: House) -> None:
    """FLOW 6.1: retention follows the machine's clock, and an inbox row's day is the day in its UUIDv7."""
    assert housekeeping.INBOX_KEPT > housekeeping.PUBLISHED_KEPT
    assert timedelta(hours=48) == housekeeping.ANSWERS_KEPT
    toy_house.post("/counters/00000000-0000-0000-0000-000000000001", role="sre", key="a")
    now = machine_now()
    recent = time_ordered_id()
    old = UUID(int=(int((now - timedelta(days=15)).timestamp() * 1000) << 80) | (recent.int & ((1 << 80) - 1)))
    assert abs(instant_of(old) - (now - timedelta(days=15))) < timedelta(seconds=1)
    timer = UUID(int=5)
    with toy_house.tx() as tx:
        tx.cursor().execute("INSERT INTO inbox VALUES (%s, 'r'), (%s, 'r'), (%s, 'at toy-due')", [recent, old, timer])
        tx.cursor().execute("UPDATE outbox SET published_at = now()")
    with psycopg.connect(toy_house.settings.database_url, autocommit=True) as connection:
        assert housekeeping.tidy(connection, now) == {"inbox": 1}
        assert housekeeping.tidy(connection, now + timedelta(hours=49)) == {"idempotency_keys": 1}
        assert housekeeping.tidy(connection, now + timedelta(days=8)) == {"outbox": 1}
    assert {row["event_id"] for row in toy_house.rows("SELECT event_id FROM inbox")} == {recent, timer}
