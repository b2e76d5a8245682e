"""Acts: plan, say what happened, receive, cancel; one by one and by 500."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis import http
from chassis.http.auth import Actor
from chassis.ids import derived_id
from chassis.persistence.database import Tx
from schemas.logistics import ShipmentLine
from schemas.types import subject_id
from services.logistics import domain, operations
from services.logistics.api.shapes import (
    CancelShipment,
    CarrierShown,
    ImportShipmentItem,
    KeepCarrier,
    KeepLane,
    LaneShown,
    Made,
    MoveArrival,
    PlannedLine,
    PlanShipment,
    PlanShipmentItem,
    ReceiveShipment,
    ReceiveShipmentItem,
    RecordMilestone,
    RecordMilestoneItem,
    router,
)


def _line(source: str, shipment: str, line: PlannedLine) -> ShipmentLine:
    def named(kind: str, whole: str | None, part: str | None) -> UUID | None:
        return subject_id(kind, source, f"{whole}/{part}") if whole and part else None

    return ShipmentLine(
        line_id=subject_id("shipment-line", source, f"{shipment}/{line.reference}"),
        reference=line.reference,
        item=line.item,
        quantity=line.quantity,
        value=line.value,
        promised_on=line.promised_on,
        order_id=subject_id("order", source, line.order) if line.order else None,
        order_line_id=named("order-line", line.order, line.order_line),
        customer=line.customer,
        purchase_order_id=subject_id("purchase-order", source, line.purchase_order) if line.purchase_order else None,
        purchase_order_line_id=named("purchase-order-line", line.purchase_order, line.purchase_order_line),
        supplier=line.supplier,
    )


def _plan(actor: Actor, source: str, body: PlanShipment) -> dict[str, Any]:
    actor.must_see(site=body.destination)
    for line in body.lines:
        if line.customer is not None:
            actor.must_see(customer=line.customer)
    return {
        "source": source,
        "reference": body.reference,
        "destination": body.destination,
        "promised_on": body.promised_on,
        "lines": [_line(source, body.reference, line) for line in body.lines],
        "carrier": body.carrier,
        "mode": body.mode,
        "origin": body.origin,
    }


def _made(shipment: domain.Shipment) -> Made:
    return Made(
        shipment_id=shipment.shipment_id,
        reference=shipment.reference,
        state=shipment.state,
        expected_at=shipment.expected_at,
    )


def must_see_shipment(actor: Actor, destination: str, customers: Sequence[str | None]) -> None:
    """Raise Forbidden unless the destination and the customer of one of the lines are in scope (FLOW 4.3)."""
    actor.must_see_any(sites=(destination,), customers=customers)


def _mine(act: http.ActContext, shipment_id: UUID) -> UUID:
    """Return the id when the actor may act on this shipment; raises NotFound, Forbidden."""
    shipment = operations.get_shipment(act.tx, shipment_id=shipment_id)
    must_see_shipment(act.actor, shipment.destination, [line.customer for line in shipment.lines])
    act.actor.must_own(source=shipment.source)
    return shipment_id


def _carried(act: http.ActContext, shipment_id: UUID) -> UUID:
    """Return the id when the actor may say where this shipment is: its carrier too; raises NotFound, Forbidden."""
    shipment = operations.get_shipment(act.tx, shipment_id=shipment_id)
    must_see_shipment(act.actor, shipment.destination, [line.customer for line in shipment.lines])
    act.actor.must_own(source=shipment.source, carrier=shipment.carrier)
    return shipment_id


@router.act("/shipments", may="keep-shipments", status=201)
def plan_shipment(body: PlanShipment, act: http.ActContext) -> Made:
    """Plan a shipment with its lines."""
    act.actor.must_own(source=body.source)
    return _made(operations.plan_shipment(act.tx, **_plan(act.actor, body.source, body)))


@router.batch("/shipments:batch", may="keep-shipments", item=PlanShipmentItem)
def plan_shipments(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Plan up to 500 shipments of one source."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "reference"))

    def each(tx: Tx, item: PlanShipmentItem) -> UUID:
        return operations.plan_shipment(tx, **_plan(act.actor, body.source, item)).shipment_id

    return http.run_batch(act, body, door="plan-shipments", item=PlanShipmentItem, each=each)


@router.batch("/shipments:import", may="import", item=ImportShipmentItem)
def import_shipments(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Bring up to 500 completed shipments in as history: no timer, no delay, no case."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "reference"))

    def each(tx: Tx, item: ImportShipmentItem) -> UUID:
        plan = _plan(act.actor, body.source, item)
        return operations.import_shipment(tx, received_on=item.received_on, **plan).shipment_id

    return http.run_batch(act, body, door="import-shipments", item=ImportShipmentItem, each=each)


@router.act("/shipments/{shipment_id}/milestones", may="keep-milestones", status=201)
def record_milestone(shipment_id: UUID, body: RecordMilestone, act: http.ActContext) -> Made:
    """Record what happened to a shipment or was said about it."""
    milestone_id = derived_id("milestone", act.tx.context.causation_id)
    fields = body.model_dump()
    return _made(
        operations.record_milestone(act.tx, shipment_id=_carried(act, shipment_id), milestone_id=milestone_id, **fields)
    )


@router.batch("/milestones:batch", may="keep-milestones", item=RecordMilestoneItem)
def record_milestones(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Record up to 500 milestones, in whatever order they come."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "shipment"))

    def each(tx: Tx, item: RecordMilestoneItem) -> UUID:
        shipment_id = _carried(act, subject_id("shipment", item.planned_by or body.source, item.shipment))
        milestone_id = derived_id("milestone", body.source, item.key)
        fields = item.model_dump(exclude={"key", "known_at", "shipment", "planned_by"})
        return operations.record_milestone(tx, shipment_id=shipment_id, milestone_id=milestone_id, **fields).shipment_id

    return http.run_batch(act, body, door="record-milestones", item=RecordMilestoneItem, each=each)


@router.act("/shipments/{shipment_id}/expected-arrival", may="keep-milestones")
def move_arrival(shipment_id: UUID, body: MoveArrival, act: http.ActContext) -> Made:
    """Say when a shipment is expected now."""
    return _made(operations.move_arrival(act.tx, shipment_id=_carried(act, shipment_id), **body.model_dump()))


@router.act("/shipments/{shipment_id}/receive", may="keep-shipments")
def receive_shipment(shipment_id: UUID, body: ReceiveShipment, act: http.ActContext) -> Made:
    """Record a receipt."""
    return _made(operations.receive_shipment(act.tx, shipment_id=_mine(act, shipment_id), **body.model_dump()))


@router.batch("/receipts:batch", may="keep-shipments", item=ReceiveShipmentItem)
def receive_shipments(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Record up to 500 receipts."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "shipment"))

    def each(tx: Tx, item: ReceiveShipmentItem) -> UUID:
        shipment_id = _mine(act, subject_id("shipment", item.planned_by or body.source, item.shipment))
        return operations.receive_shipment(
            tx, shipment_id=shipment_id, received_on=item.received_on, received_at=item.received_at
        ).shipment_id

    return http.run_batch(act, body, door="receive-shipments", item=ReceiveShipmentItem, each=each)


@router.act("/shipments/{shipment_id}/cancel", may="keep-shipments")
def cancel_shipment(shipment_id: UUID, body: CancelShipment, act: http.ActContext) -> Made:
    """Say that a shipment will not come."""
    return _made(operations.cancel_shipment(act.tx, shipment_id=_mine(act, shipment_id), reason=body.reason))


@router.act("/carriers", may="keep-carriers", status=201)
def keep_carrier(body: KeepCarrier, act: http.ActContext) -> CarrierShown:
    """Register a carrier or change it."""
    return CarrierShown.model_validate(operations.upsert_carrier(act.tx, **body.model_dump()))


@router.act("/lanes", may="keep-carriers", status=201)
def keep_lane(body: KeepLane, act: http.ActContext) -> LaneShown:
    """Register a lane or change its transit time."""
    return LaneShown.model_validate(operations.upsert_lane(act.tx, **body.model_dump()))


def _named(body: http.RawBatch, field: str) -> list[UUID]:
    """Return the ids of the shipments that a batch names, so that they are loaded in one query."""
    return [
        subject_id("shipment", str(raw.get("planned_by") or body.source), str(raw[field]))
        for raw in body.items
        if isinstance(raw.get(field), str)
    ]
