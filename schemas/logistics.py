"""Facts of logistics: what is on the way, and whether it will come when it was promised."""

from __future__ import annotations

from datetime import date
from typing import Literal
from uuid import UUID

from schemas.base import Event
from schemas.types import (
    Cause,
    Code,
    CustomerCode,
    DelayReason,
    Instant,
    ItemCode,
    Money,
    Quantity,
    SiteCode,
    SupplierCode,
    Text,
    Word,
)

DelayBasis = Literal["reported", "overdue"]
Verdict = Literal["late", "in-time"]


class ShipmentLine(Word):
    """One line of a shipment; value is at sales price."""

    line_id: UUID
    reference: Code
    item: ItemCode
    quantity: Quantity
    value: Money
    promised_on: date
    order_id: UUID | None = None
    order_line_id: UUID | None = None
    customer: CustomerCode | None = None
    purchase_order_id: UUID | None = None
    purchase_order_line_id: UUID | None = None
    supplier: SupplierCode | None = None


class ShipmentFact(Event, abstract=True):
    """What every fact about a shipment says."""

    shipment_id: UUID
    reference: Code
    destination: SiteCode
    lines: tuple[ShipmentLine, ...]


class ShipmentPlanned(ShipmentFact, name="logistics.shipment.planned.v1", key="shipment_id"):
    """A shipment with its lines is planned; it is due at `promised_at`, the end of `promised_on` at its destination."""

    source: Code
    origin: Code | None = None
    carrier: Code | None = None
    mode: Code | None = None
    promised_on: date
    promised_at: Instant
    expected_at: Instant


class ShipmentDelay(ShipmentFact, abstract=True):
    """What a delay says, whether it is new or grew; minutes are counted from the promised instant."""

    cause: Cause
    cause_occurred_at: Instant
    basis: DelayBasis
    provisional: bool
    carrier: Code | None = None
    origin: Code | None = None
    promised_on: date
    promised_at: Instant
    expected_at: Instant | None = None
    delay_minutes: int
    reason: DelayReason = "unknown"
    note: Text | None = None


class ShipmentDelayed(ShipmentDelay, name="logistics.shipment.delayed.v1", key="shipment_id"):
    """The expected arrival is later than promised by more than the tolerance, or the promised day ended without
    a receipt.
    """


class ShipmentExtended(ShipmentDelay, name="logistics.shipment.extended.v1", key="shipment_id"):
    """A published delay changed, or is no longer provisional."""

    previous_expected_at: Instant | None = None


class ShipmentRecovered(ShipmentFact, name="logistics.shipment.recovered.v1", key="shipment_id"):
    """A delayed shipment is expected in time again."""

    cause: Cause
    promised_at: Instant
    expected_at: Instant


class ShipmentReceived(ShipmentFact, name="logistics.shipment.received.v1", key="shipment_id"):
    """The destination received the shipment; `days_late` counts days after the promised day, 0 when in time."""

    received_on: date
    received_at: Instant
    promised_on: date
    days_late: int
    history: bool = False


class ShipmentSettled(ShipmentFact, name="logistics.shipment.settled.v1", key="shipment_id"):
    """The receipt shows how a delay ended: late by a number of days, or in time and only recorded late."""

    cause: Cause
    verdict: Verdict
    days_late: int
    received_on: date
    recorded_late: bool


class ShipmentCancelled(ShipmentFact, name="logistics.shipment.cancelled.v1", key="shipment_id"):
    """The shipment was cancelled and will not arrive."""

    cause: Cause | None = None
    reason: Text
