"""The psycopg connection below SQLAlchemy's."""

from __future__ import annotations

from typing import Any

import psycopg
from sqlalchemy import Connection


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """Return the driver's connection below SQLAlchemy's."""
    return connection.connection.driver_connection  # type: ignore[return-value]  # SQLAlchemy types it as any driver
