"""Small pieces of a procurement world: suppliers, terms, tasks and deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from schemas.exceptions import (
    AffectedLine,
    CaseExtended,
    TaskCompleted,
    TaskOpened,
    TaskReopened,
    TaskWaived,
    TaskWithdrawn,
)
from schemas.logistics import ShipmentLine, ShipmentReceived
from schemas.types import NAMESPACE, By, Cause, Money, subject_id
from services.procurement import domain
from services.procurement.__main__ import parts
from tests.support.service import START, ServiceUnderTest, open_service

NOW = START
TODAY = NOW.date()
LATER = NOW + timedelta(hours=1)
CASE = uuid5(NAMESPACE, "case")
TASK = uuid5(NAMESPACE, "task")
SHIPMENT = subject_id("shipment", "erp", "S1")
CAUSE = Cause(kind="shipment-delay", id=SHIPMENT)
ROUND = domain.sourcing_id(TASK)
LEAD = By(subject="lena", role="planning-lead")
BUYER = By(subject="pia", role="procurement")


def usd(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


@contextmanager
def procurement_service(fresh_database: Callable[[str], str]) -> Iterator[ServiceUnderTest]:
    """Open procurement on a fresh database."""
    with open_service(parts(), fresh_database("procurement")) as opened:
        yield opened


def affected(reference: str = "1", **changes: Any) -> AffectedLine:
    """A line that is needed in two days, comes in nine, and is ACME's."""
    fields: dict[str, Any] = {
        "line_id": subject_id("shipment-line", "erp", f"S1/{reference}"),
        "reference": reference,
        "shipment_id": SHIPMENT,
        "item": "gloves",
        "site": "Abidjan",
        "quantity": Decimal(100),
        "value": usd(1000),
        "needed_on": TODAY + timedelta(days=2),
        "expected_on": TODAY + timedelta(days=9),
        "customer": "clinic",
        "supplier": "ACME",
        "purchase_order_line_id": subject_id("purchase-order-line", "erp", f"P1/{reference}"),
    }
    return AffectedLine(**fields | changes)


def a_line(reference: str = "1", **changes: Any) -> domain.Line:
    return domain.lines_of([affected(reference, **changes)])[0]


def a_supplier(code: str, **changes: Any) -> domain.Supplier:
    fields: dict[str, Any] = {"code": code, "name": code, "active": True, "candidate": True, "now": NOW}
    return domain.upsert_supplier(None, **fields | changes)[0]


def a_sheet(item: str, *suppliers: str, **term: Any) -> domain.TermSheet:
    """Agreed terms of some suppliers for an item, the same for each."""
    sheet: domain.TermSheet | None = None
    fields: dict[str, Any] = {
        "price": usd(5),
        "freight": usd(1),
        "lead_time_days": 2,
        "minimum_quantity": None,
        "capacity_per_week": None,
        "effective_from": TODAY,
        "effective_to": None,
        "now": NOW,
    }
    for supplier in suppliers:
        sheet = domain.upsert_term(sheet, item=item, supplier=supplier, **fields | term)
    assert sheet is not None
    return sheet


def a_market(*sheets: domain.TermSheet, records: tuple[domain.TrackRecord, ...] = (), **supplier: Any) -> domain.Market:
    """Every supplier of these sheets, registered."""
    codes = {term.supplier for sheet in sheets for term in sheet.terms}
    return domain.Market(
        sheets={sheet.item: sheet for sheet in sheets},
        suppliers={code: a_supplier(code, **supplier) for code in codes},
        records={record.supplier: record for record in records},
    )


def a_record(supplier: str, on_time: int, receipts: int) -> domain.TrackRecord:
    return domain.TrackRecord(domain.supplier_id(supplier), supplier, receipts, on_time, NOW, NOW)


def _case(occurred_at: datetime = NOW) -> dict[str, Any]:
    return {
        "occurred_at": occurred_at,
        "case_id": CASE,
        "cause": CAUSE,
        "severity": "high",
        "sites": ("Abidjan",),
        "customers": ("clinic",),
    }


def _task(kind: str = domain.TASK_KIND) -> dict[str, Any]:
    return _case() | {"task_id": TASK, "kind": kind, "function": "procurement", "required": True}


def _asked(lines: tuple[AffectedLine, ...], limit: Money | None) -> dict[str, Any]:
    return {
        "lines": lines,
        "needed_on": min(line.needed_on for line in lines),
        "commit_by": LATER,
        "complete_by": LATER,
        "money_limit": limit,
    }


def task_opened(*lines: AffectedLine, limit: Money | None = None, kind: str = domain.TASK_KIND) -> TaskOpened:
    return TaskOpened(**_task(kind), title="Find another source", **_asked(lines or (affected(),), limit))


def task_reopened(*lines: AffectedLine, limit: Money | None = None) -> TaskReopened:
    return TaskReopened(**_task(), reason="it came back", **_asked(lines or (affected(),), limit))


def task_withdrawn(reason: str = "the shipment came in time") -> TaskWithdrawn:
    return TaskWithdrawn(**_task(), reason=reason)


def task_waived(reason: str = "the customer can wait") -> TaskWaived:
    return TaskWaived(**_task(), by=LEAD, reason=reason)


def task_completed(outcome: str = "sourced by telephone") -> TaskCompleted:
    return TaskCompleted(**_task(), by=BUYER, outcome=outcome)


def case_extended(*lines: AffectedLine) -> CaseExtended:
    return CaseExtended(**_case(), headline="later still", value_at_risk=usd(1000), lines=lines)


def received(
    reference: str,
    supplier: str | None,
    *,
    item: str = "gloves",
    promised_on: date = TODAY,
    received_on: date = TODAY,
    ordered: bool = True,
) -> ShipmentReceived:
    """A shipment of one line that arrived."""
    line = ShipmentLine(
        line_id=subject_id("shipment-line", "erp", f"{reference}/1"),
        reference="1",
        item=item,
        quantity=Decimal(10),
        value=usd(100),
        promised_on=promised_on,
        supplier=supplier,
        purchase_order_line_id=subject_id("purchase-order-line", "erp", f"{reference}/1") if ordered else None,
    )
    return ShipmentReceived(
        occurred_at=NOW,
        shipment_id=subject_id("shipment", "erp", reference),
        reference=reference,
        destination="Abidjan",
        lines=(line,),
        received_on=received_on,
        received_at=datetime(received_on.year, received_on.month, received_on.day, tzinfo=UTC),
        promised_on=promised_on,
        days_late=max(0, (received_on - promised_on).days),
    )


def with_suppliers(opened: ServiceUnderTest, *codes: str, item: str = "gloves", **term: Any) -> None:
    """Register suppliers through the door; with a price, agree the same term with each."""
    for code in codes:
        made = opened.post("/suppliers", {"code": code, "name": code}, role="procurement")
        assert made.status_code == 201, made.text
        if term:
            body = {"supplier": code, "item": item, "effective_from": TODAY.isoformat()} | term
            made = opened.post("/terms", body, role="procurement")
            assert made.status_code == 201, made.text


def price(amount: str, currency: str = "USD") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def option_of(opened: ServiceUnderTest, supplier: str, line: int = 0) -> dict[str, Any]:
    """The option of a supplier in the round, as the planning lead reads it."""
    whole = opened.get(f"/sourcings/{ROUND}").json()
    found: dict[str, Any] = next(o for o in whole["lines"][line]["options"] if o["supplier"] == supplier)
    return found


def ids(*things: str) -> list[UUID]:
    return [UUID(thing) for thing in things]
