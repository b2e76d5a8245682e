"""Aggregates of procurement in and out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from uuid import UUID

from chassis.persistence.database import Tx
from chassis.persistence.store import Store
from services.procurement import domain, tables

suppliers = Store(domain.Supplier, tables.suppliers, key="supplier_id")
track_records = Store(domain.TrackRecord, tables.track_records, key="supplier_id")
term_sheets = Store(domain.TermSheet, tables.term_sheets, key="item_id", children={"terms": tables.terms})
orders = Store(
    domain.PurchaseOrder, tables.purchase_orders, key="order_id", children={"lines": tables.purchase_order_lines}
)
sourcings = Store(
    domain.Sourcing,
    tables.sourcings,
    key="sourcing_id",
    children={"lines": tables.sourcing_lines, "alternatives": tables.alternatives, "decisions": tables.decisions},
)


# ── suppliers ────────────────────────────────────────────────────────────────────────────────────


def load_suppliers(tx: Tx, codes: Iterable[str]) -> None:
    """Lock and load many suppliers in one query."""
    tx.load(suppliers, map(domain.supplier_id, codes))


def find_supplier(tx: Tx, code: str) -> domain.Supplier | None:
    """Return a supplier, locked, or None."""
    return tx.find(suppliers, domain.supplier_id(code))


def save_supplier(tx: Tx, supplier: domain.Supplier) -> None:
    """Keep a supplier."""
    tx.save(suppliers, supplier)


def load_track_records(tx: Tx, codes: Iterable[str]) -> None:
    """Lock and load the track records of many suppliers in one query."""
    tx.load(track_records, map(domain.supplier_id, codes))


def find_track_record(tx: Tx, code: str) -> domain.TrackRecord | None:
    """Return a supplier's track record, locked, or None."""
    return tx.find(track_records, domain.supplier_id(code))


def save_track_record(tx: Tx, record: domain.TrackRecord) -> None:
    """Keep a track record."""
    tx.save(track_records, record)


def append_receipt(tx: Tx, receipt: domain.Receipt) -> None:
    """Add a receipt; a line is received once."""
    tx.append(tables.receipts, asdict(receipt))


# ── terms ────────────────────────────────────────────────────────────────────────────────────────


def load_term_sheets(tx: Tx, items: Iterable[str]) -> None:
    """Lock and load the term sheets of many items in one query."""
    tx.load(term_sheets, map(domain.item_id, items))


def find_term_sheet(tx: Tx, item: str) -> domain.TermSheet | None:
    """Return the term sheet of an item, locked, or None."""
    return tx.find(term_sheets, domain.item_id(item))


def save_term_sheet(tx: Tx, sheet: domain.TermSheet) -> None:
    """Keep a term sheet."""
    tx.save(term_sheets, sheet)


# ── purchase orders ──────────────────────────────────────────────────────────────────────────────


def load_orders(tx: Tx, order_ids: Iterable[UUID]) -> None:
    """Lock and load many purchase orders in one query."""
    tx.load(orders, order_ids)


def find_order(tx: Tx, order_id: UUID) -> domain.PurchaseOrder | None:
    """Return a purchase order, locked, or None."""
    return tx.find(orders, order_id)


def get_order(tx: Tx, order_id: UUID) -> domain.PurchaseOrder:
    """Return a purchase order, locked; raises NotFound."""
    return tx.get(orders, order_id)


def save_order(tx: Tx, order: domain.PurchaseOrder) -> None:
    """Keep a purchase order."""
    tx.save(orders, order)


# ── sourcing rounds ──────────────────────────────────────────────────────────────────────────────


def load(tx: Tx, sourcing_ids: Iterable[UUID]) -> None:
    """Lock and load many rounds in one query."""
    tx.load(sourcings, sourcing_ids)


def find(tx: Tx, sourcing_id: UUID) -> domain.Sourcing | None:
    """Return a round, locked, or None."""
    return tx.find(sourcings, sourcing_id)


def get(tx: Tx, sourcing_id: UUID) -> domain.Sourcing:
    """Return a round, locked; raises NotFound."""
    return tx.get(sourcings, sourcing_id)


def save(tx: Tx, sourcing: domain.Sourcing) -> None:
    """Keep a round."""
    tx.save(sourcings, sourcing)
