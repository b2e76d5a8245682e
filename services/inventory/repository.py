"""Aggregates of inventory in and out; locks what it loads for change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.inventory import domain, tables

items = Store(domain.Item, tables.items, key="item_id")
sites = Store(domain.Site, tables.sites, key="site_id")
stocks = Store(domain.Stock, tables.stocks, key="stock_id")
inbound = Store(
    domain.InboundShipment, tables.inbound_shipments, key="shipment_id", children={"lines": tables.inbound_lines}
)
demands = Store(domain.OrderDemand, tables.order_demands, key="order_id", children={"lines": tables.demand_lines})
expectations = Store(domain.Expectation, tables.expectations, key="stock_id")
shortages = Store(domain.Shortage, tables.shortages, key="stock_id")


def load_items(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load many items in one query."""
    tx.load(items, ids)


def find_item(tx: Tx, item_id: UUID) -> domain.Item | None:
    """Return an item, locked, or None."""
    return tx.find(items, item_id)


def read_item(tx: Tx, code: str) -> domain.Item | None:
    """Return an item without locking it, or None."""
    return tx.read_cached(items, domain.item_id(code))


def save_item(tx: Tx, item: domain.Item) -> None:
    """Keep an item."""
    tx.save(items, item)


def load_sites(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load many sites in one query."""
    tx.load(sites, ids)


def find_site(tx: Tx, site_id: UUID) -> domain.Site | None:
    """Return a site, locked, or None."""
    return tx.find(sites, site_id)


def read_site(tx: Tx, code: str) -> domain.Site | None:
    """Return a site without locking it, or None."""
    return tx.read_cached(sites, domain.site_id(code))


def save_site(tx: Tx, site: domain.Site) -> None:
    """Keep a site."""
    tx.save(sites, site)


def lock_stocks_for_opening(tx: Tx) -> None:
    """Wait for whoever looked for stock that is not there, and make the next ones wait until this Tx has made it.

    Without this, a fact heard while the opening balance is being written could miss it, and it the fact.
    """
    tx.cursor().execute("LOCK TABLE stocks IN EXCLUSIVE MODE")


def load_stocks(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load many item-sites in one query; that one has no opening balance is remembered too."""
    tx.load(stocks, ids)


def find_stock(tx: Tx, stock_id: UUID) -> domain.Stock | None:
    """Return the stock of an item-site, locked, or None when it has no opening balance."""
    return tx.find(stocks, stock_id)


def save_stock(tx: Tx, stock: domain.Stock, entry: domain.Entry) -> None:
    """Keep a balance and add the entry that made it."""
    tx.save(stocks, stock)
    tx.append(tables.stock_entries, asdict(entry))


def load_inbound(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load many shipments on their way in one query."""
    tx.load(inbound, ids)


def find_inbound(tx: Tx, shipment_id: UUID) -> domain.InboundShipment | None:
    """Return a shipment on its way, locked, or None."""
    return tx.find(inbound, shipment_id)


def save_inbound(tx: Tx, shipment: domain.InboundShipment) -> None:
    """Keep a shipment on its way."""
    tx.save(inbound, shipment)


def load_demands(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load many orders in one query."""
    tx.load(demands, ids)


def find_demand(tx: Tx, order_id: UUID) -> domain.OrderDemand | None:
    """Return an order's demand, locked, or None."""
    return tx.find(demands, order_id)


def save_demand(tx: Tx, demand: domain.OrderDemand) -> None:
    """Keep an order's demand."""
    tx.save(demands, demand)


def find_expectation(tx: Tx, stock_id: UUID) -> domain.Expectation | None:
    """Return the published forecast of an item-site, locked, or None."""
    return tx.find(expectations, stock_id)


def save_expectation(tx: Tx, expectation: domain.Expectation) -> None:
    """Keep a published forecast."""
    tx.save(expectations, expectation)


def find_shortage(tx: Tx, stock_id: UUID) -> domain.Shortage | None:
    """Return what was said about an item-site's shortage, locked, or None."""
    return tx.find(shortages, stock_id)


def save_shortage(tx: Tx, shortage: domain.Shortage) -> None:
    """Keep what was said."""
    tx.save(shortages, shortage)


def load_shortages(tx: Tx, ids: Iterable[UUID]) -> None:
    """Lock and load what was said about many item-sites in one query."""
    tx.load(shortages, ids)
