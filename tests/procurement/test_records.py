"""Eight years of real deliveries through procurement's reactions: the candidates come out exactly."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from chassis.ids import time_ordered_id
from formats.scms import read_deliveries
from formats.scms_steps import Shipment, shipments
from schemas.base import Event
from schemas.envelope import Envelope, wrap
from schemas.exceptions import AffectedLine, TaskOpened
from schemas.logistics import ShipmentLine, ShipmentReceived
from schemas.types import Cause, Money, subject_id
from services.procurement import operations
from tests.support.records import RECORDED, shared_file
from tests.support.service import ServiceUnderTest

DAY = timedelta(days=1)


def start_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def told(event: Event, at: datetime) -> Envelope:
    cause = UUID(int=1)
    return wrap(
        event,
        id=time_ordered_id(),
        source="/crossdock/test/elsewhere",
        recorded_at=at,
        correlation_id=cause,
        causation_id=cause,
        cause_kind="signal",
    )


def line_ids(shipment: str, order: str, line: str, *, direct: bool) -> tuple[UUID, UUID | None]:
    bought = subject_id("purchase-order-line", "scms", f"{order}/{line}") if direct else None
    return subject_id("shipment-line", "scms", f"{shipment}/{line}"), bought


def receipt(one: Shipment) -> Envelope:
    plan, direct = one.plan, one.plan.fulfilment == "Direct Drop"
    lines = []
    for line in plan.lines:
        line_id, bought = line_ids(plan.shipment, plan.order, line.line_id, direct=direct)
        lines.append(
            ShipmentLine(
                line_id=line_id,
                reference=line.line_id,
                item=line.item,
                quantity=line.quantity,
                value=Money(amount=line.value, currency="USD"),
                promised_on=line.scheduled_on,
                purchase_order_line_id=bought,
                supplier=plan.vendor if direct else None,
            )
        )
    at = start_of(one.delivery.recorded_on)
    return told(
        ShipmentReceived(
            occurred_at=at,
            shipment_id=subject_id("shipment", "scms", plan.shipment),
            reference=plan.shipment,
            destination=plan.country,
            lines=tuple(lines),
            received_on=one.delivery.delivered_on,
            received_at=start_of(one.delivery.delivered_on),
            promised_on=plan.due_on,
            days_late=max(0, (one.delivery.delivered_on - plan.due_on).days),
        ),
        at,
    )


def task(one: Shipment) -> Envelope:
    plan, direct = one.plan, one.plan.fulfilment == "Direct Drop"
    shipment_id = subject_id("shipment", "scms", plan.shipment)
    at = start_of(plan.due_on + DAY)
    lines = []
    for line in plan.lines:
        line_id, bought = line_ids(plan.shipment, plan.order, line.line_id, direct=direct)
        lines.append(
            AffectedLine(
                line_id=line_id,
                reference=line.line_id,
                shipment_id=shipment_id,
                item=line.item,
                site=plan.country,
                quantity=line.quantity,
                value=Money(amount=line.value, currency="USD"),
                needed_on=line.scheduled_on,
                customer=plan.project,
                purchase_order_line_id=bought,
                supplier=plan.vendor if direct else None,
            )
        )
    return told(
        TaskOpened(
            occurred_at=at,
            case_id=subject_id("case", "test", plan.shipment),
            task_id=subject_id("task", "test", plan.shipment),
            cause=Cause(kind="shipment-delay", id=shipment_id),
            severity="high",
            sites=(plan.country,),
            customers=(plan.project,),
            kind="find-alternative-source",
            function="procurement",
            required=True,
            title="Find another source",
            lines=tuple(lines),
            needed_on=plan.due_on,
            commit_by=at,
            complete_by=at,
        ),
        at,
    )


@pytest.mark.timing
@pytest.mark.records
def test_the_candidates_of_the_delivery_records_are_exact_and_cost_little(procurement: ServiceUnderTest) -> None:
    """FLOW 7.3: a recorded Direct Drop line is an observed term, known from the day of recording; 4,730 pairs in all."""
    known = shipments(read_deliveries(shared_file(RECORDED).read_bytes()).lines)
    vendors = sorted({one.plan.vendor for one in known if one.plan.fulfilment == "Direct Drop"})
    procurement.set_clock(datetime(2000, 1, 1, tzinfo=UTC))
    procurement.do(lambda tx: [operations.upsert_supplier(tx, code=vendor, name=vendor) for vendor in vendors])
    recorded: dict[datetime, list[Shipment]] = defaultdict(list)
    due: dict[datetime, list[Shipment]] = defaultdict(list)
    for one in known:
        recorded[start_of(one.delivery.recorded_on)].append(one)
        if one.delivery.recorded_on > one.plan.due_on:
            due[start_of(one.plan.due_on + DAY)].append(one)
    began = time.process_time()
    waiting: list[Envelope] = []
    for at in sorted({*recorded, *due}):
        if due[at]:
            procurement.consume(*waiting, *(task(one) for one in due[at]))
            waiting = []
        waiting += [receipt(one) for one in recorded[at]]
    procurement.consume(*waiting)
    seconds = time.process_time() - began
    figures = procurement.get("/figures").json()
    assert figures["rounds"] == 990
    assert figures["cases_with_candidate_for_every_line"] == 860
    assert figures["cases_with_candidate_for_some_line"] == 891
    assert figures["candidates_total"] == 4730
    assert procurement.names().count("sourcing.opened") == 990
    assert procurement.rows("SELECT count(*) AS terms FROM terms") == [{"terms": 354}]
    assert procurement.rows(
        "SELECT max(n) AS most FROM (SELECT count(*) AS n FROM alternatives GROUP BY line_id) AS l"
    ) == [{"most": 9}]
    assert seconds < 60, f"{seconds:.1f} s of this process"
