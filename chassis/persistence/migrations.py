"""Alembic for every service: its migrations folder, its database, one at a time under a lock."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, text

from chassis.persistence import partitions
from chassis.persistence.driver import driver_of

_LOCK = 0x6D696772  # advisory lock: two processes that start at once migrate one after the other


def config(service: str, url: str) -> Config:
    """Return alembic's configuration of a service."""
    folder = Path(__file__).resolve().parents[2] / "services" / service / "migrations"
    made = Config()
    made.set_main_option("script_location", str(folder))
    made.attributes["url"] = url.replace("postgresql://", "postgresql+psycopg://", 1)
    return made


def migrate(service: str, url: str, revision: str) -> None:
    """Bring a database to a revision: up, or down with `base` or an older id."""
    made = config(service, url)
    engine = create_engine(made.attributes["url"])
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
        made.attributes["connection"] = connection
        if revision == "base" or revision.startswith("-"):
            command.downgrade(made, revision)
        else:
            command.upgrade(made, revision)
        # layers: allow commit — a migration is no act: Alembic runs it on this one connection under a lock
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        # layers: allow commit — see above
        connection.commit()
    engine.dispose()


def keep_by_day() -> None:
    """Turn inbox and outbox into tables kept by day, with what is in them."""
    day = "uuid_extract_timestamp(event_id)::date"
    made_on = f"CASE WHEN uuid_extract_version(event_id) = 7 THEN {day} ELSE DATE '{partitions.UNDATED}' END"
    _rebuilt(
        "inbox",
        "event_id, reaction, made_on",
        "event_id uuid NOT NULL, reaction text NOT NULL, made_on date NOT NULL,"
        " PRIMARY KEY (event_id, reaction, made_on)",
        "PARTITION BY RANGE (made_on)",
        f"event_id, reaction, {made_on}",
        made_on,
    )
    _rebuilt(
        "outbox",
        _OUTBOX,
        f"{_OUTBOX_COLUMNS}, PRIMARY KEY (position, stored_at)",
        "PARTITION BY RANGE (stored_at)",
        _OUTBOX,
        "(stored_at AT TIME ZONE 'UTC')::date",
    )


def keep_whole() -> None:
    """Turn them back."""
    _rebuilt(
        "inbox",
        "event_id, reaction",
        "event_id uuid NOT NULL, reaction text NOT NULL, PRIMARY KEY (event_id, reaction)",
        "",
        "event_id, reaction",
    )
    _rebuilt("outbox", _OUTBOX, f"{_OUTBOX_COLUMNS}, PRIMARY KEY (position)", "", _OUTBOX)


_OUTBOX = "position, event_id, topic, key, type, payload, stored_at, published_at"
_OUTBOX_COLUMNS = (
    "position bigint GENERATED ALWAYS AS IDENTITY, event_id uuid NOT NULL, topic text NOT NULL, key text NOT NULL, type text NOT NULL,"
    " payload text NOT NULL, stored_at timestamptz NOT NULL, published_at timestamptz"
)


def _rebuilt(table: str, names: str, columns: str, partitioned: str, values: str, day: str = "") -> None:
    """Make a table anew, with its days, and bring over its rows."""
    from alembic import op  # see run_environment

    bind = op.get_bind()
    bind.exec_driver_sql("SET LOCAL timezone = 'UTC'")
    bind.exec_driver_sql(f"CREATE TEMPORARY TABLE moved ON COMMIT DROP AS SELECT * FROM {table}")
    bind.exec_driver_sql(f"DROP TABLE {table}")
    bind.exec_driver_sql(f"CREATE TABLE {table} ({columns}) {partitioned}")
    if day:
        needed = f"SELECT {day} FROM moved UNION SELECT current_date UNION SELECT current_date + 1"
        for (one,) in bind.exec_driver_sql(needed).all():
            partitions.make(driver_of(bind), table, one)
    overriding = "OVERRIDING SYSTEM VALUE" if table == "outbox" else ""
    bind.exec_driver_sql(f"INSERT INTO {table} ({names}) {overriding} SELECT {values} FROM moved")
    bind.exec_driver_sql("DROP TABLE moved")
    if table == "outbox":
        bind.exec_driver_sql("CREATE INDEX outbox_position_pending ON outbox (position) WHERE published_at IS NULL")
        bind.exec_driver_sql("SELECT setval(pg_get_serial_sequence('outbox', 'position'), max(position)) FROM outbox")


def rename_stored_key(kind: Literal["reaction", "effect", "timer"], old: str, new: str) -> None:
    """Rename a reaction, an effect or a timer in every table that stores its name, in a service's migration.

    The name must match exactly: a reaction registered for several events has one name for each. The downgrade calls it
    with `old` and `new` exchanged.
    """
    from alembic import op  # see run_environment

    driver = driver_of(op.get_bind())
    for table, column in _STORED_NAMES[kind]:
        prefix = "at " if kind == "timer" and column == "reaction" else ""  # how the scheduler claims a timer
        driver.execute(f"UPDATE {table} SET {column} = %s WHERE {column} = %s".encode(), [prefix + new, prefix + old])
    if kind == "timer":  # a dead timer is revived from its JSON document
        driver.execute(
            "UPDATE dead_letters SET type = %(new)s, value = convert_to(jsonb_set(convert_from(value, 'UTF8')::jsonb,"
            " '{name}', to_jsonb(%(new)s::text))::text, 'UTF8') WHERE topic = 'timer' AND type = %(old)s",
            {"old": old, "new": new},
        )


_REACTION_COLUMNS = [(table, "reaction") for table in ("inbox", "dead_letters", "parked_subjects", "attempt_marks")]
_STORED_NAMES = {
    "reaction": _REACTION_COLUMNS,
    "effect": [*_REACTION_COLUMNS, ("effect_attempts", "effect"), ("recorded_sends", "effect")],
    "timer": [*_REACTION_COLUMNS, ("timers", "name")],
}


def run_environment(metadata: MetaData) -> None:
    """What every service's migrations/env.py does: run on the connection it was given, or on its own."""
    from alembic import context  # alembic's proxy is alive only while a command runs

    connection = context.config.attributes.get("connection")
    if connection is None:
        connection = create_engine(context.config.attributes["url"]).connect()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
