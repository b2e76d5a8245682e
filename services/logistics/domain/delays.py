"""The delay of a shipment: milestones in any order, the expected arrival, and the delay that other services know. Pure.

State is folded from business time, so milestones may arrive late or out of order and lead to the same shipment. The
published delay is stored beside the expected arrival; an act returns the facts that bring the first up to the second.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from chassis.errors import Invalid
from schemas.base import Event
from schemas.logistics import ShipmentDelay, ShipmentDelayed, ShipmentExtended, ShipmentRecovered
from services.logistics.domain.shipments import Milestone, Shipment, ShipmentOver, in_business_order


def record_milestone(
    shipment: Shipment, milestone: Milestone, *, tolerance: timedelta, now: datetime
) -> tuple[Shipment, list[Event]]:
    """Add a milestone, in any order of arrival, and return the facts of what it changes.

    The same milestone again changes nothing. Raises ShipmentOver, Invalid.
    """
    if any(m.milestone_id == milestone.milestone_id for m in shipment.milestones):
        return shipment, []
    if milestone.kind == "estimated" and milestone.expected_at is None:
        raise Invalid("an estimate needs the expected arrival; give expected_at", field="expected_at")
    if shipment.state == "cancelled":
        raise ShipmentOver(f"shipment {shipment.reference} was cancelled: {shipment.cancelled_because}")
    shipment = replace(shipment, milestones=in_business_order((*shipment.milestones, milestone)))
    if shipment.state == "received":
        return shipment, []  # a milestone that arrives late completes the record only
    return _publish_changed_estimate(replace(shipment, expected_at=_expected(shipment)), tolerance=tolerance, now=now)


def _latest_estimate(shipment: Shipment) -> Milestone | None:
    estimates = [m for m in shipment.milestones if m.kind == "estimated" and m.expected_at is not None]
    return estimates[-1] if estimates else None


def _expected(shipment: Shipment) -> datetime:
    estimate = _latest_estimate(shipment)
    return estimate.expected_at if estimate and estimate.expected_at else shipment.promised_at


def _publish_changed_estimate(
    shipment: Shipment, *, tolerance: timedelta, now: datetime
) -> tuple[Shipment, list[Event]]:
    """Publish a changed estimate, or the recovery, where the published delay differs from the expected arrival."""
    late = shipment.expected_at > shipment.promised_at + tolerance
    if late and shipment.told_expected_at != shipment.expected_at:
        estimate = _latest_estimate(shipment)
        return _publish_delay(
            shipment, basis="reported", now=now, occurred_at=estimate.occurred_at if estimate else now
        )
    if not late and shipment.delayed and now < shipment.promised_at:
        recovered = ShipmentRecovered(
            occurred_at=now,
            shipment_id=shipment.shipment_id,
            reference=shipment.reference,
            destination=shipment.destination,
            lines=shipment.lines,
            cause=shipment.cause,
            promised_at=shipment.promised_at,
            expected_at=shipment.expected_at,
        )
        shipment = replace(shipment, state="planned", told_basis=None, told_provisional=False, told_expected_at=None)
        return shipment, [recovered]
    return shipment, []


def _publish_delay(
    shipment: Shipment, *, basis: Literal["reported", "overdue"], now: datetime, occurred_at: datetime
) -> tuple[Shipment, list[Event]]:
    estimate = _latest_estimate(shipment)
    expected_at = shipment.expected_at if basis == "reported" else None
    measured_to = expected_at or now
    fields = {
        "occurred_at": occurred_at,
        "shipment_id": shipment.shipment_id,
        "reference": shipment.reference,
        "destination": shipment.destination,
        "lines": shipment.lines,
        "cause": shipment.cause,
        "cause_occurred_at": occurred_at,
        "basis": basis,
        "provisional": basis == "overdue",
        "carrier": shipment.carrier,
        "origin": shipment.origin,
        "promised_on": shipment.promised_on,
        "promised_at": shipment.promised_at,
        "expected_at": expected_at,
        "delay_minutes": int((measured_to - shipment.promised_at).total_seconds() // 60),
        "reason": "silence" if basis == "overdue" else (estimate.reason if estimate else "unknown"),
        "note": None if basis == "overdue" or estimate is None else estimate.note,
    }
    fact: ShipmentDelay
    if shipment.delayed:
        fact = ShipmentExtended.model_validate(fields | {"previous_expected_at": shipment.told_expected_at})
    else:
        fact = ShipmentDelayed.model_validate(fields)
    return replace(
        shipment,
        state="delayed",
        told_basis=basis,
        told_provisional=basis == "overdue",
        told_expected_at=expected_at,
        first_delayed_at=shipment.first_delayed_at or now,
    ), [fact]


def shipment_falls_due(shipment: Shipment, *, now: datetime) -> tuple[Shipment, list[Event]]:
    """Publish a provisional delay when the promised day ended without a receipt or a new estimate."""
    if shipment.over or shipment.delayed or now < shipment.promised_at or shipment.expected_at > now:
        return shipment, []
    return _publish_delay(shipment, basis="overdue", now=now, occurred_at=shipment.promised_at)


def next_due_at(shipment: Shipment, *, tolerance: timedelta) -> datetime | None:
    """Return when the shipment becomes overdue unless something is heard of it; None when no timer is needed."""
    if shipment.over or shipment.delayed:
        return None
    if shipment.expected_at > shipment.promised_at:
        return shipment.expected_at + tolerance
    return shipment.promised_at
