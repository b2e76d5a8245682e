"""A shipment with its milestones: planning, cancelling, and the end of its promised day. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from chassis.errors import Conflict, Invalid
from schemas.base import Event
from schemas.logistics import ShipmentCancelled, ShipmentLine, ShipmentPlanned
from schemas.types import Cause, DelayReason

State = Literal["planned", "delayed", "received", "cancelled"]

MilestoneKind = Literal["departed", "arrived-port", "customs-hold", "customs-released", "estimated", "received"]

LINES_MAX = 500


class ShipmentOver(Conflict):
    """The shipment was received or cancelled; it changes no more."""

    code = "shipment-over"


class ShipmentKnown(Conflict):
    """The same shipment was planned before."""

    code = "shipment-known"


@dataclass(frozen=True, slots=True)
class Milestone:
    """An occurrence or an estimate of a shipment, at its business time."""

    milestone_id: UUID
    kind: MilestoneKind
    occurred_at: datetime
    recorded_at: datetime
    expected_at: datetime | None = None
    reason: DelayReason = "unknown"
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """Goods on the way to one destination, and the delay published about them."""

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
        """Return whether a delay is published that has not ended."""
        return self.told_basis is not None


def plan_shipment(shipment: Shipment, *, now: datetime) -> tuple[Shipment, list[Event]]:
    """Return a new shipment and the fact that it is planned; raises Invalid without lines or with a line twice."""
    if not shipment.lines:
        raise Invalid("the shipment has no lines; give at least one", field="lines")
    if len(shipment.lines) > LINES_MAX:
        raise Invalid(f"{len(shipment.lines)} lines; at most {LINES_MAX} fit one shipment", field="lines")
    times = Counter(line.reference for line in shipment.lines)
    if twins := [reference for reference, number in times.items() if number > 1]:
        raise Invalid(f"line {twins[0]!r} appears twice; give each line a reference of its own", field="lines")
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


def promise_ends(shipment: Shipment, *, promised_at: datetime) -> Shipment:
    """Move the instant at which the promised day ends, because its calendar changed."""
    expected_at = promised_at if shipment.expected_at == shipment.promised_at else shipment.expected_at
    return replace(shipment, promised_at=promised_at, expected_at=expected_at)


def cancel_shipment(shipment: Shipment, *, reason: str, now: datetime) -> tuple[Shipment, list[Event]]:
    """Cancel the shipment; raises ShipmentOver when it was received or cancelled before."""
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


def in_business_order(milestones: Iterable[Milestone]) -> tuple[Milestone, ...]:
    """Return milestones by business time, then by recording."""
    return tuple(sorted(milestones, key=lambda m: (m.occurred_at, m.recorded_at, m.milestone_id)))
