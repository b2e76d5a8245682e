"""What goes in and what comes out over HTTP, and the router that both halves share."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from chassis.http import Body
from schemas.types import Code, DelayReason, Instant, ItemCode, Money, Quantity, Reason, SiteCode, Text
from services.logistics import domain

router = http.Router()


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


class ShipmentRow(http.Response):
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


class Made(http.Response):
    """What an act made or changed."""

    shipment_id: UUID
    reference: str
    state: str
    expected_at: datetime


class Figures(http.Response):
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


class CarrierShown(http.Response):
    model_config = ConfigDict(frozen=True, from_attributes=True)
    code: str
    name: str
    active: bool


class LaneShown(http.Response):
    model_config = ConfigDict(frozen=True, from_attributes=True)
    lane_id: UUID
    origin: str
    destination: str
    carrier: str
    mode: str
    transit_days: int


class FindingShown(http.Response):
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
