"""HTTP in: acts and questions about shipments, carriers and lanes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from chassis.auth import Actor
from chassis.db import Tx
from chassis.ids import derived_id
from schemas.logistics import ShipmentLine
from schemas.types import Code, DelayReason, Instant, ItemCode, Money, Quantity, Reason, SiteCode, Text, subject_id
from services.logistics import domain, operations, queries

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


class Body(BaseModel):
    """Base of every body: a field that nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid")


class PlannedLine(Body):
    """One line to plan; order and purchase-order lines are named by their references at the same source."""

    reference: Code
    item: ItemCode
    quantity: Quantity
    value: Money
    promised_on: date
    order: Code | None = None
    order_line: Code | None = None
    customer: Code | None = None
    purchase_order: Code | None = None
    purchase_order_line: Code | None = None
    supplier: Code | None = None


class PlanShipment(Body):
    """A shipment to plan. Promised is the day at whose end, at the destination, silence makes it late."""

    source: Code = "crossdock"
    reference: Code
    destination: SiteCode
    promised_on: date
    lines: Annotated[list[PlannedLine], Field(min_length=1, max_length=domain.LINES_MAX)]
    carrier: Code | None = None
    mode: Code | None = None
    origin: Code | None = None


class PlanShipmentItem(http.Item, PlanShipment):
    """A shipment to plan, from a source."""


class ImportShipmentItem(PlanShipmentItem):
    """A shipment that is over: planned and received."""

    received_on: date


class RecordMilestone(Body):
    """What happened to a shipment or was said about it; an `estimated` one says when it is expected."""

    kind: domain.MilestoneKind
    occurred_at: Instant
    expected_at: Instant | None = None
    reason: DelayReason = "unknown"
    note: Text | None = None


class RecordMilestoneItem(http.Item, RecordMilestone):
    """A milestone from a source; `planned_by` names the source that planned the shipment, when it is another."""

    shipment: Code
    planned_by: Code | None = None


class MoveArrival(Body):
    """When the shipment is expected now, and why."""

    expected_at: Instant
    reason: DelayReason
    note: Text | None = None


class ReceiveShipment(Body):
    """The receipt, by local day or by instant."""

    received_on: date | None = None
    received_at: Instant | None = None


class ReceiveShipmentItem(http.Item, ReceiveShipment):
    """A receipt from a source."""

    shipment: Code
    planned_by: Code | None = None


class CancelShipment(Body):
    reason: Reason


class KeepCarrier(Body):
    code: Code
    name: Text
    active: bool = True


class KeepLane(Body):
    origin: Code
    destination: Code
    carrier: Code
    mode: Code
    transit_days: Annotated[int, Field(ge=0, le=400)]


class ShipmentRow(http.Shown):
    """A shipment in a list."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    shipment_id: UUID
    source: str
    reference: str
    carrier: str | None
    mode: str | None
    origin: str | None
    destination: str
    promised_on: date
    promised_at: datetime
    expected_at: datetime
    state: str
    told_basis: str | None
    told_provisional: bool
    first_delayed_at: datetime | None
    received_on: date | None
    verdict: str | None = Field(validation_alias="verdict_now")


class Line(BaseModel):
    line_id: UUID
    reference: str
    item: str
    quantity: Decimal
    value: Money
    promised_on: date
    order_id: UUID | None
    order_line_id: UUID | None
    customer: str | None
    purchase_order_line_id: UUID | None
    supplier: str | None


class MilestoneShown(BaseModel):
    milestone_id: UUID
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    expected_at: datetime | None
    reason: str
    note: str | None


class ShipmentWhole(ShipmentRow):
    """A shipment with what lies in the reader's scope of its lines; the rest is counted."""

    lines: list[Line]
    lines_out_of_scope: int
    milestones: list[MilestoneShown]


class Made(http.Shown):
    """What an act made or changed."""

    shipment_id: UUID
    reference: str
    state: str
    expected_at: datetime


class Figures(http.Shown):
    """What the delivery records add up to; shares are of recorded lines, four places."""

    lines: int
    shipments: int
    units: Decimal
    value: Decimal
    late_lines: int
    on_time_line_share: Decimal | None
    late_shipments: int
    delayed_shipments: int
    confirmed_late: int
    reported_late_only: int


class CarrierShown(http.Shown):
    model_config = ConfigDict(frozen=True, from_attributes=True)
    code: str
    name: str
    active: bool


class LaneShown(http.Shown):
    model_config = ConfigDict(frozen=True, from_attributes=True)
    lane_id: UUID
    origin: str
    destination: str
    carrier: str
    mode: str
    transit_days: int


