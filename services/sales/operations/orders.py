"""Customers, orders and the promise ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from uuid import UUID

from chassis.errors import NotFound
from chassis.persistence.database import Tx
from schemas.logistics import ShipmentReceived
from schemas.types import By, Tier
from services.sales import domain, metrics, queries, repository
from services.sales.settings import SalesSettings


def load_customers(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the customers that a batch will touch."""
    repository.load_customers(tx, [domain.customer_id_of(code) for code in codes])


def load_orders(tx: Tx, *, source: str, references: Iterable[str], customers: Iterable[str]) -> None:
    """Lock and load what a batch of orders will touch: their customers, then the orders that exist."""
    load_customers(tx, codes=customers)
    repository.load_orders(tx, [domain.order_id_of(source, reference) for reference in references])


def find_customer(tx: Tx, *, code: str) -> domain.Customer | None:
    """Return a customer, locked, or None."""
    return repository.find_customer(tx, domain.customer_id_of(code))


def upsert_customer(
    tx: Tx, *, code: str, name: str, tier: Tier, contact: str | None, zone: str, source: str
) -> domain.Customer:
    """Register a customer or change it; raises ZoneUnknown."""
    customer = domain.upsert_customer(
        find_customer(tx, code=code),
        code=code,
        name=name,
        tier=tier,
        contact=contact,
        zone=zone,
        source=source,
        now=tx.now,
    )
    repository.save_customer(tx, customer)
    return customer


# ── orders ───────────────────────────────────────────────────────────────────────────────────────


def find_order(tx: Tx, *, source: str, reference: str) -> domain.Order | None:
    """Return an order by its source and reference, locked, or None."""
    return repository.find_order(tx, domain.order_id_of(source, reference))


def place_order(
    tx: Tx, *, source: str, reference: str, customer: str, site: str, lines: Sequence[domain.NewLine]
) -> domain.Order:
    """Place an order with the first promise of each line; raises OrderKnown, CustomerUnknown, LinesMissing."""
    current = find_order(tx, source=source, reference=reference)
    if current is not None:
        raise domain.OrderKnown(
            f"order {reference!r} of source {source!r} is known; add lines to it by POST /orders/{current.order_id}/lines",
            field="reference",
        )
    return _place(tx, source=source, reference=reference, customer=customer, site=site, lines=lines)


def upsert_order(
    tx: Tx, *, source: str, reference: str, customer: str, site: str, lines: Sequence[domain.NewLine]
) -> domain.Order:
    """Place an order, or add lines to the one that is known (FLOW 7.2); raises what either raises."""
    current = find_order(tx, source=source, reference=reference)
    if current is None:
        return _place(tx, source=source, reference=reference, customer=customer, site=site, lines=lines)
    return change_order(tx, order_id=current.order_id, lines=lines, customer=customer, site=site)


def change_order(
    tx: Tx,
    *,
    order_id: UUID,
    lines: Sequence[domain.NewLine],
    customer: str | None = None,
    site: str | None = None,
) -> domain.Order:
    """Add lines to an order or correct what they say; raises NotFound, OrderIsCancelled, PromiseIsKept."""
    order = repository.get_order(tx, order_id)
    changed, events = domain.change_order(
        order, customer=customer or order.customer, site=site or order.site, lines=lines, now=tx.now
    )
    domain.must_not_exceed(changed, lines_max=_settings().sales_order_lines_max)
    repository.save_order(tx, changed)
    tx.emit(events)
    return changed


def cancel_order(tx: Tx, *, order_id: UUID, reason: str) -> domain.Order:
    """Cancel an order; raises NotFound, OrderIsCancelled."""
    order, events = domain.cancel_order(repository.get_order(tx, order_id), reason=reason, now=tx.now)
    repository.save_order(tx, order)
    tx.emit(events)
    return order


