"""Questions: items, sites, stock, and what there will be."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from chassis import http
from schemas.inventory import EntryKind
from schemas.types import Money
from services.inventory import domain, queries
from services.inventory.api.shapes import (
    BucketShown,
    Days,
    DayShown,
    EntryShown,
    Figures,
    ItemShown,
    Limit,
    Projection,
    Promise,
    ShortageShown,
    SiteShown,
    StockShown,
    router,
)
from services.inventory.settings import settings


@router.question("/items", topic="inventory.item")
def list_items(
    ask: http.QueryContext, code: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[ItemShown]:
    """Return items in the order of their codes."""
    last = ask.after(cursor, code)
    rows = queries.items_by_code(ask.read, code=code, after=last[0] if last else None, limit=limit + 1)
    shown = [ItemShown.model_validate(_with_value(row)) for row in rows]
    return http.Page[ItemShown](**ask.page(shown, lambda i: [i.code], limit, code))


def _with_value(row: Any) -> dict[str, Any]:
    amount, currency = row.unit_value_amount, row.unit_value_currency
    return {**row._mapping, "unit_value": None if currency is None else Money(amount=amount, currency=currency)}


@router.question("/sites", topic="inventory.site")
def list_sites(
    ask: http.QueryContext,
    country: str | None = None,
    calendar: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[SiteShown]:
    """Return sites in scope in the order of their codes."""
    last = ask.after(cursor, country, calendar)
    rows = queries.sites_by_code(
        ask.read, ask.actor, country=country, calendar=calendar, after=last[0] if last else None, limit=limit + 1
    )
    shown = [SiteShown.model_validate(row) for row in rows]
    return http.Page[SiteShown](**ask.page(shown, lambda s: [s.code], limit, country, calendar))


@router.question("/stock", topic="inventory.stock")
def list_stock(
    ask: http.QueryContext,
    item: str | None = None,
    site: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[StockShown]:
    """Return balances in scope, by site and item."""
    last = ask.after(cursor, item, site)
    after = (last[0], last[1]) if last else None
    rows = queries.stock_by_site(ask.read, ask.actor, item=item, site=site, after=after, limit=limit + 1)
    shown = [StockShown.model_validate(row) for row in rows]
    return http.Page[StockShown](**ask.page(shown, lambda s: [s.site, s.item], limit, item, site))


@router.question("/stock-entries", topic="inventory.stock")
def list_entries(
    ask: http.QueryContext,
    item: str | None = None,
    site: str | None = None,
    kind: EntryKind | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[EntryShown]:
    """Return ledger entries in scope, in the order in which they were written."""
    last = ask.after(cursor, item, site, kind)
    after = int(last[0]) if last else None
    rows = queries.entries_by_position(
        ask.read, ask.actor, item=item, site=site, kind=kind, after=after, limit=limit + 1
    )
    shown = [EntryShown.model_validate(row) for row in rows]
    return http.Page[EntryShown](**ask.page(shown, lambda e: [e.position], limit, item, site, kind))


@router.question("/shortages", topic="inventory.stock")
def list_shortages(
    ask: http.QueryContext,
    state: Literal["predicted", "averted"] | None = None,
    item: str | None = None,
    site: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[ShortageShown]:
    """Return shortages in scope, the earliest first."""
    last = ask.after(cursor, state, item, site)
    after = (date.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.shortages_by_day(
        ask.read, ask.actor, state=state, item=item, site=site, after=after, limit=limit + 1
    )
    shown = [ShortageShown.model_validate(row) for row in rows]
    page = ask.page(shown, lambda s: [s.short_on.isoformat(), s.stock_id], limit, state, item, site)
    return http.Page[ShortageShown](**page)


@router.question("/projections", topic="inventory.stock")
def show_projection(ask: http.QueryContext, item: str, site: str, days: Days = None) -> Projection:
    """Project an item at a site day by day from today."""
    place, today = _place(ask, item, site)
    if place is None:
        return Projection(item=item, site=site, state="unknown")
    projected = domain.project(place.outlook, today=today, days=days or settings().inventory_horizon_days)
    return Projection(
        item=item,
        site=site,
        state="known",
        on_hand=place.outlook.on_hand,
        inbound_without_day=place.outlook.inbound_without_day,
        days=tuple(DayShown.model_validate(day) for day in projected),
    )


@router.question("/available-to-promise", topic="inventory.stock")
def show_available_to_promise(ask: http.QueryContext, item: str, site: str, days: Days = None) -> Promise:
    """Say what may still be promised of an item at a site, bucket by bucket."""
    place, today = _place(ask, item, site)
    if place is None:
        return Promise(item=item, site=site, state="unknown")
    buckets = domain.available_to_promise(place.outlook, today=today, days=days or settings().inventory_horizon_days)
    return Promise(
        item=item, site=site, state="known", buckets=tuple(BucketShown.model_validate(bucket) for bucket in buckets)
    )


def _place(ask: http.QueryContext, item: str, site: str) -> tuple[queries.ProjectionInputs | None, date]:
    ask.actor.must_see(site=site)
    ask.actor.must_be_theirs(warehouse=site)
    return queries.projection_inputs_today(ask.read, item=item, site=site)


@router.question("/figures")
def show_figures(ask: http.QueryContext) -> Figures:
    """Count everything; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    return Figures.model_validate(queries.figures(ask.read))
