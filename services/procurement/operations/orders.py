"""Purchase orders: one function per act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from chassis.persistence.database import Tx
from services.procurement import domain, metrics, repository
from services.procurement.operations.suppliers import registered_supplier


def place_order(
    tx: Tx,
    *,
    source: str,
    reference: str,
    supplier: str,
    destination: str,
    lines: Sequence[domain.RequestedLine],
    placed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Place a purchase order with a registered supplier; raises UnknownSupplier, OrderKnown, Invalid."""
    registered_supplier(tx, code=supplier)
    order, events = domain.place_order(
        repository.find_order(tx, domain.order_id(source, reference)),
        source=source,
        reference=reference,
        supplier=supplier,
        destination=destination,
        lines=lines,
        occurred_at=placed_at or tx.now,
        now=tx.now,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("placed"))
    return order


def change_order(
    tx: Tx,
    *,
    order_id: UUID,
    lines: Sequence[domain.RequestedLine],
    supplier: str | None = None,
    destination: str | None = None,
    changed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Add lines to a purchase order or change them; raises NotFound, OtherParty, Invalid."""
    before = repository.get_order(tx, order_id)
    order, events = domain.change_order(
        before,
        supplier=supplier or before.supplier,
        destination=destination or before.destination,
        lines=lines,
        occurred_at=changed_at or tx.now,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("changed" if events else "unchanged"))
    return order


def upsert_order(
    tx: Tx,
    *,
    source: str,
    reference: str,
    supplier: str,
    destination: str,
    lines: Sequence[domain.RequestedLine],
    placed_at: datetime | None = None,
) -> domain.PurchaseOrder:
    """Place an order, or add lines to the order that has the same reference of the source (FLOW 7.2)."""
    order_id = domain.order_id(source, reference)
    if repository.find_order(tx, order_id) is None:
        return place_order(
            tx,
            source=source,
            reference=reference,
            supplier=supplier,
            destination=destination,
            lines=lines,
            placed_at=placed_at,
        )
    return change_order(
        tx, order_id=order_id, lines=lines, supplier=supplier, destination=destination, changed_at=placed_at
    )


def confirm_order(tx: Tx, *, order_id: UUID, lines: Sequence[domain.Confirmation]) -> domain.PurchaseOrder:
    """Record what the supplier confirms, by line and day; raises NotFound, UnknownOrderLine."""
    order, events = domain.confirm_order(repository.get_order(tx, order_id), lines=lines, now=tx.now)
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.orders.labels("confirmed" if events else "unchanged"))
    return order


def get_order(tx: Tx, *, order_id: UUID) -> domain.PurchaseOrder:
    """Return a purchase order, locked; raises NotFound."""
    return repository.get_order(tx, order_id)


def load_orders(tx: Tx, *, order_ids: Iterable[UUID]) -> None:
    """Lock and load the orders that a batch will touch."""
    repository.load_orders(tx, order_ids)
