"""The receipt of a shipment: the verdict on its delay, and defects of the data that it shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from schemas.base import Event
from schemas.logistics import ShipmentReceived, ShipmentSettled
from services.logistics.domain.shipments import Milestone, Shipment, ShipmentOver, in_business_order


def receive_shipment(
    shipment: Shipment,
    *,
    milestone_id: UUID,
    received_on: date,
    received_at: datetime,
    now: datetime,
    history: bool = False,
) -> tuple[Shipment, list[Event]]:
    """Receive the shipment and settle its published delay: late by n days, or in time and recorded late.

    Raises ShipmentOver when it was received or cancelled before.
    """
    if shipment.state == "received":
        raise ShipmentOver(f"shipment {shipment.reference} was received on {shipment.received_on}")
    if shipment.state == "cancelled":
        raise ShipmentOver(f"shipment {shipment.reference} was cancelled: {shipment.cancelled_because}")
    days_late = max(0, (received_on - shipment.promised_on).days)
    received = ShipmentReceived(
        occurred_at=received_at,
        shipment_id=shipment.shipment_id,
        reference=shipment.reference,
        destination=shipment.destination,
        lines=shipment.lines,
        received_on=received_on,
        received_at=received_at,
        promised_on=shipment.promised_on,
        days_late=days_late,
        history=history,
    )
    events: list[Event] = [received]
    verdict = "late" if days_late else "in-time"
    if shipment.delayed:
        recorded_late = not days_late and shipment.told_basis == "overdue"
        verdict = "recorded-late" if recorded_late else verdict
        events.append(
            ShipmentSettled(
                occurred_at=received_at,
                shipment_id=shipment.shipment_id,
                reference=shipment.reference,
                destination=shipment.destination,
                lines=shipment.lines,
                cause=shipment.cause,
                verdict="late" if days_late else "in-time",
                days_late=days_late,
                received_on=received_on,
                recorded_late=recorded_late,
            )
        )
    milestone = Milestone(milestone_id, "received", received_at, now)
    return replace(
        shipment,
        state="received",
        received_on=received_on,
        received_at=received_at,
        received_recorded_at=now,
        verdict=verdict,
        milestones=in_business_order((*shipment.milestones, milestone)),
    ), events


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect of the data: a receipt recorded late, or dated after its recording."""

    finding_id: UUID
    kind: Literal["recorded-late", "received-after-recording"]
    shipment_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    detail: str


def findings_of_receipt(shipment: Shipment, *, finding_id: UUID) -> list[Finding]:
    """Return the data-quality findings of a receipt, at most one."""
    if shipment.received_at is None or shipment.received_recorded_at is None:
        return []
    kind: Literal["recorded-late", "received-after-recording"]
    if shipment.verdict == "recorded-late":
        kind, detail = (
            "recorded-late",
            f"received on {shipment.received_on}, in time, and recorded after the day had ended",
        )
    elif shipment.received_at > shipment.received_recorded_at:
        kind, detail = "received-after-recording", f"recorded before the day it names: {shipment.received_on}"
    else:
        return []
    return [
        Finding(finding_id, kind, shipment.shipment_id, shipment.received_at, shipment.received_recorded_at, detail)
    ]
