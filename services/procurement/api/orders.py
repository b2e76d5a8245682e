"""Purchase orders over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis import http
from chassis.http import Body
from chassis.http.auth import Actor
from chassis.persistence.database import Tx
from schemas.types import Cause, Code, Instant, ItemCode, Money, Quantity, Sensitive, SiteCode, SupplierCode
from services.procurement import domain, operations, queries
from services.procurement.api.bodies import Limit, money
from services.procurement.api.suppliers import named

router = http.Router()
LINES_MAX = 500


class AskedLine(Body):
    """One line to order; the price is per unit."""

    reference: Code
    item: ItemCode
    quantity: Quantity
    needed_on: date
    price: Money | None = None

    def asked(self) -> domain.RequestedLine:
        """Return the line as the domain knows it."""
        return domain.RequestedLine(self.reference, self.item, self.quantity, self.needed_on, self.price)


Lines = Annotated[list[AskedLine], Field(min_length=1, max_length=LINES_MAX)]


class PlaceOrder(Body):
    """A purchase order to place with a registered supplier."""

    source: Code = "crossdock"
    reference: Code
    supplier: SupplierCode
    destination: SiteCode
    lines: Lines
    placed_at: Instant | None = None


class PlaceOrderItem(http.Item):
    """A purchase order from a source; a known reference under a new key adds its lines to the order."""

    reference: Code
    supplier: SupplierCode
    destination: SiteCode
    lines: Lines
    placed_at: Instant | None = None


class ChangeOrder(Body):
    """Lines to add, or to change where their reference is known."""

    lines: Lines


class ConfirmedLine(Body):
    """What the supplier says about one line; without a quantity all of it."""

    reference: Code
    confirmed_on: date
    confirmed_quantity: Quantity | None = None


class ConfirmOrder(Body):
    lines: Annotated[list[ConfirmedLine], Field(min_length=1, max_length=LINES_MAX)]


class ConfirmOrderItem(http.Item, ConfirmOrder):
    """A confirmation from a supplier's system; `placed_by` is the source that placed the order."""

    order: Code
    placed_by: Code = "crossdock"


class OrderMade(http.Response):
    order_id: UUID
    source: str
    reference: str
    lines: int


class OrderRow(http.Response):
    """A purchase order in a list."""

    order_id: UUID
    source: str
    reference: str
    supplier: str
    destination: str
    cause: Cause | None
    alternative_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    lines: int


class LineShown(http.Response):
    """A line with all its dates: needed, confirmed, received."""

    line_id: UUID
    reference: str
    item: str
    quantity: Decimal
    needed_on: date
    price: Annotated[Money | None, Sensitive("cost")]
    confirmed_on: date | None
    confirmed_quantity: Decimal | None
    received_on: date | None


class OrderWhole(http.Response):
    """A purchase order with its lines."""

    order_id: UUID
    source: str
    reference: str
    supplier: str
    destination: str
    cause: Cause | None
    alternative_id: UUID | None
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[LineShown, ...]


def _made(order: domain.PurchaseOrder) -> OrderMade:
    return OrderMade(order_id=order.order_id, source=order.source, reference=order.reference, lines=len(order.lines))


def _may_touch(actor: Actor, order: domain.PurchaseOrder) -> None:
    """Raise Forbidden unless the scope holds the order's destination and a machine owns it."""
    actor.must_own(source=order.source)
    actor.must_see(site=order.destination)


def _keep(actor: Actor, source: str, tx: Tx, item: PlaceOrderItem) -> UUID:
    actor.must_see(site=item.destination)
    order = operations.upsert_order(
        tx,
        source=source,
        reference=item.reference,
        supplier=item.supplier,
        destination=item.destination,
        lines=[line.asked() for line in item.lines],
        placed_at=item.placed_at,
    )
    return order.order_id


def _confirm(actor: Actor, tx: Tx, order_id: UUID, body: ConfirmOrder) -> domain.PurchaseOrder:
    order = operations.get_order(tx, order_id=order_id)
    actor.must_own(supplier=order.supplier)
    actor.must_see(site=order.destination)
    lines = [domain.Confirmation(one.reference, one.confirmed_on, one.confirmed_quantity) for one in body.lines]
    return operations.confirm_order(tx, order_id=order_id, lines=lines)


