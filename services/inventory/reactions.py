"""What inventory does when it hears of shipments, orders and forecasts: it keeps the fact and looks again."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from schemas.forecast import DemandPublished
from schemas.logistics import (
    ShipmentCancelled,
    ShipmentDelay,
    ShipmentDelayed,
    ShipmentExtended,
    ShipmentPlanned,
    ShipmentReceived,
    ShipmentRecovered,
)
from schemas.sales import OrderCancelled, OrderChanged, OrderFact, OrderPlaced, PromiseRevised
from services.inventory import operations

reactions = Reactions()


@reactions.on(ShipmentPlanned, loads=operations.load_for_shipments)
def when_shipment_planned_keep_inbound(tx: Tx, event: ShipmentPlanned) -> None:
    """Something is on its way."""
    operations.upsert_inbound(
        tx,
        shipment_id=event.shipment_id,
        destination=event.destination,
        lines=event.lines,
        occurred_at=event.occurred_at,
        expected_at=event.expected_at,
        reason=f"shipment {event.reference} is planned",
    )


@reactions.on(ShipmentDelayed, loads=operations.load_for_shipments)
def when_shipment_delayed_move_inbound(tx: Tx, event: ShipmentDelayed) -> None:
    """It will come later, or nobody knows when: a shortage that follows inherits the delay's cause (FLOW 3.4)."""
    _move_inbound(tx, event, f"shipment {event.reference} is delayed")


@reactions.on(ShipmentExtended, loads=operations.load_for_shipments)
def when_shipment_extended_move_inbound(tx: Tx, event: ShipmentExtended) -> None:
    """It will come later still."""
    _move_inbound(tx, event, f"the delay of shipment {event.reference} changed")


def _move_inbound(tx: Tx, event: ShipmentDelay, reason: str) -> None:
    operations.upsert_inbound(
        tx,
        shipment_id=event.shipment_id,
        destination=event.destination,
        lines=event.lines,
        occurred_at=event.occurred_at,
        expected_at=event.expected_at,
        reason=reason,
        cause=event.cause,
        cause_occurred_at=event.cause_occurred_at,
    )


@reactions.on(ShipmentRecovered, loads=operations.load_for_shipments)
def when_shipment_recovered_move_inbound(tx: Tx, event: ShipmentRecovered) -> None:
    """It is expected in time again: a shortage that it caused may be over."""
    operations.upsert_inbound(
        tx,
        shipment_id=event.shipment_id,
        destination=event.destination,
        lines=event.lines,
        occurred_at=event.occurred_at,
        expected_at=event.expected_at,
        reason=f"shipment {event.reference} is expected in time again",
        cause=event.cause,
    )


@reactions.on(ShipmentReceived, loads=operations.load_for_shipments)
def when_shipment_received_enter_receipt(tx: Tx, event: ShipmentReceived) -> None:
    """It is here: off what is coming, into the ledger."""
    operations.receive_inbound(
        tx,
        shipment_id=event.shipment_id,
        destination=event.destination,
        lines=event.lines,
        occurred_at=event.occurred_at,
        received_on=event.received_on,
        received_at=event.received_at,
        reason=f"shipment {event.reference} was received",
    )


@reactions.on(ShipmentCancelled, loads=operations.load_for_shipments)
def when_shipment_cancelled_drop_inbound(tx: Tx, event: ShipmentCancelled) -> None:
    """It will not come."""
    operations.cancel_inbound(
        tx,
        shipment_id=event.shipment_id,
        destination=event.destination,
        lines=event.lines,
        occurred_at=event.occurred_at,
        reason=f"shipment {event.reference} was cancelled",
        cause=event.cause,
    )


@reactions.on(OrderPlaced, loads=operations.load_for_orders)
def when_order_placed_keep_demand(tx: Tx, event: OrderPlaced) -> None:
    """A customer asks for something by a promised day."""
    operations.upsert_demand(
        tx,
        order_id=event.order_id,
        site=event.site,
        lines=event.lines,
        occurred_at=event.occurred_at,
        reason=_reason(event, "was placed"),
    )


@reactions.on(OrderChanged, loads=operations.load_for_orders)
def when_order_changed_keep_demand(tx: Tx, event: OrderChanged) -> None:
    """The lines are all of them as they are now."""
    operations.upsert_demand(
        tx,
        order_id=event.order_id,
        site=event.site,
        lines=event.lines,
        occurred_at=event.occurred_at,
        reason=_reason(event, "was changed"),
    )


@reactions.on(OrderCancelled, loads=operations.load_for_orders)
def when_order_cancelled_drop_demand(tx: Tx, event: OrderCancelled) -> None:
    """A cancelled order asks for nothing."""
    operations.upsert_demand(
        tx,
        order_id=event.order_id,
        site=event.site,
        lines=(),
        occurred_at=event.occurred_at,
        reason=_reason(event, "was cancelled"),
    )


def _reason(event: OrderFact, what: str) -> str:
    return f"order {event.reference} {what}"


@reactions.on(PromiseRevised, loads=operations.load_for_promises)
def when_promise_revised_move_demand(tx: Tx, event: PromiseRevised) -> None:
    """Demand stands on the day that is promised now."""
    operations.move_demand(
        tx,
        order_id=event.order_id,
        line_id=event.order_line_id,
        promised_on=event.promised_on,
        reason=f"a promise moved to {event.promised_on.isoformat()}",
        cause=event.cause,
    )


@reactions.on(DemandPublished, loads=operations.load_for_forecasts)
def when_demand_published_keep_expectation(tx: Tx, event: DemandPublished) -> None:
    """A new forecast moves the projection."""
    operations.upsert_expectation(
        tx,
        item=event.item,
        site=event.site,
        published=event.version,
        weeks=event.weeks,
        occurred_at=event.occurred_at,
        reason=f"forecast {event.version} was published",
    )
