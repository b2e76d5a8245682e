"""Suppliers and terms over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis import http
from chassis.http import Body
from chassis.persistence.database import Tx
from schemas.types import ItemCode, Money, Quantity, Sensitive, SupplierCode, Text
from services.procurement import domain, operations, queries
from services.procurement.api.bodies import Limit, money, share

router = http.Router()


class RegisterSupplier(Body):
    """A supplier to register or change; a placeholder such as a central store is no candidate."""

    code: SupplierCode
    name: Text
    active: bool = True
    candidate: bool = True


class RegisterSupplierItem(http.Item, RegisterSupplier):
    """A supplier, from a source."""


class AgreeTerm(Body):
    """What holds between a supplier and us for an item; price and freight (with duty, to the destination) are per unit."""

    supplier: SupplierCode
    item: ItemCode
    effective_from: date
    effective_to: date | None = None
    price: Money | None = None
    freight: Money | None = None
    lead_time_days: Annotated[int | None, Field(ge=0, le=1000)] = None
    minimum_quantity: Quantity | None = None
    capacity_per_week: Quantity | None = None


class AgreeTermItem(http.Item, AgreeTerm):
    """A term, from a source."""


class SupplierMade(http.Response):
    supplier_id: UUID
    code: str


class TermMade(http.Response):
    term_id: UUID
    supplier: str
    item: str


class SupplierShown(http.Response):
    """A supplier, with the share of its delivered lines that came by their promised day, and of how many."""

    supplier_id: UUID
    code: str
    name: str
    active: bool
    candidate: bool
    receipts: int
    receipts_on_time: int
    on_time_share: str | None


class TermShown(http.Response):
    """A term; an observed one says only that the supplier has delivered the item."""

    term_id: UUID
    supplier: str
    item: str
    kind: Literal["agreed", "observed"]
    price: Annotated[Money | None, Sensitive("cost")]
    freight: Annotated[Money | None, Sensitive("freight")]
    lead_time_days: int | None
    minimum_quantity: Decimal | None
    capacity_per_week: Decimal | None
    effective_from: date
    effective_to: date | None
    deliveries: int
    last_delivered_on: date | None
    recorded_at: datetime


def _register(tx: Tx, body: RegisterSupplier) -> domain.Supplier:
    return operations.upsert_supplier(tx, code=body.code, name=body.name, active=body.active, candidate=body.candidate)


def _agree(tx: Tx, body: AgreeTerm) -> UUID:
    return operations.upsert_term(
        tx,
        supplier=body.supplier,
        item=body.item,
        effective_from=body.effective_from,
        effective_to=body.effective_to,
        price=body.price,
        freight=body.freight,
        lead_time_days=body.lead_time_days,
        minimum_quantity=body.minimum_quantity,
        capacity_per_week=body.capacity_per_week,
    )


def named(body: http.RawBatch, field: str) -> set[str]:
    """Return the codes that a batch names, so that they are loaded in one query."""
    return {raw[field] for raw in body.items if isinstance(raw.get(field), str)}


@router.act("/suppliers", may="keep-procurement", status=201)
def register_supplier(body: RegisterSupplier, act: http.ActContext) -> SupplierMade:
    """Register a supplier or change it."""
    supplier = _register(act.tx, body)
    return SupplierMade(supplier_id=supplier.supplier_id, code=supplier.code)


@router.batch("/suppliers:batch", may="keep-procurement", item=RegisterSupplierItem)
def register_suppliers(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Register up to 500 suppliers."""
    operations.load_suppliers(act.tx, codes=named(body, "code"))
    return http.run_batch(
        act,
        body,
        door="register-suppliers",
        item=RegisterSupplierItem,
        each=lambda tx, item: _register(tx, item).supplier_id,
    )


@router.act("/terms", may="keep-procurement", status=201)
def agree_term(body: AgreeTerm, act: http.ActContext) -> TermMade:
    """Agree a term with a supplier, or correct the one that begins on the same day."""
    return TermMade(term_id=_agree(act.tx, body), supplier=body.supplier, item=body.item)


@router.batch("/terms:batch", may="keep-procurement", item=AgreeTermItem)
def agree_terms(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Agree up to 500 terms."""
    operations.load_suppliers(act.tx, codes=named(body, "supplier"))
    operations.load_term_sheets(act.tx, items=named(body, "item"))
    return http.run_batch(act, body, door="agree-terms", item=AgreeTermItem, each=_agree)


@router.question("/suppliers", topic="procurement.supplier")
def list_suppliers(
    ask: http.QueryContext,
    code: str | None = None,
    active: bool | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[SupplierShown]:
    """Return suppliers in the order of their codes, each with its past on-time share."""
    last = ask.after(cursor, code, active)
    rows = queries.suppliers_by_code(
        ask.read, code=code, active=active, after=last[0] if last else None, limit=limit + 1
    )
    shown = [
        SupplierShown(
            supplier_id=row.supplier_id,
            code=row.code,
            name=row.name,
            active=row.active,
            candidate=row.candidate,
            receipts=row.receipts,
            receipts_on_time=row.receipts_on_time,
            on_time_share=share(row.receipts_on_time, row.receipts),
        )
        for row in rows
    ]
    return http.Page[SupplierShown](**ask.page(shown, lambda s: [s.code], limit, code, active))


@router.question("/terms", topic="procurement.supplier")
def list_terms(
    ask: http.QueryContext,
    supplier: str | None = None,
    item: str | None = None,
    kind: Literal["agreed", "observed"] | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[TermShown]:
    """Return terms, agreed and observed, in the order of their items."""
    last = ask.after(cursor, supplier, item, kind)
    after = (last[0], UUID(last[1])) if last else None
    rows = queries.terms_by_item(
        ask.read, ask.actor, supplier=supplier, item=item, kind=kind, after=after, limit=limit + 1
    )
    shown = [_term(row._mapping) for row in rows]
    return http.Page[TermShown](**ask.page(shown, lambda t: [t.item, t.term_id], limit, supplier, item, kind))


def _term(row: object) -> TermShown:
    fields = dict(row)  # type: ignore[call-overload]  # a row's mapping
    return TermShown(
        price=money(fields, "price"),
        freight=money(fields, "freight"),
        **{name: value for name, value in fields.items() if name in TermShown.model_fields},
    )