@router.act("/orders", may="keep-purchase-orders", status=201)
def place_order(body: PlaceOrder, act: http.ActContext) -> OrderMade:
    """Place a purchase order."""
    act.actor.must_own(source=body.source)
    act.actor.must_see(site=body.destination)
    order = operations.place_order(
        act.tx,
        source=body.source,
        reference=body.reference,
        supplier=body.supplier,
        destination=body.destination,
        lines=[line.asked() for line in body.lines],
        placed_at=body.placed_at,
    )
    return _made(order)


@router.batch("/orders:batch", may="keep-purchase-orders", item=PlaceOrderItem)
def keep_orders(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Place up to 500 purchase orders of one source, or add lines to those that are placed."""
    operations.load_orders(act.tx, order_ids=[domain.order_id(body.source, name) for name in named(body, "reference")])
    operations.load_suppliers(act.tx, codes=named(body, "supplier"))
    return http.run_batch(
        act,
        body,
        door="keep-orders",
        item=PlaceOrderItem,
        each=lambda tx, item: _keep(act.actor, body.source, tx, item),
    )


@router.act("/orders/{order_id}/change", may="keep-purchase-orders")
def change_order(order_id: UUID, body: ChangeOrder, act: http.ActContext) -> OrderMade:
    """Add lines to a purchase order, or change them; a changed line must be confirmed anew."""
    order = operations.get_order(act.tx, order_id=order_id)
    _may_touch(act.actor, order)
    return _made(operations.change_order(act.tx, order_id=order_id, lines=[line.asked() for line in body.lines]))


@router.act("/orders/{order_id}/confirm", may="confirm-purchase-orders")
def confirm_order(order_id: UUID, body: ConfirmOrder, act: http.ActContext) -> OrderMade:
    """Write what the supplier says will come, and when; by procurement, or by the supplier's own system."""
    return _made(_confirm(act.actor, act.tx, order_id, body))


@router.batch("/confirmations:batch", may="confirm-purchase-orders", item=ConfirmOrderItem)
def confirm_orders(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Write up to 500 confirmations of a supplier's system."""
    wanted = [
        domain.order_id(str(raw.get("placed_by", "crossdock")), raw["order"])
        for raw in body.items
        if isinstance(raw.get("order"), str)
    ]
    operations.load_orders(act.tx, order_ids=wanted)

    def each(tx: Tx, item: ConfirmOrderItem) -> UUID:
        return _confirm(act.actor, tx, domain.order_id(item.placed_by, item.order), item).order_id

    return http.run_batch(act, body, door="confirm-orders", item=ConfirmOrderItem, each=each)


@router.question("/orders", topic="procurement.order")
def list_orders(
    ask: http.QueryContext,
    supplier: str | None = None,
    destination: str | None = None,
    source: str | None = None,
    reference: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[OrderRow]:
    """Return purchase orders in scope, in the order in which they became known."""
    question = (supplier, destination, source, reference)
    last = ask.after(cursor, *question)
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.orders_by_recording(
        ask.read,
        ask.actor,
        supplier=supplier,
        destination=destination,
        source=source,
        reference=reference,
        after=after,
        limit=limit + 1,
    )
    shown = [
        OrderRow(**{name: row._mapping[name] for name in OrderRow.model_fields if name != "masked"}) for row in rows
    ]
    return http.Page[OrderRow](**ask.page(shown, lambda o: [o.recorded_at.isoformat(), o.order_id], limit, *question))


@router.question("/orders/{order_id}", topic="procurement.order")
def show_order(order_id: UUID, ask: http.QueryContext) -> OrderWhole:
    """Return a purchase order with its lines and all their dates."""
    found, lines = queries.order_with_lines(ask.read, order_id)
    ask.actor.must_be_theirs(source=found.source, supplier=found.supplier)
    ask.actor.must_see(site=found.destination)
    kept = ("masked", "lines", "price")
    return OrderWhole(
        **{name: found._mapping[name] for name in OrderWhole.model_fields if name not in kept},
        lines=tuple(
            LineShown(
                price=money(line._mapping, "price"),
                **{name: line._mapping[name] for name in LineShown.model_fields if name not in kept},
            )
            for line in lines
        ),
    )
