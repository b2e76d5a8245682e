"""Suppliers, and what their deliveries say about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from schemas.base import Event
from schemas.procurement import SupplierChanged
from schemas.types import subject_id


@dataclass(frozen=True, slots=True)
class Supplier:
    """Somebody who delivers. Not a `candidate`: a placeholder such as a central store, never offered as a way out."""

    supplier_id: UUID
    code: str
    name: str
    active: bool
    candidate: bool
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How many delivered purchase order lines of a supplier were recorded, and how many came by their promised day."""

    supplier_id: UUID
    supplier: str
    receipts: int
    receipts_on_time: int
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivered purchase order line; never changed."""

    shipment_line_id: UUID
    purchase_order_line_id: UUID
    supplier: str
    item: str
    promised_on: date
    received_on: date
    on_time: bool
    occurred_at: datetime
    recorded_at: datetime


def supplier_id(code: str) -> UUID:
    """Return the id of a supplier."""
    return subject_id("supplier", "master", code)


def upsert_supplier(
    existing: Supplier | None, *, code: str, name: str, active: bool, candidate: bool, now: datetime
) -> tuple[Supplier, list[Event]]:
    """Register a supplier, or change the one that is known; says nothing when nothing changed."""
    if existing is None:
        supplier = Supplier(supplier_id(code), code, name, active, candidate, occurred_at=now, recorded_at=now)
    else:
        supplier = replace(existing, name=name, active=active, candidate=candidate)
        if supplier == existing:
            return existing, []
        supplier = replace(supplier, occurred_at=now, recorded_at=now)
    changed = SupplierChanged(
        occurred_at=now, supplier_id=supplier.supplier_id, code=code, name=name, active=active, candidate=candidate
    )
    return supplier, [changed]


def count_receipt(record: TrackRecord | None, receipt: Receipt) -> TrackRecord:
    """Return the track record with one more receipt."""
    if record is None:
        record = TrackRecord(
            supplier_id(receipt.supplier), receipt.supplier, 0, 0, receipt.occurred_at, receipt.recorded_at
        )
    return replace(
        record,
        receipts=record.receipts + 1,
        receipts_on_time=record.receipts_on_time + receipt.on_time,
        occurred_at=max(record.occurred_at, receipt.occurred_at),
        recorded_at=max(record.recorded_at, receipt.recorded_at),
    )
