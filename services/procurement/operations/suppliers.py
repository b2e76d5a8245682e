"""Suppliers and their terms: one function per act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.types import Money
from services.procurement import domain, repository


def upsert_supplier(tx: Tx, *, code: str, name: str, active: bool = True, candidate: bool = True) -> domain.Supplier:
    """Register a supplier or change it; a placeholder is registered with `candidate` false."""
    existing = repository.find_supplier(tx, code)
    supplier, events = domain.upsert_supplier(
        existing, code=code, name=name, active=active, candidate=candidate, now=tx.now
    )
    repository.save_supplier(tx, supplier)
    tx.emit(events)
    return supplier


def upsert_term(
    tx: Tx,
    *,
    supplier: str,
    item: str,
    effective_from: date,
    effective_to: date | None = None,
    price: Money | None = None,
    freight: Money | None = None,
    lead_time_days: int | None = None,
    minimum_quantity: Decimal | None = None,
    capacity_per_week: Decimal | None = None,
) -> UUID:
    """Agree a term with a supplier, or correct the one that begins on the same day; raises UnknownSupplier, Invalid."""
    registered_supplier(tx, code=supplier)
    sheet = domain.upsert_term(
        repository.find_term_sheet(tx, item),
        item=item,
        supplier=supplier,
        price=price,
        freight=freight,
        lead_time_days=lead_time_days,
        minimum_quantity=minimum_quantity,
        capacity_per_week=capacity_per_week,
        effective_from=effective_from,
        effective_to=effective_to,
        now=tx.now,
    )
    repository.save_term_sheet(tx, sheet)
    return domain.term_id("agreed", supplier, item, effective_from)


def load_suppliers(tx: Tx, *, codes: Iterable[str]) -> None:
    """Lock and load the suppliers that a batch names."""
    repository.load_suppliers(tx, codes)


def load_term_sheets(tx: Tx, *, items: Iterable[str]) -> None:
    """Lock and load the term sheets that a batch will write."""
    repository.load_term_sheets(tx, items)


def registered_supplier(tx: Tx, *, code: str) -> domain.Supplier:
    """Return a supplier, locked; raises UnknownSupplier."""
    supplier = repository.find_supplier(tx, code)
    if supplier is None:
        raise domain.UnknownSupplier(f"supplier {code!r} is not registered; register it first", field="supplier")
    return supplier
