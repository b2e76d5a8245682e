"""A small world around sales: customers, orders, and the facts that other services would say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from schemas.exceptions import AffectedLine, CaseExtended, TaskOpened, TaskReopened, TaskWithdrawn
from schemas.logistics import ShipmentDelayed, ShipmentExtended, ShipmentLine, ShipmentReceived
from schemas.types import Cause, Money, subject_id
from services.sales import operations
from services.sales.domain import Customer, NewLine, Order, place_order, upsert_customer
from tests.support.service import START, ServiceUnderTest

SOURCE = "erp"
SITE = "Abidjan"
PROMISED = date(2026, 3, 4)
CASE = subject_id("case", "test", "1")
TASK = subject_id("task", "test", "1")
USD = "USD"


def money(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency=USD)


def new_line(reference: str = "1", *, promised_on: date = PROMISED, value: str = "100.00", **more: Any) -> NewLine:
    return NewLine(
        reference=reference, item="bandage", quantity=Decimal(10), value=money(value), promised_on=promised_on, **more
    )


def a_customer(code: str = "clinic", **more: Any) -> Customer:
    stated = {"name": code.title(), "tier": "key", "contact": f"{code}@example.org", "zone": "UTC", "source": SOURCE}
    return upsert_customer(None, code=code, now=START, **(stated | more))


def an_order(reference: str = "O1", *lines: NewLine, customer: str = "clinic") -> Order:
    order, _ = place_order(
        source=SOURCE, reference=reference, customer=customer, site=SITE, lines=lines or [new_line()], now=START
    )
    return order


def known_customer(sales: ServiceUnderTest, code: str = "clinic", **more: Any) -> None:
    stated = {"name": code.title(), "tier": "key", "contact": f"{code}@example.org", "zone": "UTC", "source": SOURCE}
    sales.do(lambda tx: operations.upsert_customer(tx, code=code, **(stated | more)))


def placed(
    sales: ServiceUnderTest, reference: str = "O1", *lines: NewLine, customer: str = "clinic", site: str = SITE
) -> Order:
    known_customer(sales, customer)
    made: Order = sales.do(
        lambda tx: operations.place_order(
            tx, source=SOURCE, reference=reference, customer=customer, site=site, lines=lines or [new_line()]
        )
    )
    return made


# ── what logistics says ──────────────────────────────────────────────────────────────────────────


def cause_of(shipment: str = "S1") -> Cause:
    return Cause(kind="shipment-delay", id=subject_id("shipment", SOURCE, shipment))


def shipped(order: Order, *, shipment: str = "S1") -> list[ShipmentLine]:
    """Return the shipment lines that carry a whole order."""
    return [
        ShipmentLine(
            line_id=subject_id("shipment-line", SOURCE, f"{shipment}/{order.reference}/{line.reference}"),
            reference=line.reference,
            item=line.item,
            quantity=line.quantity,
            value=line.value,
            promised_on=line.promised_on,
            order_id=order.order_id,
            order_line_id=line.order_line_id,
            customer=order.customer,
        )
        for line in order.lines
    ]


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(0), tzinfo=UTC)


def _delay(shipment: str, lines: Sequence[ShipmentLine], days: int | None, promised_on: date) -> dict[str, Any]:
    promised_at = end_of(promised_on)
    expected_at = None if days is None else promised_at + timedelta(days=days) - timedelta(hours=6)
    return {
        "occurred_at": START,
        "shipment_id": cause_of(shipment).id,
        "reference": shipment,
        "destination": SITE,
        "lines": tuple(lines),
        "cause": cause_of(shipment),
        "cause_occurred_at": START,
        "basis": "overdue" if days is None else "reported",
        "provisional": days is None,
        "promised_on": promised_on,
        "promised_at": promised_at,
        "expected_at": expected_at,
        "delay_minutes": 0 if days is None else days * 1440,
    }


def delayed(
    lines: Sequence[ShipmentLine], *, days: int | None = 2, shipment: str = "S1", promised_on: date = PROMISED
) -> ShipmentDelayed:
    """Return a delay of whole days, or without a date (`days` None: silence)."""
    return ShipmentDelayed(**_delay(shipment, lines, days, promised_on))


def extended(
    lines: Sequence[ShipmentLine], *, days: int | None, shipment: str = "S1", promised_on: date = PROMISED
) -> ShipmentExtended:
    """Return a delay that grew to this many days."""
    return ShipmentExtended(**_delay(shipment, lines, days, promised_on))


def received(lines: Sequence[ShipmentLine], *, on: date, shipment: str = "S1") -> ShipmentReceived:
    """Return the receipt of a shipment."""
    return ShipmentReceived(
        occurred_at=START,
        shipment_id=cause_of(shipment).id,
        reference=shipment,
        destination=SITE,
        lines=tuple(lines),
        received_on=on,
        received_at=datetime.combine(on, time(10), tzinfo=UTC),
        promised_on=PROMISED,
        days_late=max(0, (on - PROMISED).days),
    )


# ── what exceptions says ─────────────────────────────────────────────────────────────────────────


def _case(shipment: str, case_id: UUID) -> dict[str, Any]:
    return {
        "occurred_at": START,
        "case_id": case_id,
        "cause": cause_of(shipment),
        "severity": "high",
        "sites": (SITE,),
        "customers": (),
    }


def _task(shipment: str, task_id: UUID, case_id: UUID, kind: str) -> dict[str, Any]:
    return _case(shipment, case_id) | {
        "task_id": task_id,
        "kind": kind,
        "function": "sales" if kind == "notify-customers" else "procurement",
        "required": True,
    }


def _asked() -> dict[str, Any]:
    due = START + timedelta(hours=8)
    return {"lines": (), "needed_on": PROMISED, "commit_by": due, "complete_by": due}


def task_opened(
    shipment: str = "S1", *, task_id: UUID = TASK, case_id: UUID = CASE, kind: str = "notify-customers"
) -> TaskOpened:
    return TaskOpened(**_task(shipment, task_id, case_id, kind), **_asked(), title="tell the customers")


def task_reopened(shipment: str = "S1", *, task_id: UUID = TASK, case_id: UUID = CASE) -> TaskReopened:
    return TaskReopened(**_task(shipment, task_id, case_id, "notify-customers"), **_asked(), reason="it came back")


def task_withdrawn(shipment: str = "S1", *, task_id: UUID = TASK, case_id: UUID = CASE) -> TaskWithdrawn:
    return TaskWithdrawn(**_task(shipment, task_id, case_id, "notify-customers"), reason="it is in time again")


def case_extended(shipment: str = "S1", *, case_id: UUID = CASE, lines: Sequence[AffectedLine] = ()) -> CaseExtended:
    return CaseExtended(**_case(shipment, case_id), headline="later still", value_at_risk=money(0), lines=tuple(lines))
