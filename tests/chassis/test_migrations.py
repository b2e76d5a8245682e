"""Migrations that the chassis brings to every service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import psycopg
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import create_engine

from chassis.ids import time_ordered_id
from chassis.persistence import migrations
from chassis.runtime.clock import machine_now
from chassis.scheduling import scheduler

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


STORED_NAMES = {
    "inbox": "reaction",
    "dead_letters": "reaction",
    "parked_subjects": "reaction",
    "attempt_marks": "reaction",
    "effect_attempts": "effect",
    "recorded_sends": "effect",
    "timers": "name",
}
TIMER = (
    '{"timer_id": "%(id)s", "name": "%(name)s", "subject": "s", "due_at": "2026-01-01T00:00:00+00:00", "rule": {}, "detail": {},'
    ' "armed_by": "%(id)s", "armed_kind": "event", "correlation_id": "%(id)s", "traceparent": null}'
)


def _store_names(connection: psycopg.Connection[Any], name: str, number: int) -> None:
    """Store a reaction, an effect or `at <timer>` of this name in every table that holds names."""
    now, one, timer = machine_now(), UUID(int=number), name.removeprefix("at ")
    connection.execute("INSERT INTO inbox VALUES (%s, %s, %s)", [one, name, now.date()])
    connection.execute(
        'INSERT INTO dead_letters (topic, partition, "offset", reaction, key, type, value, waiting, cause, detail, attempts, stored_at)'
        " VALUES (%s, 0, %s, %s, 'k', %s, %s, false, 'c', 'd', 1, %s)",
        ["timer" if timer != name else "t", number, name, timer, (TIMER % {"id": one, "name": timer}).encode(), now],
    )
    connection.execute("INSERT INTO parked_subjects VALUES ('t', 'k', %s, %s)", [name, now])
    connection.execute("INSERT INTO attempt_marks VALUES ('t', 0, %s, %s, %s)", [number, name, now])
    connection.execute("INSERT INTO effect_attempts VALUES (%s, 'k', 1, 'sent', %s, %s)", [timer, now, now])
    connection.execute("INSERT INTO recorded_sends VALUES (%s, 'k', 'r', '{}', %s)", [timer, now])
    connection.execute(
        "INSERT INTO timers (timer_id, name, subject, due_at, rule, rule_key, detail, armed_by, armed_kind, correlation_id, armed_at)"
        " VALUES (%s, %s, 's', %s, '{}', '', '{}', %s, 'event', %s, %s)",
        [one, timer, now, one, one, now],
    )


@pytest.mark.parametrize(
    ("kind", "prefix", "tables"),
    [
        ("reaction", "", {"inbox", "dead_letters", "parked_subjects", "attempt_marks"}),
        ("effect", "", STORED_NAMES.keys() - {"timers"}),
        ("timer", "at ", STORED_NAMES.keys() - {"effect_attempts", "recorded_sends"}),
    ],
)
def test_a_stored_key_is_renamed_in_every_table_that_holds_it_and_nowhere_else(
    fresh_database: Callable[[str], str],
    kind: Literal["reaction", "effect", "timer"],
    prefix: str,
    tables: set[str],
) -> None:
    url = fresh_database("logistics")
    migrations.migrate("logistics", url, "head")
    with psycopg.connect(url, autocommit=True) as connection:
        _store_names(connection, f"{prefix}old", 1)
        _store_names(connection, f"{prefix}older", 2)
        for names in (("old", "new"), ("new", "old"), ("old", "new")):
            engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
            with engine.begin() as bind, Operations.context(MigrationContext.configure(bind)):
                migrations.rename_stored_key(kind, *names)
            engine.dispose()
            for table, column in STORED_NAMES.items():
                stored = {row[0] for row in connection.execute(f"SELECT {column} FROM {table}").fetchall()}
                shown = prefix if column == "reaction" else ""
                name = names[1] if table in tables else "old"
                assert stored == {f"{shown}{name}", f"{shown}older"}, table
        if kind == "timer":
            values = connection.execute("SELECT value FROM dead_letters ORDER BY dead_letter_id").fetchall()
            assert [scheduler.revived(value).name for (value,) in values] == ["new", "older"]
