"""How an aggregate is kept: a root table and its child tables, columns named as the fields.

A Store reads and writes many aggregates of one type in a few set-based statements, at driver level on the
connection that SQLAlchemy opened, with arrays in binary. Rules of the mapping:

- a column has the name of its field; the root table has a `version` column that only the unit of work knows;
- a JSONB column holds a nested value; a Money field `x` may be two columns, `x_amount` and `x_currency`;
- a child table holds one row per element of a tuple field, with the root's key as its first key column; its
  rows are added and changed, and removed when the element is gone.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar, get_args, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB

from chassis.persistence.statements import StatementRunner
from schemas.types import Money

T = TypeVar("T")
Row = dict[str, Any]
_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialect classes are untyped


class Columns:
    """One table's columns against one type's fields: how a thing becomes a row and a row a thing."""

    def __init__(self, kind: type[Any], table: Table, *, parent_key: str | None = None) -> None:
        self.kind, self.table = kind, table
        hints = get_type_hints(kind, include_extras=True)
        fields = list(kind.model_fields) if issubclass(kind, BaseModel) else [f.name for f in dataclasses.fields(kind)]
        self.names = [c.name for c in table.columns if c.name != "version" and c.computed is None]
        self.casts = {c.name: _cast(c) for c in table.columns}
        self.key_names = [c.name for c in table.primary_key.columns]
        self.parent_key = parent_key
        self._writers: list[tuple[str, Callable[[Any], Any]]] = []
        self._readers: list[tuple[str, Callable[[Row], Any]]] = []
        for name in fields:
            self._map(name, hints[name], table)
        covered = {name for name, _ in self._writers} | ({parent_key} if parent_key else set())
        if missing := [name for name in self.names if name not in covered]:
            raise TypeError(f"{table.name}: no field of {kind.__name__} for columns {missing}")

        rest = [n for n in self.names if n not in self.key_names]
        action = "DO UPDATE SET " + ", ".join(f'"{n}" = EXCLUDED."{n}"' for n in rest) if rest else "DO NOTHING"
        self.upsert = Statement(
            self.casts,
            self.names,
            f'INSERT INTO "{table.name}" ({_quoted(self.names)})',
            f"ON CONFLICT ({_quoted(self.key_names)}) {action}",
        )
        match = " AND ".join(f't."{n}" = n."{n}"' for n in self.key_names)
        self.delete = Statement(
            self.casts, self.key_names, f'DELETE FROM "{table.name}" AS t USING (', f") AS n WHERE {match}"
        )
        self.load_sql = (
            f'SELECT * FROM "{table.name}" WHERE "{parent_key}" = ANY(%b::{self.casts.get(parent_key or "")}[])'
            f" ORDER BY {_quoted(self.key_names)}"
        )

    def _map(self, name: str, hint: Any, table: Table) -> None:
        if f"{name}_amount" in table.columns:
            amount, currency = f"{name}_amount", f"{name}_currency"
            self._writers += [
                (amount, lambda thing: None if (money := getattr(thing, name)) is None else money.amount),
                (currency, lambda thing: None if (money := getattr(thing, name)) is None else money.currency),
            ]
            self._readers.append(
                (name, lambda row: None if row[amount] is None else Money(amount=row[amount], currency=row[currency]))
            )
        elif name in table.columns and isinstance(table.columns[name].type, JSONB):
            adapter: TypeAdapter[Any] = TypeAdapter(hint)
            self._writers.append((name, lambda thing: adapter.dump_json(getattr(thing, name)).decode()))
            self._readers.append((name, lambda row: adapter.validate_python(row[name])))
        elif name in table.columns:
            self._writers.append((name, lambda thing: getattr(thing, name)))
            self._readers.append((name, lambda row: row[name]))

    def row(self, thing: Any) -> Row:
        return {name: write(thing) for name, write in self._writers}

    def thing(self, row: Row, extra: Mapping[str, Any] | None = None) -> Any:
        return self.kind(**{name: read(row) for name, read in self._readers}, **(extra or {}))


def _cast(column: Any) -> str:
    text: str = column.type.compile(dialect=_DIALECT).lower()
    return {"timestamp with time zone": "timestamptz"}.get(text, text)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Statement:
    """A statement over rows that are sent with it: `head SELECT … tail`. One row goes as values, many as an array per column.

    Written once: composing it for each batch costs a tenth of a consumer's time.
    """

    def __init__(self, casts: Mapping[str, str], names: Sequence[str], head: str, tail: str) -> None:
        self._names, self.casts = names, casts
        given = {n: "text" if casts[n] == "jsonb" else casts[n] for n in names}
        turned = {n: "::jsonb" if casts[n] == "jsonb" else "" for n in names}
        one = ", ".join(f'%b::{given[n]}{turned[n]} AS "{n}"' for n in names)
        outs = ", ".join(f'u."{n}"{turned[n]} AS "{n}"' for n in names)
        arrays = ", ".join(f"%b::{given[n]}[]" for n in names)
        many = f"{outs} FROM unnest({arrays}) WITH ORDINALITY AS u({_quoted(names)}, ordinal) ORDER BY ordinal"
        self._one, self._many = f"{head} SELECT {one} {tail}", f"{head} SELECT {many} {tail}"

    def run(self, cursor: Any, rows: Sequence[Row]) -> Any:
        """Send rows, in their order; returns the cursor."""
        if len(rows) == 1:
            return cursor.execute(self._one, [rows[0][name] for name in self._names])
        return cursor.execute(self._many, [[row[name] for row in rows] for name in self._names])


def _order(identity: Any) -> Any:
    """Return by what ids are sorted: rows are locked in one order by everybody. A UUID compares ten times slower than its int."""
    return identity.int if isinstance(identity, UUID) else identity


class Asked(NamedTuple):
    """Cursors that hold, or will hold, the rows of aggregates and of their parts."""

    root: Any
    parts: dict[str, Any]


class Expected(NamedTuple):
    """Aggregates that were sent to be written, and the cursor that tells how many were."""

    store: str
    cursor: Any
    rows: int


class Store(Generic[T]):
    """Reads and writes aggregates of type T; used through Tx.get, find, save."""

    def __init__(self, kind: type[T], table: Table, *, key: str, children: Mapping[str, Table] | None = None) -> None:
        self.kind, self.table, self.key = kind, table, key
        hints = get_type_hints(kind, include_extras=True)
        self.children: dict[str, Columns] = {}
        for name, child in (children or {}).items():
            element = next(a for a in get_args(hints[name]) if a is not Ellipsis)
            self.children[name] = Columns(element, child, parent_key=key)
        self.root = Columns(kind, table)
        self.name = table.name
        self._row_names = [*self.root.names, "version"]
        self._load_sql = (
            f'SELECT * FROM "{self.name}" WHERE "{key}" = ANY(%b::{self.root.casts[key]}[]) ORDER BY "{key}"'
        )
        sets = ", ".join(f'"{n}" = n."{n}"' for n in self.root.names if n != key)
        self._insert = Statement(
            self.root.casts,
            self._row_names,
            f'INSERT INTO "{self.name}" ({_quoted(self._row_names)})',
            f'ON CONFLICT DO NOTHING RETURNING "{key}"',
        )
        self._update = Statement(
            self.root.casts,
            self._row_names,
            f'UPDATE "{self.name}" AS t SET {sets + ", " if sets else ""}version = n.version + 1 FROM (',
            f') AS n WHERE t."{key}" = n."{key}" AND t.version = n.version RETURNING t."{key}"',
        )

    def identity(self, thing: T) -> Any:
        """Return the aggregate's id."""
        return getattr(thing, self.key)

    def _place(self, thing: T) -> Any:
        return _order(getattr(thing, self.key))

    def ask(self, tx: StatementRunner, ids: Iterable[Any], *, lock: bool) -> Asked:
        """Ask for aggregates; rows are locked in the order of their ids. What comes is read by `read`, after `together`."""
        wanted = sorted(set(ids), key=_order)
        statement = self._load_sql + (" FOR UPDATE" if lock else "")
        root = tx.cursor().execute(statement, [wanted], binary=True)
        parts = {name: tx.cursor().execute(c.load_sql, [wanted], binary=True) for name, c in self.children.items()}
        return Asked(root, parts)

    def read(self, asked: Asked) -> dict[Any, tuple[T, int]]:
        """Return the aggregates found, each with its version."""
        parts = {name: self._grouped(self.children[name], cursor) for name, cursor in asked.parts.items()}
        return {
            row[self.key]: (
                self.root.thing(row, {name: tuple(part.get(row[self.key], ())) for name, part in parts.items()}),
                row["version"],
            )
            for row in asked.root.fetchall()
        }

    def _grouped(self, columns: Columns, cursor: Any) -> dict[Any, list[Any]]:
        grouped: dict[Any, list[Any]] = defaultdict(list)
        for row in cursor.fetchall():
            grouped[row[self.key]].append(columns.thing(row))
        return grouped

    def load(self, tx: StatementRunner, ids: Iterable[Any], *, lock: bool) -> dict[Any, tuple[T, int]]:
        """Ask and read."""
        with tx.pipeline():
            asked = self.ask(tx, ids, lock=lock)
        return self.read(asked)

    def insert(self, tx: StatementRunner, things: Sequence[T]) -> Any:
        """Write new aggregates; the cursor returned holds one row for each that was really new."""
        rows = [self.root.row(t) | {"version": 1} for t in sorted(things, key=self._place)]
        new = self._insert.run(tx.cursor(), rows)
        self._write_children(tx, [(None, thing) for thing in things])
        return new

    def update(self, tx: StatementRunner, changed: Sequence[tuple[T, T, int]]) -> Any:
        """Write changed aggregates (as loaded, as they are now, version loaded); the cursor returned holds one row for each
        that was still at that version."""
        sent = sorted(changed, key=lambda change: self._place(change[1]))
        done = self._update.run(tx.cursor(), [self.root.row(now) | {"version": version} for _, now, version in sent])
        self._write_children(tx, [(before, now) for before, now, _ in changed])
        return done

    def _write_children(self, tx: StatementRunner, pairs: Sequence[tuple[T | None, T]]) -> None:
        for name, columns in self.children.items():
            upserts: list[Row] = []
            gone: list[Row] = []
            for before, now in pairs:
                parts = () if before is None else getattr(before, name)
                old = {self._child_key(columns, now, part): part for part in parts}
                for part in getattr(now, name):
                    key = self._child_key(columns, now, part)
                    if old.pop(key, None) != part:
                        upserts.append(columns.row(part) | {self.key: self.identity(now)})
                gone += [columns.row(part) | {self.key: self.identity(now)} for part in old.values()]
            if gone:
                columns.delete.run(tx.cursor(), gone)
            if upserts:
                columns.upsert.run(tx.cursor(), upserts)

    def _child_key(self, columns: Columns, thing: T, part: Any) -> tuple[Any, ...]:
        return tuple(getattr(part, n) if hasattr(part, n) else self.identity(thing) for n in columns.key_names)


@cache
def _bulk_statement(table: Table, names: tuple[str, ...], on_conflict: str, returning: str) -> Statement:
    casts = {n: _cast(table.columns[n]) for n in names}
    return Statement(casts, names, f'INSERT INTO "{table.name}" ({_quoted(names)})', f"{on_conflict} {returning}")


def bulk_insert(
    cursor: Any, table: Table, rows: Sequence[Row], *, on_conflict: str = "", returning: str = ""
) -> list[Row]:
    """Insert rows in one statement, in their order; JSONB values are given as Python and written as JSON."""
    statement = _bulk_statement(table, tuple(rows[0]), on_conflict, returning)
    documents = [name for name in rows[0] if statement.casts[name] == "jsonb"]
    written = [row | {name: json.dumps(row[name], default=str) for name in documents} for row in rows]
    done = statement.run(cursor, written if documents else rows)
    return list(done.fetchall()) if returning else []
