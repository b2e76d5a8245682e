"""The facts that become known on each day of the delivery records, in the order in which services receive them.

A plan is made of `PlannedLine`, which has no field for what only the record of the delivery says: nobody can
put tomorrow's knowledge into today's plan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from formats.scms import DeliveryLine, Fulfilment


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """What is known of a line when its shipment is planned."""

    line_id: str
    item: str
    quantity: Decimal
    value: Decimal
    pack_price: Decimal | None
    scheduled_on: date


@dataclass(frozen=True, slots=True)
class RecordedDelivery:
    """The record of a delivery: made on the day on which the last of the shipment's lines was recorded."""

    key: str
    shipment: str
    recorded_on: date
    delivered_on: date


@dataclass(frozen=True, slots=True)
class ShipmentPlan:
    """A shipment as planned: due when the earliest scheduled day of its lines ends."""

    key: str
    shipment: str
    order: str
    project: str
    country: str
    fulfilment: Fulfilment
    vendor: str
    mode: str
    due_on: date
    lines: tuple[PlannedLine, ...]


@dataclass(frozen=True, slots=True)
class Shipment:
    """Everything the file says of one shipment; only `plan` may be told on `known_on`."""

    plan: ShipmentPlan
    known_on: date
    delivery: RecordedDelivery
    first_row: int


@dataclass(frozen=True, slots=True)
class OrderPlan:
    """The lines of an order that become known on one day; `added` when the order was known before."""

    key: str
    order: str
    project: str
    country: str
    fulfilment: Fulfilment
    vendor: str
    added: bool
    lines: tuple[PlannedLine, ...]


@dataclass(frozen=True, slots=True)
class DayStep:
    """One day, in the order in which it is told: orders, purchase orders, plans, records of delivery."""

    day: date
    orders: tuple[OrderPlan, ...]
    plans: tuple[ShipmentPlan, ...]
    deliveries: tuple[RecordedDelivery, ...]

    @property
    def purchase_orders(self) -> tuple[OrderPlan, ...]:
        """The orders that were sent to a vendor; stock orders have none."""
        return tuple(order for order in self.orders if order.fulfilment == "Direct Drop")


@dataclass(frozen=True, slots=True)
class Masters:
    """The sites, items, suppliers and customers that some steps speak of, in order of appearance."""

    sites: tuple[str, ...]
    items: tuple[str, ...]
    suppliers: tuple[str, ...]
    customers: tuple[str, ...]


def shipments(lines: Iterable[DeliveryLine]) -> tuple[Shipment, ...]:
    """Group lines by shipment, in source order."""
    grouped: dict[str, list[DeliveryLine]] = defaultdict(list)
    for line in lines:
        grouped[line.shipment].append(line)
    return tuple(_shipment(name, group) for name, group in grouped.items())


def steps(all_shipments: Sequence[Shipment], until: date = date.max) -> tuple[DayStep, ...]:
    """Return the days up to `until` on which something becomes known, in order."""
    planned: dict[date, list[Shipment]] = defaultdict(list)
    delivered: dict[date, list[RecordedDelivery]] = defaultdict(list)
    for shipment in sorted(all_shipments, key=lambda shipment: shipment.first_row):
        if shipment.known_on <= until:
            planned[shipment.known_on].append(shipment)
        if shipment.delivery.recorded_on <= until:
            delivered[shipment.delivery.recorded_on].append(shipment.delivery)
    told: set[str] = set()
    return tuple(
        DayStep(
            day=day,
            orders=_orders(planned[day], told),
            plans=tuple(shipment.plan for shipment in planned[day]),
            deliveries=tuple(delivered[day]),
        )
        for day in sorted(planned.keys() | delivered.keys())
    )


def masters(day_steps: Iterable[DayStep]) -> Masters:
    """Name what must exist before these steps are told; nothing that only later steps speak of."""
    sites: dict[str, None] = {}
    items: dict[str, None] = {}
    suppliers: dict[str, None] = {}
    customers: dict[str, None] = {}
    for step in day_steps:
        for order in step.orders:
            sites.setdefault(order.country)
            suppliers.setdefault(order.vendor)
            customers.setdefault(order.project)
            items.update(dict.fromkeys(line.item for line in order.lines))
    return Masters(tuple(sites), tuple(items), tuple(suppliers), tuple(customers))


def _shipment(name: str, lines: list[DeliveryLine]) -> Shipment:
    first = lines[0]
    plan = ShipmentPlan(
        key=name,
        shipment=name,
        order=first.order,
        project=first.project,
        country=first.country,
        fulfilment=first.fulfilment,
        vendor=first.vendor,
        mode=first.mode,
        due_on=min(line.scheduled_on for line in lines),
        lines=tuple(
            PlannedLine(
                line_id=line.line_id,
                item=line.item,
                quantity=line.quantity,
                value=line.value,
                pack_price=line.pack_price.value,
                scheduled_on=line.scheduled_on,
            )
            for line in lines
        ),
    )
    delivery = RecordedDelivery(
        key=f"{name}@received",
        shipment=name,
        recorded_on=max(line.recorded_on for line in lines),
        delivered_on=max(line.delivered_on for line in lines),
    )
    return Shipment(plan, min(line.known_on for line in lines), delivery, first.row)


def _orders(planned: list[Shipment], seen_orders: set[str]) -> tuple[OrderPlan, ...]:
    by_order: dict[str, list[ShipmentPlan]] = defaultdict(list)
    for shipment in planned:
        by_order[shipment.plan.order].append(shipment.plan)
    orders = []
    for name, plans in by_order.items():
        first, added = plans[0], name in seen_orders
        seen_orders.add(name)
        orders.append(
            OrderPlan(
                key=f"{name}@{first.shipment}" if added else name,
                order=name,
                project=first.project,
                country=first.country,
                fulfilment=first.fulfilment,
                vendor=first.vendor,
                added=added,
                lines=tuple(line for plan in plans for line in plan.lines),
            )
        )
    return tuple(orders)
