"""Entries of the stock ledger."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.inventory import EntryKind
from schemas.types import By
from services.inventory import domain, metrics, repository
from services.inventory.operations.shortages import predict_shortages


def record_entry(
    tx: Tx,
    *,
    entry_id: UUID,
    item: str,
    site: str,
    kind: EntryKind,
    quantity: Decimal,
    occurred_at: datetime | None = None,
    reason: str | None = None,
    by: By | None = None,
    order_line_id: UUID | None = None,
    predict: bool = True,
) -> domain.Stock:
    """Add an entry to the ledger of an item at a site and project its stock again.

    A batch passes `predict=False` and projects once at its end.

    Raises UnknownItem, UnknownSite and the ledger's errors.
    """
    if repository.read_item(tx, item) is None:
        raise domain.UnknownItem(f"item {item!r} is not registered; register it first", field="item")
    if repository.read_site(tx, site) is None:
        raise domain.UnknownSite(f"site {site!r} is not registered; register it first", field="site")
    if kind == "opening":
        repository.lock_stocks_for_opening(tx)
    stock = add_entry(
        tx,
        item=item,
        site=site,
        kind=kind,
        quantity=quantity,
        entry_id=entry_id,
        occurred_at=occurred_at or tx.now,
        reason=reason,
        by=by,
        order_line_id=order_line_id,
    )
    if predict:
        predict_shortages(tx, stock_ids=[stock.stock_id], reason=f"{kind} of {item} at {site}")
    return stock


def add_entry(
    tx: Tx,
    *,
    item: str,
    site: str,
    kind: EntryKind,
    quantity: Decimal,
    entry_id: UUID,
    occurred_at: datetime,
    reason: str | None = None,
    by: By | None = None,
    order_line_id: UUID | None = None,
    shipment_line_id: UUID | None = None,
) -> domain.Stock:
    """Add an entry, save the balance and emit the change; raises what the ledger refuses."""
    before = repository.find_stock(tx, domain.stock_id(item, site))
    stock, entry, events = domain.record_entry(
        before,
        entry_id=entry_id,
        item=item,
        site=site,
        kind=kind,
        quantity=quantity,
        occurred_at=occurred_at,
        now=tx.now,
        reason=reason,
        by=by,
        order_line_id=order_line_id,
        shipment_line_id=shipment_line_id,
    )
    repository.save_stock(tx, stock, entry)
    tx.emit(events)
    tx.count(metrics.entries_total.labels(kind))
    if stock.on_hand < 0:
        tx.count(metrics.negative_balances_total)
    return stock
