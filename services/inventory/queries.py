"""What can be asked of inventory; read-only, straight SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Row, Select, Table, and_, func, literal, or_, select, tuple_, union

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from schemas.types import Money
from services.inventory import domain
from services.inventory.tables import (
    demand_lines,
    expectations,
    inbound_lines,
    inbound_shipments,
    items,
    shortages,
    sites,
    stock_entries,
    stocks,
)


@dataclass(frozen=True)
class ProjectionInputs:
    """An item at a site with everything its projection is made from."""

    item: str
    site: str
    zone: str
    unit_value: Money | None
    outlook: domain.Outlook

    def today(self, now: datetime) -> date:
        """Return the local day at the site."""
        return now.astimezone(ZoneInfo(self.zone)).date()


def outlooks(read: ReadTx, stock_ids: Sequence[UUID], *, since: date) -> dict[UUID, ProjectionInputs]:
    """Return what the projections of these item-sites are made from, in four queries for all of them.

    Order lines promised before the week `since` count only while something of them is still to be issued.
    """
    heads = read.rows(
        select(
            stocks.c.stock_id,
            stocks.c.item,
            stocks.c.site,
            stocks.c.on_hand,
            sites.c.zone,
            items.c.unit_value_amount,
            items.c.unit_value_currency,
        )
        .join(sites, sites.c.code == stocks.c.site)
        .join(items, items.c.code == stocks.c.item)
        .where(stocks.c.stock_id.in_(stock_ids))
    )
    inbound, orders, forecast = _arrivals(read, stock_ids), _promised(read, stock_ids, since), _weeks(read, stock_ids)
    return {
        row.stock_id: ProjectionInputs(
            row.item,
            row.site,
            row.zone,
            Money(amount=row.unit_value_amount, currency=row.unit_value_currency) if row.unit_value_currency else None,
            domain.Outlook(row.on_hand, inbound[row.stock_id], orders[row.stock_id], forecast[row.stock_id]),
        )
        for row in heads
    }


def _arrivals(read: ReadTx, stock_ids: Sequence[UUID]) -> dict[UUID, tuple[domain.Arrival, ...]]:
    found: defaultdict[UUID, tuple[domain.Arrival, ...]] = defaultdict(tuple)
    for row in read.rows(
        select(
            inbound_lines.c.stock_id, inbound_shipments.c.expected_on, func.sum(inbound_lines.c.quantity).label("sum")
        )
        .join(inbound_shipments)
        .where(inbound_lines.c.stock_id.in_(stock_ids))
        .group_by(inbound_lines.c.stock_id, inbound_shipments.c.expected_on)
        .order_by(inbound_lines.c.stock_id, inbound_shipments.c.expected_on)
    ):
        found[row.stock_id] += (domain.Arrival(row.expected_on, row.sum),)
    return found


def _promised(read: ReadTx, stock_ids: Sequence[UUID], since: date) -> dict[UUID, tuple[domain.Promised, ...]]:
    issued = (
        select(stock_entries.c.order_line_id, (-func.sum(stock_entries.c.quantity)).label("issued"))
        .where(stock_entries.c.stock_id.in_(stock_ids), stock_entries.c.order_line_id.is_not(None))
        .group_by(stock_entries.c.order_line_id)
        .subquery()
    )
    left = func.coalesce(issued.c.issued, 0)
    found: defaultdict[UUID, tuple[domain.Promised, ...]] = defaultdict(tuple)
    for row in read.rows(
        select(demand_lines.c.stock_id, demand_lines.c.promised_on, demand_lines.c.quantity, left.label("issued"))
        .outerjoin(issued, issued.c.order_line_id == demand_lines.c.line_id)
        .where(
            demand_lines.c.stock_id.in_(stock_ids),
            or_(demand_lines.c.promised_on >= since, left < demand_lines.c.quantity),
        )
        .order_by(demand_lines.c.stock_id, demand_lines.c.promised_on, demand_lines.c.line_id)
    ):
        found[row.stock_id] += (domain.Promised(row.promised_on, row.quantity, row.issued),)
    return found


def _weeks(read: ReadTx, stock_ids: Sequence[UUID]) -> dict[UUID, tuple[domain.Week, ...]]:
    found: defaultdict[UUID, tuple[domain.Week, ...]] = defaultdict(tuple)
    for row in read.rows(
        select(expectations.c.stock_id, expectations.c.weeks).where(expectations.c.stock_id.in_(stock_ids))
    ):
        found[row.stock_id] = tuple(
            domain.Week(date.fromisoformat(week["week_on"]), Decimal(str(week["quantity"]))) for week in row.weeks
        )
    return found


def projection_inputs_today(read: ReadTx, *, item: str, site: str) -> tuple[ProjectionInputs | None, date]:
    """Return what the projection of an item at a site is made from, and the local day there.

    None where there is no opening balance; raises NotFound where the item or the site is not registered.
    """
    must_be_registered(read, item=item, site=site)
    now = read.database.world_now(read._connection)
    found = outlooks(read, [domain.stock_id(item, site)], since=domain.monday_of(now.date()))
    inputs = next(iter(found.values()), None)
    return inputs, (inputs.today(now) if inputs is not None else now.date())


def must_be_registered(read: ReadTx, *, item: str, site: str) -> None:
    """Raise NotFound unless both the item and the site are registered."""
    for table, what, code in ((items, "item", item), (sites, "site", site)):
        if read.scalar(select(func.count()).select_from(table).where(table.c.code == code)) == 0:
            raise NotFound(f"no {what} {code!r} is registered here; see GET /{what}s", field=what)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────


def items_by_code(read: ReadTx, *, code: str | None, after: str | None, limit: int) -> Sequence[Row[Any]]:
    """Return items in the order of their codes."""
    query = _equal(select(items), items, code=code).order_by(items.c.code).limit(limit)
    return read.rows(query.where(items.c.code > after) if after is not None else query)


def sites_by_code(
    read: ReadTx, actor: Actor, *, country: str | None, calendar: str | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return sites in scope in the order of their codes."""
    query = _equal(select(sites), sites, country=country, calendar=calendar).order_by(sites.c.code).limit(limit)
    query = _in_scope(query, sites.c.code, actor)
    return read.rows(query.where(sites.c.code > after) if after is not None else query)


