"""What can be asked of forecast; read-only, straight SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, func, literal, select, tuple_

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.forecast.tables import baselines, forecasts, overrides, publications


def forecasts_by_site(
    read: ReadTx, actor: Actor, *, item: str | None, site: str | None, after: tuple[str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Return forecasts in scope, by site and item."""
    query = _equal(select(forecasts), forecasts, item=item, site=site)
    query = query.order_by(forecasts.c.site, forecasts.c.item).limit(limit)
    if after is not None:
        query = query.where(tuple_(forecasts.c.site, forecasts.c.item) > tuple_(*map(literal, after)))
    return read.rows(_in_scope(query, actor))


def forecast_with_weeks(read: ReadTx, forecast_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Return one forecast, its baselines by week and its overrides by time; raises NotFound."""
    found = read.row(select(forecasts).where(forecasts.c.forecast_id == forecast_id))
    if found is None:
        raise NotFound(f"no forecast {forecast_id} is known here; list forecasts by item and site")
    weeks = read.rows(select(baselines).where(baselines.c.forecast_id == forecast_id).order_by(baselines.c.week_on))
    entered = read.rows(
        select(overrides)
        .where(overrides.c.forecast_id == forecast_id)
        .order_by(overrides.c.occurred_at, overrides.c.override_id)
    )
    return found, weeks, entered


def overrides_by_week(
    read: ReadTx,
    actor: Actor,
    *,
    item: str | None,
    site: str | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return overrides in scope, by week."""
    query = select(overrides, forecasts.c.item, forecasts.c.site).join(forecasts)
    query = _in_scope(_equal(query, forecasts, item=item, site=site), actor)
    query = query.order_by(overrides.c.week_on, overrides.c.override_id).limit(limit)
    if after is not None:
        query = query.where(tuple_(overrides.c.week_on, overrides.c.override_id) > tuple_(*map(literal, after)))
    return read.rows(query)


def publications_by_version(read: ReadTx, forecast_id: UUID, *, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return what was published of a forecast, the first version first."""
    query = select(publications).where(publications.c.forecast_id == forecast_id)
    query = query.order_by(publications.c.published).limit(limit)
    return read.rows(query.where(publications.c.published > after) if after is not None else query)


def figures(read: ReadTx) -> dict[str, int]:
    """Return how many of each are kept."""
    kinds = (forecasts, baselines, overrides, publications)
    return {table.name: read.scalar(select(func.count()).select_from(table)) for table in kinds}


def _equal(query: Select[Any], table: Table, **filters: str | None) -> Select[Any]:
    for name, value in filters.items():
        if value is not None:
            query = query.where(table.c[name] == value)
    return query


def _in_scope(query: Select[Any], actor: Actor) -> Select[Any]:
    return query if actor.sites is None else query.where(forecasts.c.site.in_(actor.sites))
