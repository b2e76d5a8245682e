"""StatementRunner: the part of a transaction that modules below the unit of work write through."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import psycopg


class StatementRunner(Protocol):
    """Runs statements at driver level on one transaction's connection."""

    def cursor(self) -> psycopg.Cursor[dict[str, Any]]:
        """Return a driver cursor with rows as dicts."""

    def sql(self, statement: str, *given: Any) -> psycopg.Cursor[dict[str, Any]]:
        """Run a statement; `%s` stands for each value."""

    def pipeline(self) -> AbstractContextManager[None]:
        """Send the block's statements in one round trip."""