def stock_by_site(
    read: ReadTx, actor: Actor, *, item: str | None, site: str | None, after: tuple[str, str] | None, limit: int
) -> Sequence[Row[Any]]:
    """Return balances in scope, by site and item."""
    query = _equal(select(stocks), stocks, item=item, site=site).order_by(stocks.c.site, stocks.c.item).limit(limit)
    if after is not None:
        query = query.where(tuple_(stocks.c.site, stocks.c.item) > tuple_(*map(literal, after)))
    return read.rows(_in_scope(query, stocks.c.site, actor))


def entries_by_position(
    read: ReadTx, actor: Actor, *, item: str | None, site: str | None, kind: str | None, after: int | None, limit: int
) -> Sequence[Row[Any]]:
    """Return ledger entries in scope, in the order in which they were written."""
    query = _equal(select(stock_entries), stock_entries, item=item, site=site, kind=kind)
    query = query.order_by(stock_entries.c.position).limit(limit)
    if after is not None:
        query = query.where(stock_entries.c.position > after)
    return read.rows(_in_scope(query, stock_entries.c.site, actor))


def shortages_by_day(
    read: ReadTx,
    actor: Actor,
    *,
    state: str | None,
    item: str | None,
    site: str | None,
    after: tuple[date, UUID] | None,
    limit: int,
) -> Sequence[Row[Any]]:
    """Return shortages in scope, the earliest first."""
    query = _equal(select(shortages), shortages, state=state, item=item, site=site)
    query = query.order_by(shortages.c.short_on, shortages.c.stock_id).limit(limit)
    if after is not None:
        query = query.where(tuple_(shortages.c.short_on, shortages.c.stock_id) > tuple_(*map(literal, after)))
    return read.rows(_in_scope(query, shortages.c.site, actor))


def figures(read: ReadTx) -> dict[str, int]:
    """Return what inventory counts; an item-site that is heard of and has no opening balance is unknown (FLOW 7.5)."""
    referenced = union(
        select(inbound_lines.c.stock_id), select(demand_lines.c.stock_id), select(expectations.c.stock_id)
    ).subquery()
    has_stock = select(stocks.c.stock_id).where(stocks.c.stock_id == referenced.c.stock_id).exists()
    counts: dict[str, Any] = {
        "items": select(func.count()).select_from(items),
        "sites": select(func.count()).select_from(sites),
        "known_item_sites": select(func.count()).select_from(stocks),
        "unknown_item_sites": select(func.count()).select_from(referenced).where(~has_stock),
        "stock_entries": select(func.count()).select_from(stock_entries),
        "inbound_lines": select(func.count()).select_from(inbound_lines),
        "shortages_open": select(func.count()).select_from(shortages).where(shortages.c.state == "predicted"),
        "shortages_predicted": select(func.count()).select_from(shortages),
    }
    return {name: read.scalar(query) for name, query in counts.items()}


def _equal(query: Select[Any], table: Table, **filters: str | None) -> Select[Any]:
    fitting = [table.c[name] == value for name, value in filters.items() if value is not None]
    return query.where(and_(*fitting)) if fitting else query


def _in_scope(query: Select[Any], site: ColumnElement[Any], actor: Actor) -> Select[Any]:
    """Narrow to the reader's scope of sites, and a machine of a warehouse to its own."""
    query = query if actor.sites is None else query.where(site.in_(actor.sites))
    return query.where(site == actor.warehouse) if actor.is_machine and actor.warehouse else query
