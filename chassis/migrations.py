"""Alembic for every service: its migrations folder, its database, one at a time under a lock."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, text

_LOCK = 0x6D696772  # advisory lock: two processes that start at once migrate one after the other


def config(service: str, url: str) -> Config:
    """Return alembic's configuration of a service."""
    folder = Path(__file__).resolve().parent.parent / "services" / service / "migrations"
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
        # house: allow commit — a migration is no act: Alembic runs it on this one connection under a lock
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        # house: allow commit — see above
        connection.commit()
    engine.dispose()


def run_environment(metadata: MetaData) -> None:
    """What every service's migrations/env.py does: run on the connection it was given, or on its own."""
    from alembic import context  # alembic's proxy is alive only while a command runs

    connection = context.config.attributes.get("connection")
    if connection is None:
        connection = create_engine(context.config.attributes["url"]).connect()
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
