"""What can be asked of collaboration: straight SQL, read only. Lists are sorted by code and go on after one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Table, func, select

from chassis.errors import NotFound
from chassis.persistence.database import ReadTx
from services.collaboration import tables


def functions_by_code(read: ReadTx, *, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return functions in the order of their codes."""
    return _listed(read, tables.functions, "code", {}, after, limit)


def people_by_code(read: ReadTx, *, function: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return people in the order of their codes, of one function or of all."""
    return _listed(read, tables.people, "code", {"function": function}, after, limit)


def calendars_by_code(read: ReadTx, *, zone: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return calendars in the order of their codes, of one zone or of all."""
    return _listed(read, tables.calendars, "code", {"zone": zone}, after, limit)


def rosters_by_function(read: ReadTx, *, function: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return rosters in the order of their functions."""
    return _listed(read, tables.rosters, "function", {"function": function}, after, limit)


def ladders_by_code(read: ReadTx, *, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return ladders in the order of their codes."""
    return _listed(read, tables.ladders, "code", {}, after, limit)


def calendar_of(read: ReadTx, calendar_id: UUID) -> Row[Any]:
    """Return one calendar; raises NotFound."""
    row = read.row(select(tables.calendars).where(tables.calendars.c.calendar_id == calendar_id))
    if row is None:
        raise NotFound("no calendar of that code is kept here; see GET /calendars")
    return row


def figures(read: ReadTx) -> dict[str, int]:
    """Return how many of each are kept."""
    kinds = (tables.functions, tables.people, tables.calendars, tables.rosters, tables.ladders)
    return {table.name: read.scalar(select(func.count()).select_from(table)) for table in kinds}


def _listed(
    read: ReadTx, table: Table, key: str, equal: dict[str, str | None], after: str | None, limit: int
) -> Sequence[Row[Any]]:
    column = table.c[key]
    query = select(table).order_by(column).limit(limit)
    for name, value in equal.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return read.rows(query.where(column > after) if after is not None else query)
