"""ReadTx: a transaction that asks and cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Connection, CursorResult, Executable, Row

from chassis.persistence.driver import driver_of
from chassis.persistence.engine import DatabaseEngine
from chassis.persistence.store import Store

T = TypeVar("T")
R = TypeVar("R", bound=tuple[Any, ...])  # a NamedTuple class


class ReadTx:
    """A transaction that asks; another type than Tx, so that mypy stops a write through it."""

    def __init__(self, connection: Connection, database: DatabaseEngine) -> None:
        self._connection = connection
        self.database = database

    def rows(self, statement: Executable, parameters: Any = None) -> Sequence[Row[Any]]:
        """Run a query and return all its rows."""
        return self._ask(statement, parameters).all()

    def row(self, statement: Executable, parameters: Any = None) -> Row[Any] | None:
        """Run a query and return its first row, or None."""
        return self._ask(statement, parameters).first()

    def all_as(self, kind: type[R], statement: Executable, parameters: Any = None) -> list[R]:
        """Run a query and return all its rows as `kind`, a NamedTuple whose fields are the query's columns in order.

        Raises TypeError where columns and fields differ.
        """
        result = self._ask(statement, parameters)
        make = _row_maker(kind, result)
        return [make(row) for row in result]

    def one_as(self, kind: type[R], statement: Executable, parameters: Any = None) -> R | None:
        """Run a query and return its first row as `kind`, or None; raises TypeError as `all_as` does."""
        result = self._ask(statement, parameters)
        make = _row_maker(kind, result)
        row = result.first()
        return None if row is None else make(row)

    def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        """Run a query and return the first column of its first row."""
        return self._ask(statement, parameters).scalar()

    def _ask(self, statement: Executable, parameters: Any) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters or {})

    def read(self, store: Store[T], identity: Any) -> T | None:
        """Return an aggregate without locking it, or None."""
        found = store.load(self, [identity], lock=False)
        return found[identity][0] if identity in found else None

    @property
    def world_now(self) -> datetime:
        """Return the world's time as it stands."""
        return self.database.world_now(self._connection)

    def close(self) -> None:
        """Give the connection back; nothing was written."""
        self._connection.close()

    def cursor(self) -> psycopg.Cursor[dict[str, Any]]:
        """Return a driver cursor on this transaction's connection, with rows as dicts."""
        return driver_of(self._connection).cursor(row_factory=dict_row)

    def sql(self, statement: str, *given: Any) -> psycopg.Cursor[dict[str, Any]]:
        """Run a statement at driver level; `%s` stands for each value given."""
        return self.cursor().execute(statement.encode(), given or None)

    @contextmanager
    def pipeline(self) -> Iterator[None]:
        """Send the block's driver-level statements in one round trip; what they found is read after the block."""
        with driver_of(self._connection).pipeline():
            yield

    @contextmanager
    def planned(self, *settings: str) -> Iterator[None]:
        """Run the block in one transaction with these settings of the planner: `jit = off`."""
        with driver_of(self._connection).transaction():
            for setting in settings:
                self.cursor().execute(f"SET LOCAL {setting}".encode())
            yield


def _row_maker(kind: type[R], result: CursorResult[Any]) -> Callable[[Iterable[Any]], R]:
    columns, fields = tuple(result.keys()), kind._fields  # type: ignore[attr-defined]  # every NamedTuple has them
    if columns != fields:
        result.close()
        raise TypeError(f"the query returns the columns {', '.join(columns)}; {kind.__name__} has {', '.join(fields)}")
    make: Callable[[Iterable[Any]], R] = kind._make  # type: ignore[attr-defined]  # as above
    return make
