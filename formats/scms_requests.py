"""Request bodies for the services, made from the SCMS delivery records: which endpoint, in which order.

Pure: it makes the items of `:batch` bodies and sends nothing. The key of an item is the record it comes from, so
sending an item twice has the effect of sending it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from formats.scms import PLACEHOLDER_SUPPLIER
from formats.scms_steps import (
    DayStep,
    Masters,
    OrderPlan,
    PlannedLine,
    RecordedDelivery,
    Shipment,
    ShipmentPlan,
)

SOURCE = "scms"
CURRENCY = "USD"
ZONE = "UTC"
CALENDAR = "every-day"
UNIT = "pack"
TIER = "standard"

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class BatchEndpoint:
    """A `:batch` route of a service and the role that may use it."""

    service: str
    path: str
    role: str


SITES = BatchEndpoint("inventory", "/sites:batch", "inventory")
ITEMS = BatchEndpoint("inventory", "/items:batch", "inventory")
SUPPLIERS = BatchEndpoint("procurement", "/suppliers:batch", "procurement")
CUSTOMERS = BatchEndpoint("sales", "/customers:batch", "sales")
ORDERS = BatchEndpoint("sales", "/orders:batch", "sales")
PURCHASE_ORDERS = BatchEndpoint("procurement", "/orders:batch", "procurement")
SHIPMENTS = BatchEndpoint("logistics", "/shipments:batch", "logistics")
HISTORY = BatchEndpoint("logistics", "/shipments:import", "planning-lead")
RECEIPTS = BatchEndpoint("logistics", "/receipts:batch", "logistics")

BatchRequests = Sequence[tuple[BatchEndpoint, list[Item]]]


def start_of(day: date) -> datetime:
    """Return the instant at which a day begins; all sites of these records use UTC."""
    return datetime.combine(day, time.min, UTC)


def end_of(day: date) -> datetime:
    """Return the instant at which a day ends."""
    return start_of(day + timedelta(days=1))


def master_items(named: Masters) -> BatchRequests:
    """Tell the sites, items, suppliers and customers; the placeholder of stock orders is no candidate."""
    sites = [
        {"key": code, "code": code, "name": code, "country": code, "zone": ZONE, "calendar": CALENDAR}
        for code in named.sites
    ]
    items = [{"key": code, "code": code, "description": code, "unit": UNIT} for code in named.items]
    suppliers = [
        {"key": code, "code": code, "name": code, "candidate": code != PLACEHOLDER_SUPPLIER} for code in named.suppliers
    ]
    customers = [{"key": code, "code": code, "name": code, "tier": TIER} for code in named.customers]
    return [(SITES, sites), (ITEMS, items), (SUPPLIERS, suppliers), (CUSTOMERS, customers)]


def step_items(steps: Iterable[DayStep]) -> BatchRequests:
    """Tell some days together: orders, purchase orders, plans, records, each in the order of the days."""
    orders: list[Item] = []
    purchases: list[Item] = []
    plans: list[Item] = []
    receipts: list[Item] = []
    for step in steps:
        known_at = _instant(start_of(step.day))
        orders += [order_item(order) | {"known_at": known_at} for order in step.orders]
        purchases += [purchase_item(order) | {"known_at": known_at} for order in step.purchase_orders]
        plans += [shipment_item(plan) | {"known_at": known_at} for plan in step.plans]
        receipts += [receipt_item(delivery) | {"known_at": known_at} for delivery in step.deliveries]
    return [(ORDERS, orders), (PURCHASE_ORDERS, purchases), (SHIPMENTS, plans), (RECEIPTS, receipts)]


def history_items(steps: Sequence[DayStep], past_shipments: Iterable[Shipment]) -> BatchRequests:
    """Tell all days at once as what is over: a shipment is planned and received in one act."""
    by_endpoint: dict[BatchEndpoint, list[Item]] = {ORDERS: [], PURCHASE_ORDERS: []}
    for step in steps:
        for endpoint, items in step_items([step]):
            if endpoint in by_endpoint:
                by_endpoint[endpoint] += items
    return [*by_endpoint.items(), (HISTORY, [history_item(shipment) for shipment in past_shipments])]


def history_item(shipment: Shipment) -> Item:
    """Make a shipment that is over; it opens no case, however late it was."""
    return shipment_item(shipment.plan) | {
        "known_at": _instant(start_of(shipment.known_on)),
        "received_on": shipment.delivery.delivered_on.isoformat(),
    }


def order_item(order: OrderPlan) -> Item:
    """Make a customer order, or the lines added to one that is known."""
    return {
        "key": order.key,
        "reference": order.order,
        "customer": order.project,
        "site": order.country,
        "lines": [
            _line(line)
            | {
                "requested_on": line.scheduled_on.isoformat(),
                "promised_on": line.scheduled_on.isoformat(),
                "value": _money(line.value),
            }
            for line in order.lines
        ],
    }


def purchase_item(order: OrderPlan) -> Item:
    """Make a purchase order, or the lines added to one that is known."""
    return {
        "key": order.key,
        "reference": order.order,
        "supplier": order.vendor,
        "destination": order.country,
        "lines": [
            _line(line)
            | {"needed_on": line.scheduled_on.isoformat()}
            | ({} if line.pack_price is None else {"price": _money(line.pack_price)})
            for line in order.lines
        ],
    }


def shipment_item(plan: ShipmentPlan) -> Item:
    """Make a planned shipment; its lines name the order line and, where bought, the purchase order line."""
    bought = plan.fulfilment == "Direct Drop"
    common: Item = {"order": plan.order, "customer": plan.project, "supplier": plan.vendor}
    return {
        "key": plan.key,
        "reference": plan.shipment,
        "destination": plan.country,
        "promised_on": plan.due_on.isoformat(),
        **({"mode": plan.mode} if plan.mode else {}),
        "lines": [
            _line(line)
            | {"promised_on": line.scheduled_on.isoformat(), "value": _money(line.value)}
            | common
            | {"order_line": line.line_id}
            | ({"purchase_order": plan.order, "purchase_order_line": line.line_id} if bought else {})
            for line in plan.lines
        ],
    }


def receipt_item(delivery: RecordedDelivery) -> Item:
    """Make the record of a delivery."""
    return {
        "key": delivery.key,
        "shipment": delivery.shipment,
        "received_on": delivery.delivered_on.isoformat(),
    }


def _line(line: PlannedLine) -> Item:
    return {"reference": line.line_id, "item": line.item, "quantity": str(line.quantity)}


def _money(amount: Decimal) -> Item:
    return {"amount": str(amount), "currency": CURRENCY}


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
