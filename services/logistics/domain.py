"""A shipment, what is said about it, and when it counts as late. Pure.

State is folded from business time: milestones may arrive late or out of order and come out the same. What was *told*
(the delay that other services know of) is kept apart from what is *known*, and an act answers with the facts that
bring the one to the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from chassis.errors import Conflict, Invalid
from schemas.base import Event
from schemas.logistics import (
    ShipmentCancelled,
    ShipmentDelay,
    ShipmentDelayed,
    ShipmentExtended,
    ShipmentLine,
    ShipmentPlanned,
    ShipmentReceived,
    ShipmentRecovered,
    ShipmentSettled,
)
from schemas.types import Cause, DelayReason

State = Literal["planned", "delayed", "received", "cancelled"]
MilestoneKind = Literal["departed", "arrived-port", "customs-hold", "customs-released", "estimated", "received"]
LINES_MAX = 500


class ShipmentOver(Conflict):
    """The shipment was received or cancelled; nothing moves any more."""

    code = "shipment-over"


class UnknownCarrier(Invalid):
    """The carrier is not registered."""

    code = "unknown-carrier"


class ShipmentKnown(Conflict):
    """The same shipment was planned before."""

    code = "shipment-known"


@dataclass(frozen=True, slots=True)
class Milestone:
    """One thing that happened to a shipment, or was said about it, at a business time."""

    milestone_id: UUID
    kind: MilestoneKind
    occurred_at: datetime
    recorded_at: datetime
    expected_at: datetime | None = None
    reason: DelayReason = "unknown"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """What is on the way from one origin to one destination, and what was told about it."""

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
    state: State
    planned_at: datetime
    recorded_at: datetime
    lines: tuple[ShipmentLine, ...]
    milestones: tuple[Milestone, ...] = ()
    told_basis: str | None = None
    told_provisional: bool = False
    told_expected_at: datetime | None = None
    first_delayed_at: datetime | None = None
    received_on: date | None = None
    received_at: datetime | None = None
    received_recorded_at: datetime | None = None
    verdict: str | None = None
    cancelled_because: str | None = None

    @property
    def cause(self) -> Cause:
        """Every delay of this shipment is one cause."""
        return Cause(kind="shipment-delay", id=self.shipment_id)

    @property
    def over(self) -> bool:
        return self.state in ("received", "cancelled")

    @property
    def delayed(self) -> bool:
        """Say whether others know of a delay that is not over."""
        return self.told_basis is not None


def plan_shipment(shipment: Shipment, *, now: datetime) -> tuple[Shipment, list[Event]]:
    """Return a new shipment and the fact that it is planned; raises Invalid without lines or with a line twice."""
    if not shipment.lines:
        raise Invalid("a shipment has at least one line", field="lines")
    if len(shipment.lines) > LINES_MAX:
        raise Invalid(f"{len(shipment.lines)} lines; at most {LINES_MAX} fit one shipment", field="lines")
    times = Counter(line.reference for line in shipment.lines)
    if twins := [reference for reference, number in times.items() if number > 1]:
        raise Invalid(f"line {twins[0]!r} stands twice; each line has a reference of its own", field="lines")
    planned = ShipmentPlanned(
        occurred_at=now,
        shipment_id=shipment.shipment_id,
        reference=shipment.reference,
        destination=shipment.destination,
        lines=shipment.lines,
        source=shipment.source,
        origin=shipment.origin,
        carrier=shipment.carrier,
        mode=shipment.mode,
        promised_on=shipment.promised_on,
        promised_at=shipment.promised_at,
        expected_at=shipment.expected_at,
    )
    return shipment, [planned]


def record_milestone(
    shipment: Shipment, milestone: Milestone, *, tolerance: timedelta, now: datetime
) -> tuple[Shipment, list[Event]]:
    """Take a milestone in whatever order it came, and tell what it changes. The same milestone again changes nothing."""
    if any(m.milestone_id == milestone.milestone_id for m in shipment.milestones):
        return shipment, []
    if milestone.kind == "estimated" and milestone.expected_at is None:
        raise Invalid("an estimate says when the arrival is expected", field="expected_at")
    if shipment.state == "cancelled":
        raise ShipmentOver(f"shipment {shipment.reference} was cancelled: {shipment.cancelled_because}")
    shipment = replace(shipment, milestones=_in_business_order((*shipment.milestones, milestone)))
    if shipment.state == "received":
        return shipment, []  # a late-coming milestone of the journey completes the record and moves nothing
    return _publish_changed_estimate(replace(shipment, expected_at=_expected(shipment)), tolerance=tolerance, now=now)


def _in_business_order(milestones: Iterable[Milestone]) -> tuple[Milestone, ...]:
    return tuple(sorted(milestones, key=lambda m: (m.occurred_at, m.recorded_at, m.milestone_id)))


def _latest_estimate(shipment: Shipment) -> Milestone | None:
    estimates = [m for m in shipment.milestones if m.kind == "estimated" and m.expected_at is not None]
    return estimates[-1] if estimates else None


def _expected(shipment: Shipment) -> datetime:
    estimate = _latest_estimate(shipment)
    return estimate.expected_at if estimate and estimate.expected_at else shipment.promised_at


def _publish_changed_estimate(
    shipment: Shipment, *, tolerance: timedelta, now: datetime
) -> tuple[Shipment, list[Event]]:
    """Bring what others were told to what is known."""
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
    """Tell that the promised day ended in silence: overdue, provisional until somebody says something."""
    if shipment.over or shipment.delayed or now < shipment.promised_at or shipment.expected_at > now:
        return shipment, []
    return _publish_delay(shipment, basis="overdue", now=now, occurred_at=shipment.promised_at)


def next_due_at(shipment: Shipment, *, tolerance: timedelta) -> datetime | None:
    """Return when silence would make this shipment late; None when there is nothing to wait for."""
    if shipment.over or shipment.delayed:
        return None
    if shipment.expected_at > shipment.promised_at:
        return shipment.expected_at + tolerance
    return shipment.promised_at


def receive_shipment(
    shipment: Shipment,
    *,
    milestone_id: UUID,
    received_on: date,
    received_at: datetime,
    now: datetime,
    history: bool = False,
) -> tuple[Shipment, list[Event]]:
    """Take the receipt; it settles a delay that was told: late by n days, or in time and only recorded late."""
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
        milestones=_in_business_order((*shipment.milestones, milestone)),
    ), events


def promise_ends(shipment: Shipment, *, promised_at: datetime) -> Shipment:
    """Move the instant at which the promised day ends, because its calendar changed."""
    expected_at = promised_at if shipment.expected_at == shipment.promised_at else shipment.expected_at
    return replace(shipment, promised_at=promised_at, expected_at=expected_at)


def cancel_shipment(shipment: Shipment, *, reason: str, now: datetime) -> tuple[Shipment, list[Event]]:
    """Say that the shipment will not come; raises ShipmentOver when it came or was cancelled before."""
    if shipment.over:
        raise ShipmentOver(f"shipment {shipment.reference} is {shipment.state}; there is nothing to cancel")
    cancelled = ShipmentCancelled(
        occurred_at=now,
        shipment_id=shipment.shipment_id,
        reference=shipment.reference,
        destination=shipment.destination,
        lines=shipment.lines,
        cause=shipment.cause if shipment.delayed else None,
        reason=reason,
    )
    return replace(shipment, state="cancelled", cancelled_because=reason), [cancelled]


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect of the data, a class of its own: what was recorded late, or lies in the future."""

    finding_id: UUID
    kind: Literal["recorded-late", "received-after-recording"]
    shipment_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    detail: str


def findings_of_receipt(shipment: Shipment, *, finding_id: UUID) -> list[Finding]:
    """Return what a receipt says about the quality of its record."""
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


@dataclass(frozen=True, slots=True)
class Carrier:
    """Who moves things; a machine of a carrier may record milestones of its own shipments."""

    carrier_id: UUID
    code: str
    name: str
    active: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Lane:
    """A way from one place to another with its usual transit time."""

    lane_id: UUID
    origin: str
    destination: str
    carrier: str
    mode: str
    transit_days: int
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class SiteCalendar:
    """What logistics needs to know of a destination: its zone and calendar, as inventory said."""

    site: str
    zone: str
    calendar: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class CalendarZone:
    """The zone in which a business calendar counts its days, as collaboration said."""

    code: str
    zone: str
    recorded_at: datetime
