"""Migrations that the chassis brings to every service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg

from chassis.ids import time_ordered_id
from chassis.persistence import migrations
from chassis.runtime.clock import machine_now

INBOX = "SELECT event_id, reaction FROM inbox ORDER BY event_id"
OUTBOX = "SELECT position, event_id, stored_at, published_at FROM outbox ORDER BY position"


def test_facts_and_claims_move_into_their_days_and_back(fresh_database: Callable[[str], str]) -> None:
    url, now = fresh_database("logistics"), machine_now()
    migrations.migrate("logistics", url, "0001")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO inbox VALUES (%s, 'r'), (%s, 'at t')", [time_ordered_id(), UUID(int=5)])
        for stored_at, published_at in ((now - timedelta(days=3), now), (now, None)):
            connection.execute(
                "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at, published_at) VALUES (%s, 't', 'k', 'y', '{}', %s, %s)",
                [time_ordered_id(), stored_at, published_at],
            )
        before = [connection.execute(q).fetchall() for q in (INBOX, OUTBOX)]
        for revision in ("head", "-1", "head"):
            migrations.migrate("logistics", url, revision)
            assert [connection.execute(q).fetchall() for q in (INBOX, OUTBOX)] == before
        pending = "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at) VALUES (%s, 't', 'k', 'y', '{}', %s) RETURNING position"
        assert connection.execute(pending, [time_ordered_id(), now]).fetchone() == (3,)
