"""What becomes known when: plans before records, and nothing before its day (FLOW 7.1, 7.2)."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from datetime import date
from decimal import Decimal

import pytest

from formats.scms import read_deliveries
from formats.scms_steps import DayStep, PlannedLine, ShipmentPlan, masters, shipments, steps
from tests.records import oracle
from tests.support.records import RECORDED, shared_file
from tests.support.scms_rows import a_file, a_row

UNTIL = date(2011, 6, 30)


def days_of(*rows: dict[str, str], until: date = date.max) -> tuple[DayStep, ...]:
    read = read_deliveries(a_file(*rows))
    assert read.quarantined == ()
    return steps(shipments(read.lines), until)


def test_a_shipment_is_due_on_the_earliest_day_of_its_lines_and_each_line_keeps_its_own() -> None:
    (step,) = days_of(a_row(id="1", scheduled="9-Jun-06"), a_row(id="2", scheduled="5-Jun-06"))
    (plan,) = step.plans
    assert plan.due_on == date(2006, 6, 5)
    assert [line.scheduled_on.day for line in plan.lines] == [9, 5]


@pytest.mark.parametrize(
    ("sent", "scheduled", "recorded", "known"),
    [
        ("5/1/06", "2-Jun-06", "3-Jun-06", date(2006, 5, 1)),
        ("Date Not Captured", "2-Jun-06", "3-Jun-06", date(2006, 6, 2)),
        ("N/A - From RDC", "2-Jun-06", "1-Jun-06", date(2006, 6, 1)),
        ("6/9/06", "2-Jun-06", "1-Jun-06", date(2006, 6, 1)),
    ],
)
def test_a_plan_is_known_on_the_earliest_of_sent_scheduled_and_recorded(
    sent: str, scheduled: str, recorded: str, known: date
) -> None:
    first = days_of(a_row(sent=sent, scheduled=scheduled, recorded=recorded))[0]
    assert (first.day, len(first.plans)) == (known, 1)


def test_what_is_planned_and_recorded_on_one_day_is_one_step() -> None:
    (step,) = days_of(a_row())
    assert (len(step.orders), len(step.purchase_orders), len(step.plans), len(step.deliveries)) == (
        1,
        1,
        1,
        1,
    )


def test_a_stock_order_is_no_purchase_order() -> None:
    (step,) = days_of(a_row(via="From RDC", vendor="SCMS from RDC", order="SO-1", shipment="DN-1"))
    assert (len(step.orders), step.purchase_orders) == (1, ())


def test_an_order_planned_on_one_day_is_one_order_with_the_lines_of_all_its_shipments() -> None:
    (step,) = days_of(a_row(id="1"), a_row(id="2", shipment="ASN-9"), a_row(id="3"))
    (order,) = step.orders
    assert (order.key, order.added) == ("SCMS-4", False)
    assert [line.line_id for line in order.lines] == ["1", "3", "2"]
    assert [plan.shipment for plan in step.plans] == ["ASN-8", "ASN-9"]


def test_a_shipment_of_a_known_order_is_a_change_with_a_key_of_its_own() -> None:
    later = {"scheduled": "9-Jun-06", "recorded": "9-Jun-06"}
    first, second = days_of(a_row(id="1"), a_row(id="2", shipment="ASN-9", **later))
    assert [(order.key, order.added) for order in first.orders] == [("SCMS-4", False)]
    assert [(order.key, order.added) for order in second.orders] == [("SCMS-4@ASN-9", True)]
    assert [line.line_id for line in second.orders[0].lines] == ["2"]


def test_a_delivery_is_recorded_when_the_last_of_its_lines_is() -> None:
    first, second = days_of(a_row(id="1"), a_row(id="2", recorded="9-Jun-06", delivered="8-Jun-06"))
    assert (len(first.plans), first.deliveries) == (1, ())
    (delivery,) = second.deliveries
    assert (delivery.key, delivery.recorded_on.day, delivery.delivered_on.day) == ("ASN-8@received", 9, 8)
    assert second.plans == ()


def test_a_plan_has_no_room_for_what_only_the_record_says() -> None:
    """FLOW 7: nobody knows what is written on later rows."""
    names = {field.name for kind in (PlannedLine, ShipmentPlan) for field in fields(kind)}
    assert not {name for name in names if "deliver" in name or "record" in name or "weight" in name}


def test_until_a_day_leaves_out_every_later_step_and_what_only_it_speaks_of() -> None:
    rows = [
        a_row(id="1", recorded="9-Jun-06"),
        a_row(
            id="2",
            shipment="ASN-9",
            order="SCMS-9",
            project="200",
            country="Vietnam",
            vendor="Later",
            item="Other",
            scheduled="9-Jun-06",
            recorded="9-Jun-06",
        ),
    ]
    (step,) = days_of(*rows, until=date(2006, 6, 8))
    assert (len(step.plans), step.deliveries) == (1, ())
    named = masters([step])
    assert (named.sites, named.suppliers) == (("Côte d'Ivoire",), ("RANBAXY Fine Chemicals LTD.",))
    assert (named.customers, len(named.items)) == (("100-CI-T01",), 1)


@pytest.fixture(scope="module")
def real() -> tuple[DayStep, ...]:
    return steps(shipments(read_deliveries(shared_file(RECORDED).read_bytes()).lines))


@pytest.mark.records
def test_the_real_records_are_told_whole(real: tuple[DayStep, ...]) -> None:
    assert len(real) == 1949
    assert [step.day for step in real] == sorted(step.day for step in real)
    plans = [plan for step in real for plan in step.plans]
    lines = [line for plan in plans for line in plan.lines]
    assert (len(plans), len(lines), len({line.line_id for line in lines})) == (5971, 8446, 8446)
    assert sum(line.value for line in lines) == Decimal("1304986496.42")
    assert sum(line.quantity for line in lines) == 150937964
    deliveries = [delivery for step in real for delivery in step.deliveries]
    assert len(deliveries) == len({delivery.shipment for delivery in deliveries}) == 5971


@pytest.mark.records
def test_orders_of_the_real_records_become_known_shipment_by_shipment(real: tuple[DayStep, ...]) -> None:
    """FLOW 7.2: 15 orders have shipments planned on different days."""
    orders = [order for step in real for order in step.orders]
    assert len({order.order for order in orders}) == 5345
    assert len({order.key for order in orders}) == len(orders) == 5364
    assert len({order.order for order in orders if order.added}) == 15
    assert Counter(line.line_id for order in orders for line in order.lines).most_common(1)[0][1] == 1


@pytest.mark.records
def test_each_real_step_fits_in_one_batch_for_each_door(real: tuple[DayStep, ...]) -> None:
    assert max(len(step.plans) for step in real) <= 500
    assert max(len(step.deliveries) for step in real) <= 500


@pytest.mark.records
def test_the_real_records_name_their_masters(real: tuple[DayStep, ...]) -> None:
    named = masters(real)
    assert [len(part) for part in (named.sites, named.items, named.suppliers, named.customers)] == [
        40,
        177,
        68,
        126,
    ]


def rewritten(row: oracle.Row, *, planned: bool) -> oracle.Row:
    """Return the row with every value rewritten that nobody knew by `UNTIL`; where it stands stays."""
    later = dict(row)
    if oracle.written_day(row["Delivery Recorded Date"]) > UNTIL:
        day = 1 + int(row["ID"]) % 28
        later |= {"Delivered to Client Date": f"{day}-Jan-15", "Delivery Recorded Date": f"{day}-Feb-15"}
        later |= {"Freight Cost (USD)": "who knows", "Weight (Kilograms)": "-1"}
    if not planned:
        later |= {"Line Item Quantity": "7", "Line Item Value": "1", "Vendor": f"Vendor {row['ID']}"}
        later |= {"Country": "Elsewhere", "Project Code": "X", "Item Description": "Other"}
        later |= {"Scheduled Delivery Date": "1-Dec-14", "PO Sent to Vendor Date": "12/1/14"}
    return later


@pytest.mark.records
def test_values_not_known_by_a_day_change_nothing_that_is_told_by_it(real: tuple[DayStep, ...]) -> None:
    rows = oracle.read_rows(shared_file(RECORDED))
    planned = {entry.shipment for entry in oracle.verdicts(rows, UNTIL)}
    content = a_file(*(rewritten(row, planned=row["ASN/DN #"] in planned) for row in rows))
    changed = steps(shipments(read_deliveries(content).lines), UNTIL)
    assert changed == tuple(step for step in real if step.day <= UNTIL)
