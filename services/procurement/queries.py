"""What can be asked of procurement; read-only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, Table, and_, distinct, false, func, literal, or_, select, tuple_

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from services.procurement.tables import (
    alternatives,
    decisions,
    purchase_order_lines,
    purchase_orders,
    receipts,
    sourcing_lines,
    sourcings,
    suppliers,
    term_sheets,
    terms,
    track_records,
)

# ── suppliers and terms ──────────────────────────────────────────────────────────────────────────


def suppliers_by_code(
    read: ReadTx, *, code: str | None = None, active: bool | None = None, after: str | None = None, limit: int = 100
) -> Sequence[Row[Any]]:
    """Return suppliers with what their receipts say, in the order of their codes."""
    query = (
        select(
            suppliers,
            func.coalesce(track_records.c.receipts, 0).label("receipts"),
            func.coalesce(track_records.c.receipts_on_time, 0).label("receipts_on_time"),
        )
        .join(track_records, track_records.c.supplier_id == suppliers.c.supplier_id, isouter=True)
        .order_by(suppliers.c.code)
        .limit(limit)
    )
    if code is not None:
        query = query.where(suppliers.c.code == code)
    if active is not None:
        query = query.where(suppliers.c.active == active)
    return read.rows(query.where(suppliers.c.code > after) if after is not None else query)


def terms_by_item(
    read: ReadTx,
    actor: Actor,
    *,
    supplier: str | None = None,
    item: str | None = None,
    kind: str | None = None,
    after: tuple[str, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return terms in the order of their items; a machine sees those of its own supplier."""
    query = (
        select(terms, term_sheets.c.item)
        .join(term_sheets, term_sheets.c.item_id == terms.c.item_id)
        .order_by(term_sheets.c.item, terms.c.term_id)
        .limit(limit)
    )
    for column, value in ((terms.c.supplier, supplier), (term_sheets.c.item, item), (terms.c.kind, kind)):
        if value is not None:
            query = query.where(column == value)
    if actor.is_machine:
        query = query.where(terms.c.supplier == actor.supplier if actor.supplier else false())
    if after is not None:
        query = query.where(tuple_(term_sheets.c.item, terms.c.term_id) > tuple_(*map(literal, after)))
    return read.rows(query)


# ── purchase orders ──────────────────────────────────────────────────────────────────────────────