class FindingShown(http.Shown):
    """A defect of a record: received in time and recorded late, or recorded before the day it names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    finding_id: UUID
    kind: Literal["recorded-late", "received-after-recording"]
    shipment_id: UUID
    reference: str
    destination: str
    occurred_at: datetime
    recorded_at: datetime
    detail: str


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


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


def _mine(act: http.Doing, shipment_id: UUID) -> UUID:
    """Return the id when the actor may act on this shipment; raises NotFound, Forbidden."""
    shipment = operations.get_shipment(act.tx, shipment_id=shipment_id)
    act.actor.must_see(site=shipment.destination)
    act.actor.must_own(source=shipment.source, carrier=shipment.carrier)
    return shipment_id


@router.act("/shipments", may="keep-shipments", status=201)
def plan_shipment(body: PlanShipment, act: http.Act) -> Made:
    """Plan a shipment with its lines."""
    act.actor.must_own(source=body.source)
    return _made(operations.plan_shipment(act.tx, **_plan(act.actor, body.source, body)))


@router.batch("/shipments:batch", may="keep-shipments", item=PlanShipmentItem)
def plan_shipments(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Plan up to 500 shipments of one source."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "reference"))

    def each(tx: Tx, item: PlanShipmentItem) -> UUID:
        return operations.plan_shipment(tx, **_plan(act.actor, body.source, item)).shipment_id

    return http.run_batch(act, body, door="plan-shipments", item=PlanShipmentItem, each=each)


@router.batch("/shipments:import", may="import", item=ImportShipmentItem)
def import_shipments(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Bring up to 500 completed shipments in as history: no timer, no delay, no case."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "reference"))

    def each(tx: Tx, item: ImportShipmentItem) -> UUID:
        plan = _plan(act.actor, body.source, item)
        return operations.import_shipment(tx, received_on=item.received_on, **plan).shipment_id

    return http.run_batch(act, body, door="import-shipments", item=ImportShipmentItem, each=each)


@router.act("/shipments/{shipment_id}/milestones", may="keep-milestones", status=201)
def record_milestone(shipment_id: UUID, body: RecordMilestone, act: http.Act) -> Made:
    """Record what happened to a shipment or was said about it."""
    milestone_id = derived_id("milestone", act.tx.context.causation_id)
    fields = body.model_dump()
    return _made(
        operations.record_milestone(act.tx, shipment_id=_mine(act, shipment_id), milestone_id=milestone_id, **fields)
    )


@router.batch("/milestones:batch", may="keep-milestones", item=RecordMilestoneItem)
def record_milestones(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Record up to 500 milestones, in whatever order they come."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "shipment"))

    def each(tx: Tx, item: RecordMilestoneItem) -> UUID:
        shipment_id = _mine(act, subject_id("shipment", item.planned_by or body.source, item.shipment))
        milestone_id = derived_id("milestone", body.source, item.key)
        fields = item.model_dump(exclude={"key", "known_at", "shipment", "planned_by"})
        return operations.record_milestone(tx, shipment_id=shipment_id, milestone_id=milestone_id, **fields).shipment_id

    return http.run_batch(act, body, door="record-milestones", item=RecordMilestoneItem, each=each)


@router.act("/shipments/{shipment_id}/expected-arrival", may="keep-milestones")
def move_arrival(shipment_id: UUID, body: MoveArrival, act: http.Act) -> Made:
    """Say when a shipment is expected now."""
    return _made(operations.move_arrival(act.tx, shipment_id=_mine(act, shipment_id), **body.model_dump()))


@router.act("/shipments/{shipment_id}/receive", may="keep-shipments")
def receive_shipment(shipment_id: UUID, body: ReceiveShipment, act: http.Act) -> Made:
    """Record a receipt."""
    return _made(operations.receive_shipment(act.tx, shipment_id=_mine(act, shipment_id), **body.model_dump()))


@router.batch("/receipts:batch", may="keep-shipments", item=ReceiveShipmentItem)
def receive_shipments(body: http.RawBatch, act: http.Act) -> http.BatchAnswer:
    """Record up to 500 receipts."""
    operations.load_shipments(act.tx, shipment_ids=_named(body, "shipment"))

    def each(tx: Tx, item: ReceiveShipmentItem) -> UUID:
        shipment_id = _mine(act, subject_id("shipment", item.planned_by or body.source, item.shipment))
        return operations.receive_shipment(
            tx, shipment_id=shipment_id, received_on=item.received_on, received_at=item.received_at
        ).shipment_id

    return http.run_batch(act, body, door="receive-shipments", item=ReceiveShipmentItem, each=each)


@router.act("/shipments/{shipment_id}/cancel", may="keep-shipments")
def cancel_shipment(shipment_id: UUID, body: CancelShipment, act: http.Act) -> Made:
    """Say that a shipment will not come."""
    return _made(operations.cancel_shipment(act.tx, shipment_id=_mine(act, shipment_id), reason=body.reason))


@router.act("/carriers", may="keep-carriers", status=201)
def keep_carrier(body: KeepCarrier, act: http.Act) -> CarrierShown:
    """Register a carrier or change it."""
    return CarrierShown.model_validate(operations.keep_carrier(act.tx, **body.model_dump()))


@router.act("/lanes", may="keep-carriers", status=201)
def keep_lane(body: KeepLane, act: http.Act) -> LaneShown:
    """Register a lane or change its transit time."""
    return LaneShown.model_validate(operations.keep_lane(act.tx, **body.model_dump()))


def _named(body: http.RawBatch, field: str) -> list[UUID]:
    """Return the ids of the shipments that a batch names, so that they are loaded in one query."""
    return [
        subject_id("shipment", str(raw.get("planned_by") or body.source), str(raw[field]))
        for raw in body.items
        if isinstance(raw.get(field), str)
    ]


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/shipments")
def list_shipments(
    ask: http.Question,
    state: str | None = None,
    destination: str | None = None,
    carrier: str | None = None,
    reference: str | None = None,
    verdict: str | None = None,
    promised_before: date | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[ShipmentRow]:
    """Return shipments in scope, by promised instant."""
    filters = {
        "state": state,
        "destination": destination,
        "carrier": carrier,
        "reference": reference,
        "verdict": verdict,
        "promised_before": promised_before,
    }
    last = ask.after(cursor, *filters.values())
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.shipments_by_promised_day(ask.read, ask.actor, **filters, after=after, limit=limit + 1)  # type: ignore[arg-type]  # each filter is typed above
    shown = [ShipmentRow.model_validate(row) for row in rows]
    page = ask.page(shown, lambda s: [s.promised_at.isoformat(), s.shipment_id], limit, *filters.values())
    return http.Page[ShipmentRow](**page)


@router.question("/shipments/{shipment_id}")
def show_shipment(shipment_id: UUID, ask: http.Question) -> ShipmentWhole:
    """Return a shipment with its lines and milestones."""
    found, lines, said = queries.shipment_with_lines(ask.read, shipment_id)
    ask.actor.must_see(site=found.destination)
    if ask.actor.is_machine:
        ask.actor.must_own(source=found.source, carrier=found.carrier)
    seen = [line for line in lines if ask.actor.sees(customer=line.customer)]
    return ShipmentWhole(
        **{**found._mapping, "verdict_now": found.verdict_now},
        lines=[
            Line(**{**line._mapping, "value": Money(amount=line.value_amount, currency=line.value_currency)})
            for line in seen
        ],
        lines_out_of_scope=len(lines) - len(seen),
        milestones=[MilestoneShown(**m._mapping) for m in said],
    )


@router.question("/figures")
def delivery_figures(ask: http.Question) -> Figures:
    """Return what the delivery records of this world add up to; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    found = dict(queries.delivery_figures(ask.read))
    received = found.pop("received_lines")
    share = (
        (1 - Decimal(found["late_lines"] or 0) / Decimal(received)).quantize(Decimal("0.0001")) if received else None
    )
    return Figures(**found, on_time_line_share=share)  # type: ignore[arg-type]  # SQL counts and sums


