"""Terms: price, lead time and quantities of an item from a supplier; agreed, or observed in deliveries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from chassis.errors import Invalid
from schemas.types import Money, subject_id

TermKind = Literal["agreed", "observed"]


@dataclass(frozen=True, slots=True)
class Term:
    """What holds between a supplier and us for one item.

    An observed term says only that the supplier has delivered the item, so often, last on that day. `recorded_at`
    is when the term became known: a round reads only what was known before it.
    """

    term_id: UUID
    supplier: str
    kind: TermKind
    price: Money | None
    freight: Money | None
    lead_time_days: int | None
    minimum_quantity: Decimal | None
    capacity_per_week: Decimal | None
    effective_from: date
    effective_to: date | None
    deliveries: int
    last_delivered_on: date | None
    occurred_at: datetime
    recorded_at: datetime

    def in_force(self, now: datetime) -> bool:
        """Return whether the term holds on the day of `now`; an observed term must be recorded before that instant."""
        if self.kind == "observed":
            return self.recorded_at < now
        day = now.date()
        ended = self.effective_to is not None and self.effective_to < day
        return self.recorded_at <= now and self.effective_from <= day and not ended


@dataclass(frozen=True, slots=True)
class TermSheet:
    """All terms for one item, of every supplier."""

    item_id: UUID
    item: str
    terms: tuple[Term, ...]

    def in_force(self, now: datetime) -> dict[str, Term]:
        """Return the term of each supplier that holds now: the agreed one that began last, else the observed one."""
        found: dict[str, Term] = {}
        for term in sorted(self.terms, key=lambda t: (t.kind == "agreed", t.effective_from, str(t.term_id))):
            if term.in_force(now):
                found[term.supplier] = term
        return found


def item_id(item: str) -> UUID:
    """Return the id of an item: also of its term sheet."""
    return subject_id("item", "master", item)


def term_id(kind: TermKind, supplier: str, item: str, effective_from: date | None = None) -> UUID:
    """Return the id of a term; agreed terms of one pair differ by the day from which they hold."""
    began = "" if effective_from is None else effective_from.isoformat()
    return subject_id("term", kind, "\x1f".join((supplier, item, began)))


def upsert_term(
    sheet: TermSheet | None,
    *,
    item: str,
    supplier: str,
    price: Money | None,
    freight: Money | None,
    lead_time_days: int | None,
    minimum_quantity: Decimal | None,
    capacity_per_week: Decimal | None,
    effective_from: date,
    effective_to: date | None,
    now: datetime,
) -> TermSheet:
    """Write an agreed term on the item's sheet; one of the same supplier and first day is corrected.

    Raises Invalid where the days or the currencies contradict each other.
    """
    if effective_to is not None and effective_to < effective_from:
        raise Invalid(f"the term ends {effective_to} before it begins {effective_from}", field="effective_to")
    if price is not None and freight is not None and price.currency != freight.currency:
        raise Invalid(
            f"price in {price.currency}, freight in {freight.currency}: one currency per term", field="freight"
        )
    if freight is not None and price is None:
        raise Invalid("freight without a price gives no landed cost; give the price too", field="price")
    sheet = sheet or TermSheet(item_id(item), item, ())
    identity = term_id("agreed", supplier, item, effective_from)
    existing = next((t for t in sheet.terms if t.term_id == identity), None)
    term = Term(
        identity,
        supplier,
        "agreed",
        price,
        freight,
        lead_time_days,
        minimum_quantity,
        capacity_per_week,
        effective_from,
        effective_to,
        0,
        None,
        occurred_at=existing.occurred_at if existing else now,
        recorded_at=existing.recorded_at if existing else now,
    )
    return _written(sheet, term)


def observe_delivery(
    sheet: TermSheet | None, *, item: str, supplier: str, received_on: date, received_at: datetime, now: datetime
) -> TermSheet:
    """Write on the item's sheet that the supplier has delivered it; the term is known from the first recording on."""
    sheet = sheet or TermSheet(item_id(item), item, ())
    identity = term_id("observed", supplier, item)
    existing = next((t for t in sheet.terms if t.term_id == identity), None)
    if existing is None:
        term = Term(
            identity,
            supplier,
            "observed",
            None,
            None,
            None,
            None,
            None,
            effective_from=received_on,
            effective_to=None,
            deliveries=1,
            last_delivered_on=received_on,
            occurred_at=received_at,
            recorded_at=now,
        )
    else:
        term = replace(
            existing,
            deliveries=existing.deliveries + 1,
            last_delivered_on=max(existing.last_delivered_on or received_on, received_on),
            recorded_at=min(existing.recorded_at, now),
        )
    return _written(sheet, term)


def _written(sheet: TermSheet, term: Term) -> TermSheet:
    others = tuple(t for t in sheet.terms if t.term_id != term.term_id)
    return replace(sheet, terms=tuple(sorted((*others, term), key=lambda t: t.term_id)))
