"""The delivery records, as sales hears of them: every order line by its door, every silent day as logistics tells it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from formats.scms import read_deliveries
from formats.scms_requests import CURRENCY, SOURCE, end_of, master_items, order_item, start_of
from formats.scms_steps import RecordedDelivery, Shipment, ShipmentPlan, masters, shipments, steps
from schemas.logistics import ShipmentDelayed, ShipmentLine, ShipmentReceived
from schemas.types import Cause, Money, subject_id
from tests.support.records import RECORDED, shared_file
from tests.support.service import ServiceUnderTest

BATCH = 500


def said_lines(plan: ShipmentPlan) -> tuple[ShipmentLine, ...]:
    return tuple(
        ShipmentLine(
            line_id=subject_id("shipment-line", SOURCE, f"{plan.shipment}/{line.line_id}"),
            reference=line.line_id,
            item=line.item,
            quantity=line.quantity,
            value=Money(amount=line.value, currency=CURRENCY),
            promised_on=line.scheduled_on,
            order_id=subject_id("order", SOURCE, plan.order),
            order_line_id=subject_id("order-line", SOURCE, f"{plan.order}/{line.line_id}"),
            customer=plan.project,
        )
        for line in plan.lines
    )


def heading(plan: ShipmentPlan, at: datetime) -> dict[str, Any]:
    return {
        "occurred_at": at,
        "shipment_id": subject_id("shipment", SOURCE, plan.shipment),
        "reference": plan.shipment,
        "destination": plan.country,
        "lines": said_lines(plan),
        "promised_on": plan.due_on,
    }


def silence(plan: ShipmentPlan) -> ShipmentDelayed:
    ends = end_of(plan.due_on)
    cause = Cause(kind="shipment-delay", id=subject_id("shipment", SOURCE, plan.shipment))
    return ShipmentDelayed(
        **heading(plan, ends),
        cause=cause,
        cause_occurred_at=ends,
        basis="overdue",
        provisional=True,
        promised_at=ends,
        delay_minutes=0,
        reason="silence",
    )


def receipt(plan: ShipmentPlan, delivery: RecordedDelivery) -> ShipmentReceived:
    return ShipmentReceived(
        **heading(plan, start_of(delivery.delivered_on)),
        received_on=delivery.delivered_on,
        received_at=start_of(delivery.delivered_on),
        days_late=max(0, (delivery.delivered_on - plan.due_on).days),
    )


@pytest.fixture
def known() -> tuple[Shipment, ...]:
    return shipments(read_deliveries(shared_file(RECORDED).read_bytes()).lines)


def tell(sales: ServiceUnderTest, path: str, items: list[dict[str, Any]]) -> set[str]:
    statuses: set[str] = set()
    for start in range(0, len(items), BATCH):
        answer = sales.post(path, {"source": SOURCE, "items": items[start : start + BATCH]}, role="sales")
        statuses |= {result["status"] for result in answer.json()["results"]}
    return statuses


def hear(sales: ServiceUnderTest, facts: list[Any]) -> None:
    for start in range(0, len(facts), BATCH):
        sales.consume(*facts[start : start + BATCH])


@pytest.mark.records
def test_the_records_give_every_order_line_and_one_impact_for_each_silent_day(
    sales: ServiceUnderTest, known: tuple[Shipment, ...]
) -> None:
    """FLOW 3.1, 7.1, 7.2"""
    days = steps(known)
    sales.set_clock(start_of(days[0].day))
    customers = next(items for door, items in master_items(masters(days)) if door.path == "/customers:batch")
    orders = [order_item(order) for day in days for order in day.orders]
    assert tell(sales, "/customers:batch", customers) == {"created"}
    assert tell(sales, "/orders:batch", orders) == {"created"}
    assert tell(sales, "/orders:batch", orders) == {"unchanged"}
    kinds = [e.type.split(".")[2] for e in sales.emitted()]
    assert (kinds.count("placed"), kinds.count("changed"), len(kinds)) == (5345, 19, 5364)

    delayed = [s.plan for s in known if s.delivery.recorded_on > s.plan.due_on]
    hear(sales, [silence(plan) for plan in sorted(delayed, key=lambda plan: plan.due_on)])
    impacts = [e.data for e in sales.emitted()]
    assert len(impacts) == len({i.impact_id for i in impacts}) == 990
    assert {(i.version, i.unmatched_lines) for i in impacts} == {(1, 0)}
    assert sum(len(i.lines) for i in impacts) == 1442
    assert sum(i.value.amount for i in impacts) == Decimal("281159331.50")
    assert {line.proposed_on - line.promised_on for i in impacts for line in i.lines} == {timedelta(days=7)}

    hear(sales, [receipt(s.plan, s.delivery) for s in known])
    figures = sales.get("/figures").json()
    assert (figures["order_lines"], figures["lines_received"]) == (8446, 8446)
    assert figures["lines_received"] - figures["kept_first_promise"] == 939
    assert (figures["impacts"], figures["assessments"], figures["notices"]) == (990, 990, {})