@router.question("/carriers")
def list_carriers(ask: http.Question, cursor: str | None = None, limit: Limit = 100) -> http.Page[CarrierShown]:
    """Return carriers in the order of their codes."""
    last = ask.after(cursor)
    rows = queries.carriers_by_code(ask.read, after=last[0] if last else None, limit=limit + 1)
    shown = [CarrierShown.model_validate(row) for row in rows]
    return http.Page[CarrierShown](**ask.page(shown, lambda c: [c.code], limit))


@router.question("/lanes")
def list_lanes(ask: http.Question, cursor: str | None = None, limit: Limit = 100) -> http.Page[LaneShown]:
    """Return lanes."""
    last = ask.after(cursor)
    rows = queries.lanes_by_origin(ask.read, after=UUID(last[0]) if last else None, limit=limit + 1)
    shown = [LaneShown.model_validate(row) for row in rows]
    return http.Page[LaneShown](**ask.page(shown, lambda lane: [lane.lane_id], limit))


@router.question("/findings")
def list_findings(
    ask: http.Question, kind: str | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[FindingShown]:
    """Return data-quality findings about shipments in scope, oldest first."""
    last = ask.after(cursor, kind)
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.findings_by_time(ask.read, ask.actor, kind=kind, after=after, limit=limit + 1)
    shown = [FindingShown.model_validate(row) for row in rows]
    page = ask.page(shown, lambda f: [f.recorded_at.isoformat(), f.finding_id], limit, kind)
    return http.Page[FindingShown](**page)