def orders_by_recording(
    read: ReadTx,
    actor: Actor,
    *,
    supplier: str | None = None,
    destination: str | None = None,
    source: str | None = None,
    reference: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return purchase orders in scope, in the order in which they became known."""
    lines = select(func.count()).where(purchase_order_lines.c.order_id == purchase_orders.c.order_id)
    query = (
        select(purchase_orders, lines.scalar_subquery().label("lines"))
        .order_by(purchase_orders.c.recorded_at, purchase_orders.c.order_id)
        .limit(limit)
    )
    for name, value in (
        ("supplier", supplier),
        ("destination", destination),
        ("source", source),
        ("reference", reference),
    ):
        if value is not None:
            query = query.where(purchase_orders.c[name] == value)
    if actor.is_machine:
        query = query.where(_own_orders(actor))
    elif actor.sites is not None:
        query = query.where(purchase_orders.c.destination.in_(actor.sites))
    if after is not None:
        place = tuple_(purchase_orders.c.recorded_at, purchase_orders.c.order_id)
        query = query.where(place > tuple_(*map(literal, after)))
    return read.rows(query)


def order_with_lines(read: ReadTx, order_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]]]:
    """Return one purchase order and its lines with the day each was received; raises NotFound."""
    found = read.row(select(purchase_orders).where(purchase_orders.c.order_id == order_id))
    if found is None:
        raise NotFound(f"no purchase order {order_id} is known here; check the id, or list orders by reference")
    received = (
        select(func.max(receipts.c.received_on))
        .where(receipts.c.purchase_order_line_id == purchase_order_lines.c.line_id)
        .scalar_subquery()
    )
    lines = read.rows(
        select(purchase_order_lines, received.label("received_on"))
        .where(purchase_order_lines.c.order_id == order_id)
        .order_by(purchase_order_lines.c.position)
    )
    return found, lines


def _own_orders(actor: Actor) -> ColumnElement[bool]:
    """Narrow a subscriber to its scope of sites, and one with a source or a supplier of its own to its own orders."""
    seen = [purchase_orders.c.destination.in_(actor.sites)] if actor.sites is not None else [literal(True)]
    owned = [purchase_orders.c.source == actor.source] if actor.source else []
    owned += [purchase_orders.c.supplier == actor.supplier] if actor.supplier else []
    return and_(*seen, or_(*owned)) if owned else and_(*seen)


# ── sourcing rounds ──────────────────────────────────────────────────────────────────────────────


def rounds_of_cases(read: ReadTx, case_ids: Sequence[UUID]) -> list[UUID]:
    """Return the ids of the rounds of these cases."""
    rows = read.rows(
        select(sourcings.c.sourcing_id).where(sourcings.c.case_id.in_(case_ids)).order_by(sourcings.c.sourcing_id)
    )
    return [row.sourcing_id for row in rows]


def _seen_lines(actor: Actor) -> ColumnElement[bool]:
    """Return the condition under which a line lies in the reader's scope of sites and customers (FLOW 4.3)."""
    seen: list[ColumnElement[bool]] = [literal(True)]
    if actor.sites is not None:
        seen.append(sourcing_lines.c.site.in_(actor.sites))
    if actor.customers is not None:
        seen.append(sourcing_lines.c.customer.in_(actor.customers))
    return and_(*seen)


def _rounds_in_scope(query: Select[Any], actor: Actor) -> Select[Any]:
    if actor.sees_all:
        return query
    theirs = select(literal(1)).where(sourcing_lines.c.sourcing_id == sourcings.c.sourcing_id, _seen_lines(actor))
    return query.where(theirs.exists())


def rounds_by_recording(
    read: ReadTx,
    actor: Actor,
    *,
    case_id: UUID | None = None,
    task_id: UUID | None = None,
    cause_id: UUID | None = None,
    state: str | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return rounds in scope with how much of each is decided, in the order in which they were opened."""
    page = select(sourcings).order_by(sourcings.c.recorded_at, sourcings.c.sourcing_id).limit(limit)
    for name, value in (("case_id", case_id), ("task_id", task_id), ("cause_id", cause_id), ("state", state)):
        if value is not None:
            page = page.where(sourcings.c[name] == value)
    if after is not None:
        page = page.where(tuple_(sourcings.c.recorded_at, sourcings.c.sourcing_id) > tuple_(*map(literal, after)))
    rounds = _rounds_in_scope(page, actor).cte("page")
    counted = _counted_lines(rounds, actor).subquery("counted")
    counts = ("lines", "lines_with_candidate", "alternatives", "decided_lines")
    return read.rows(
        select(rounds, *(func.coalesce(counted.c[name], 0).label(name) for name in counts))
        .join(counted, counted.c.sourcing_id == rounds.c.sourcing_id, isouter=True)
        .order_by(rounds.c.recorded_at, rounds.c.sourcing_id)
    )


def _counted_lines(rounds: CTE, actor: Actor) -> Select[Any]:
    """Return for each of these rounds how many of its lines in scope there are, have a candidate, are decided."""
    return (
        select(
            sourcing_lines.c.sourcing_id,
            func.count(distinct(sourcing_lines.c.line_id)).label("lines"),
            func.count(distinct(alternatives.c.line_id)).label("lines_with_candidate"),
            func.count(alternatives.c.alternative_id).label("alternatives"),
            func.count(distinct(decisions.c.line_id)).label("decided_lines"),
        )
        .join(rounds, rounds.c.sourcing_id == sourcing_lines.c.sourcing_id)
        .join(alternatives, _of_line(alternatives), isouter=True)
        .join(decisions, and_(_of_line(decisions), decisions.c.opening == rounds.c.opening), isouter=True)
        .where(_seen_lines(actor))
        .group_by(sourcing_lines.c.sourcing_id)
    )


def _of_line(part: Table) -> ColumnElement[bool]:
    return and_(part.c.sourcing_id == sourcing_lines.c.sourcing_id, part.c.line_id == sourcing_lines.c.line_id)


def round_with_options(
    read: ReadTx, sourcing_id: UUID
) -> tuple[Row[Any], Sequence[Row[Any]], Sequence[Row[Any]], Sequence[Row[Any]]]:
    """Return one round, its lines, its alternatives by line and rank, and what was decided; raises NotFound."""
    found = read.row(select(sourcings).where(sourcings.c.sourcing_id == sourcing_id))
    if found is None:
        raise NotFound(f"no sourcing round {sourcing_id} is known here; check the id, or list rounds by case")

    def parts(table: Any, *order: Any) -> Sequence[Row[Any]]:
        return read.rows(select(table).where(table.c.sourcing_id == sourcing_id).order_by(*order))

    return (
        found,
        parts(sourcing_lines, sourcing_lines.c.reference, sourcing_lines.c.line_id),
        parts(alternatives, alternatives.c.line_id, alternatives.c.rank),
        parts(decisions, decisions.c.opening, decisions.c.recorded_at, decisions.c.line_id),
    )


def candidates_by_round(
    read: ReadTx,
    actor: Actor,
    *,
    case_id: UUID | None = None,
    cause_id: UUID | None = None,
    after: tuple[UUID, UUID] | None = None,
    limit: int = 100,
) -> Sequence[Row[Any]]:
    """Return pairs of line and supplier in scope, over all rounds."""
    query = (
        select(
            alternatives.c.sourcing_id,
            alternatives.c.alternative_id,
            sourcings.c.case_id,
            sourcings.c.cause_kind,
            sourcings.c.cause_id,
            alternatives.c.line_id,
            sourcing_lines.c.reference.label("line"),
            sourcing_lines.c.item,
            alternatives.c.supplier,
            alternatives.c.rank,
            alternatives.c.feasible,
        )
        .join(sourcings, sourcings.c.sourcing_id == alternatives.c.sourcing_id)
        .join(sourcing_lines, _of_line(alternatives))
        .where(_seen_lines(actor))
        .order_by(alternatives.c.sourcing_id, alternatives.c.alternative_id)
        .limit(limit)
    )
    for name, value in (("case_id", case_id), ("cause_id", cause_id)):
        if value is not None:
            query = query.where(sourcings.c[name] == value)
    if after is not None:
        place = tuple_(alternatives.c.sourcing_id, alternatives.c.alternative_id)
        query = query.where(place > tuple_(*map(literal, after)))
    return read.rows(query)


def candidate_figures(read: ReadTx) -> dict[str, int]:
    """Return for how many cases every line, or some line, has a candidate, and the pairs of line and supplier.

    A candidate that cannot work is a candidate: it is listed with its reasons.
    """
    by_case = (
        select(
            sourcings.c.case_id,
            func.count(distinct(sourcing_lines.c.line_id)).label("lines"),
            func.count(distinct(alternatives.c.line_id)).label("with_candidate"),
            func.count(alternatives.c.alternative_id).label("pairs"),
        )
        .join(sourcing_lines, sourcing_lines.c.sourcing_id == sourcings.c.sourcing_id)
        .join(alternatives, _of_line(alternatives), isouter=True)
        .group_by(sourcings.c.case_id)
        .subquery()
    )
    found = read.row(
        select(
            func.count().label("cases_with_round"),
            func.count()
            .filter(by_case.c.with_candidate == by_case.c.lines)
            .label("cases_with_candidate_for_every_line"),
            func.count().filter(by_case.c.with_candidate > 0).label("cases_with_candidate_for_some_line"),
            func.coalesce(func.sum(by_case.c.pairs), 0).label("candidates_total"),
        ).select_from(by_case)
    )
    rounds = read.scalar(select(func.count()).select_from(sourcings))
    return {"rounds": rounds, **({name: int(value) for name, value in found._mapping.items()} if found else {})}