def confirm_line(tx: Tx, *, order_line_id: UUID, confirmed_on: date) -> domain.Order:
    """Write the confirmed day of a line; raises NotFound, OrderIsCancelled."""
    order = domain.confirm_line(
        get_order_of_line(tx, order_line_id=order_line_id), order_line_id=order_line_id, confirmed_on=confirmed_on
    )
    repository.save_order(tx, order)
    return order


def get_order(tx: Tx, *, order_id: UUID) -> domain.Order:
    """Return an order, locked; raises NotFound."""
    return repository.get_order(tx, order_id)


def get_order_of_line(tx: Tx, *, order_line_id: UUID) -> domain.Order:
    """Return the order that has this line, locked; raises NotFound."""
    order_id = queries.order_of_line(tx, order_line_id)
    if order_id is None:
        raise NotFound(f"no order line {order_line_id} is known here; check the id, or list orders by reference")
    return repository.get_order(tx, order_id)


def load_orders_received(tx: Tx, events: Sequence[ShipmentReceived]) -> None:
    """Lock and load the orders whose lines have come."""
    repository.load_orders(tx, {line.order_id for event in events for line in event.lines if line.order_id})


def record_actual(tx: Tx, *, receipt: ShipmentReceived) -> None:
    """Write the day on which order lines came; lines that are not ordered here are left out."""
    received: dict[UUID, dict[UUID, Decimal]] = {}
    for line in receipt.lines:
        if line.order_id is not None and line.order_line_id is not None:
            parts = received.setdefault(line.order_id, {})
            parts[line.order_line_id] = parts.get(line.order_line_id, Decimal(0)) + line.quantity
    for order_id, parts in received.items():
        order = repository.find_order(tx, order_id)
        if order is not None:
            repository.save_order(tx, domain.record_actual(order, received=parts, actual_on=receipt.received_on))


# ── the ledger ───────────────────────────────────────────────────────────────────────────────────


def revise_promise(
    tx: Tx, *, order_line_id: UUID, promised_on: date, reason: str, by: By, expected_version: int | None = None
) -> domain.Order:
    """Move a promise by hand; raises NotFound, PromiseMoved, OrderIsCancelled."""
    order, events = domain.revise_promise(
        get_order_of_line(tx, order_line_id=order_line_id),
        order_line_id=order_line_id,
        promised_on=promised_on,
        reason=reason,
        by=by,
        expected_version=expected_version,
        now=tx.now,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.promises_revised.labels("person"), len(events))
    return order


def state_promise(
    tx: Tx, *, order_line_id: UUID, statement_id: UUID, stated_on: date, version: int
) -> domain.Statement:
    """Record what somebody says about a promise; the door refuses one that contradicts, after it was counted."""
    order = get_order_of_line(tx, order_line_id=order_line_id)
    statement = domain.state_promise(
        order,
        statement_id=statement_id,
        order_line_id=order_line_id,
        stated_on=stated_on,
        version=version,
        channel="person",
        now=tx.now,
    )
    record_statement(tx, order=order, statement=statement)
    return statement


def record_statement(tx: Tx, *, order: domain.Order, statement: domain.Statement) -> None:
    """Keep a statement and what the customer has heard by it."""
    repository.add_statement(tx, statement)
    repository.save_order(tx, domain.with_stated_day(order, statement))
    tx.count(metrics.statements.labels("contradictory" if statement.contradicts else "agreed"))


def _place(
    tx: Tx, *, source: str, reference: str, customer: str, site: str, lines: Sequence[domain.NewLine]
) -> domain.Order:
    if repository.find_customer(tx, domain.customer_id_of(customer)) is None:
        raise domain.CustomerUnknown(
            f"customer {customer!r} is not known here; register it by POST /customers first", field="customer"
        )
    order, events = domain.place_order(
        source=source, reference=reference, customer=customer, site=site, lines=lines, now=tx.now
    )
    domain.must_not_exceed(order, lines_max=_settings().sales_order_lines_max)
    repository.save_order(tx, order)
    tx.emit(events)
    return order


@cache
def _settings() -> SalesSettings:
    return SalesSettings()
