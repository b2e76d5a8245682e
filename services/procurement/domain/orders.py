"""Purchase orders: what we asked a supplier for, and what the supplier said will come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from chassis.errors import Conflict, Invalid, NotFound
from schemas import procurement as events
from schemas.base import Event
from schemas.types import Cause, Money, subject_id


class RequestedLine(NamedTuple):
    """One line as it is ordered; `price` is per unit."""

    reference: str
    item: str
    quantity: Decimal
    needed_on: date
    price: Money | None = None


class Confirmation(NamedTuple):
    """What the supplier says about one line."""

    reference: str
    confirmed_on: date
    confirmed_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line with the day it is needed and the day that was confirmed, both kept."""

    position: int
    line_id: UUID
    reference: str
    item: str
    quantity: Decimal
    needed_on: date
    price: Money | None
    confirmed_on: date | None
    confirmed_quantity: Decimal | None


@dataclass(frozen=True, slots=True)
class PurchaseOrder:
    """An order with one supplier for one destination; one that came from a choice names its cause."""

    order_id: UUID
    source: str
    reference: str
    supplier: str
    destination: str
    cause: Cause | None
    alternative_id: UUID | None
    lines: tuple[OrderLine, ...]
    occurred_at: datetime
    recorded_at: datetime


class OrderKnown(Conflict):
    """The reference is taken by an order that is there already."""

    code = "order-known"


class OtherParty(Conflict):
    """A change may not move an order to another supplier or destination."""

    code = "other-party"


class UnknownOrderLine(NotFound):
    """The order has no such line."""

    code = "unknown-line"


class UnknownSupplier(Invalid):
    """Orders and terms are made with registered suppliers only."""

    code = "unknown-supplier"


def order_id(source: str, reference: str) -> UUID:
    """Return the id of a purchase order."""
    return subject_id("purchase-order", source, reference)


def place_order(
    existing: PurchaseOrder | None,
    *,
    source: str,
    reference: str,
    supplier: str,
    destination: str,
    lines: Sequence[RequestedLine],
    occurred_at: datetime,
    now: datetime,
    cause: Cause | None = None,
    alternative_id: UUID | None = None,
) -> tuple[PurchaseOrder, list[Event]]:
    """Place an order; raises OrderKnown where the reference is taken, Invalid without lines or with a line twice."""
    if existing is not None:
        raise OrderKnown(f"order {reference!r} of {source!r} is placed already; change it instead", field="reference")
    _refuse_twins(lines)
    order = PurchaseOrder(
        order_id(source, reference),
        source,
        reference,
        supplier,
        destination,
        cause,
        alternative_id,
        tuple(_line(source, reference, position, requested) for position, requested in enumerate(lines, 1)),
        occurred_at,
        now,
    )
    placed = events.OrderPlaced(**_fact(order), cause=cause, alternative_id=alternative_id)
    return order, [placed]


def change_order(
    order: PurchaseOrder, *, supplier: str, destination: str, lines: Sequence[RequestedLine], occurred_at: datetime
) -> tuple[PurchaseOrder, list[Event]]:
    """Add lines to an order, or change those of the same reference; says nothing when nothing changed.

    Raises OtherParty where supplier or destination differ. A changed line must be confirmed anew.
    """
    if (supplier, destination) != (order.supplier, order.destination):
        raise OtherParty(
            f"order {order.reference!r} is with {order.supplier!r} for {order.destination!r};"
            " a change cannot move it, place another one",
            field="supplier" if supplier != order.supplier else "destination",
        )
    _refuse_twins(lines)
    by_reference = {line.reference: line for line in order.lines}
    for requested in lines:
        before = by_reference.get(requested.reference)
        after = _line(order.source, order.reference, before.position if before else len(by_reference) + 1, requested)
        if before is None or replace(before, confirmed_on=None, confirmed_quantity=None) != after:
            by_reference[requested.reference] = after
    changed = replace(order, lines=tuple(by_reference.values()))
    if changed == order:
        return order, []
    return changed, [events.OrderChanged(**_fact(changed) | {"occurred_at": occurred_at})]


def confirm_order(
    order: PurchaseOrder, *, lines: Sequence[Confirmation], now: datetime
) -> tuple[PurchaseOrder, list[Event]]:
    """Write what the supplier said will come, and when; says nothing when nothing changed. Raises UnknownOrderLine."""
    confirmed = {line.reference: line for line in order.lines}
    for one in lines:
        line = confirmed.get(one.reference)
        if line is None:
            raise UnknownOrderLine(
                f"order {order.reference!r} has no line {one.reference!r}; it has {', '.join(sorted(confirmed)[:20])}",
                field="lines",
            )
        quantity = line.quantity if one.confirmed_quantity is None else one.confirmed_quantity
        confirmed[one.reference] = replace(line, confirmed_on=one.confirmed_on, confirmed_quantity=quantity)
    after = replace(order, lines=tuple(confirmed.values()))
    if after == order:
        return order, []
    return after, [events.OrderConfirmed(**_fact(after) | {"occurred_at": now})]


def _refuse_twins(lines: Sequence[RequestedLine]) -> None:
    if not lines:
        raise Invalid("the order has no lines; give at least one", field="lines")
    references = [line.reference for line in lines]
    if twins := sorted({r for r in references if references.count(r) > 1}):
        raise Invalid(f"line {twins[0]!r} is there twice; each line has a reference of its own", field="lines")


def _line(source: str, order: str, position: int, requested: RequestedLine) -> OrderLine:
    line_id = subject_id("purchase-order-line", source, f"{order}/{requested.reference}")
    return OrderLine(
        position,
        line_id,
        requested.reference,
        requested.item,
        requested.quantity,
        requested.needed_on,
        requested.price,
        None,
        None,
    )


def _fact(order: PurchaseOrder) -> dict[str, Any]:
    return {
        "occurred_at": order.occurred_at,
        "order_id": order.order_id,
        "source": order.source,
        "reference": order.reference,
        "supplier": order.supplier,
        "destination": order.destination,
        "lines": tuple(
            events.OrderLine(
                line_id=line.line_id,
                reference=line.reference,
                item=line.item,
                quantity=line.quantity,
                needed_on=line.needed_on,
                price=line.price,
                confirmed_on=line.confirmed_on,
                confirmed_quantity=line.confirmed_quantity,
            )
            for line in order.lines
        ),
    }
