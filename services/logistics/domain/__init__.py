"""What happens to shipments, as pure functions: state in, new state and events out."""

from __future__ import annotations

from services.logistics.domain.delays import (
    next_due_at,
    record_milestone,
    shipment_falls_due,
)
from services.logistics.domain.network import (
    CalendarZone,
    Carrier,
    Lane,
    SiteCalendar,
    UnknownCarrier,
)
from services.logistics.domain.receipts import (
    Finding,
    findings_of_receipt,
    receive_shipment,
)
from services.logistics.domain.shipments import (
    LINES_MAX,
    Milestone,
    MilestoneKind,
    Shipment,
    ShipmentKnown,
    ShipmentOver,
    State,
    cancel_shipment,
    plan_shipment,
    promise_ends,
)

__all__ = [
    "LINES_MAX",
    "CalendarZone",
    "Carrier",
    "Finding",
    "Lane",
    "Milestone",
    "MilestoneKind",
    "Shipment",
    "ShipmentKnown",
    "ShipmentOver",
    "SiteCalendar",
    "State",
    "UnknownCarrier",
    "cancel_shipment",
    "findings_of_receipt",
    "next_due_at",
    "plan_shipment",
    "promise_ends",
    "receive_shipment",
    "record_milestone",
    "shipment_falls_due",
]
