"""HTTP in: customers, orders and promises."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from fastapi.responses import JSONResponse

from chassis import http
from chassis.http.auth import Actor
from chassis.ids import derived_id
from chassis.persistence.database import Tx
from schemas.types import Money, Tier
from services.sales import domain, operations, queries
from services.sales.api.shapes import (
    Because,
    ChangeOrder,
    ConfirmLine,
    CustomerShown,
    CustomerStated,
    KeepCustomer,
    KeepCustomerItem,
    Ledger,
    LineShown,
    LineStated,
    OrderRow,
    OrderStated,
    OrderWhole,
    PlaceOrder,
    PlaceOrderItem,
    PromiseShown,
    RevisePromise,
    StatementShown,
    StatePromise,
)

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


def _keep_customer(act: http.ActContext, source: str, body: CustomerStated) -> domain.Customer:
    act.actor.must_see(customer=body.code)
    known = operations.find_customer(act.tx, code=body.code)
    act.actor.must_own(source=known.source if known else source)
    stated = {name: getattr(body, name) for name in CustomerStated.model_fields}
    return operations.upsert_customer(act.tx, **stated, source=source)


def _lines(lines: list[LineStated]) -> list[domain.NewLine]:
    return [domain.NewLine(**{name: getattr(line, name) for name in LineStated.model_fields}) for line in lines]


def _order(actor: Actor, source: str, body: OrderStated) -> dict[str, Any]:
    actor.must_see(site=body.site, customer=body.customer)
    return {
        "source": source,
        "reference": body.reference,
        "customer": body.customer,
        "site": body.site,
        "lines": _lines(body.lines),
    }


def _mine(act: http.ActContext, order: domain.Order) -> domain.Order:
    """Return the order when the actor may act on it; raises Forbidden."""
    act.actor.must_see(site=order.site, customer=order.customer)
    act.actor.must_own(source=order.source)
    return order


def _require_scope_of_existing_order(act: http.ActContext, source: str, reference: str) -> None:
    """Raise Forbidden if the reference belongs to an order outside the actor's scope; the error does not reveal its owner."""
    if (known := operations.find_order(act.tx, source=source, reference=reference)) is not None:
        _mine(act, known)


def _strings(body: http.RawBatch, field: str) -> set[str]:
    return {raw[field].strip() for raw in body.items if isinstance(raw.get(field), str)}


@router.act("/customers", may="keep-sales", status=201)
def keep_customer(body: KeepCustomer, act: http.ActContext) -> CustomerShown:
    """Register a customer or change it."""
    act.actor.must_own(source=body.source)
    return CustomerShown.model_validate(_keep_customer(act, body.source, body))


@router.batch("/customers:batch", may="keep-sales", item=KeepCustomerItem)
def keep_customers(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Register or change up to 500 customers of one source."""
    operations.load_customers(act.tx, codes=_strings(body, "code"))

    def each(tx: Tx, item: KeepCustomerItem) -> UUID:
        return _keep_customer(act, body.source, item).customer_id

    return http.run_batch(act, body, door="keep-customers", item=KeepCustomerItem, each=each)


@router.act("/orders", may="keep-sales", status=201)
def place_order(body: PlaceOrder, act: http.ActContext) -> OrderWhole:
    """Place an order; its promised days are version 1 of each line's promise."""
    act.actor.must_own(source=body.source)
    _require_scope_of_existing_order(act, body.source, body.reference)
    return _whole(operations.place_order(act.tx, **_order(act.actor, body.source, body)))


@router.batch("/orders:batch", may="keep-sales", item=PlaceOrderItem)
def place_orders(body: http.RawBatch, act: http.ActContext) -> http.BatchAnswer:
    """Place up to 500 orders of one source; an order that is known gets the lines that it does not have yet."""
    operations.load_orders(
        act.tx, source=body.source, references=_strings(body, "reference"), customers=_strings(body, "customer")
    )

    def each(tx: Tx, item: PlaceOrderItem) -> UUID:
        _require_scope_of_existing_order(act, body.source, item.reference)
        return operations.upsert_order(tx, **_order(act.actor, body.source, item)).order_id

    return http.run_batch(act, body, door="place-orders", item=PlaceOrderItem, each=each)


@router.act("/orders/{order_id}/lines", may="keep-sales")
def change_order(order_id: UUID, body: ChangeOrder, act: http.ActContext) -> OrderWhole:
    """Add lines to an order, or correct what they say; a promised day is moved by revising it."""
    _mine(act, operations.get_order(act.tx, order_id=order_id))
    return _whole(operations.change_order(act.tx, order_id=order_id, lines=_lines(body.lines)))


@router.act("/orders/{order_id}/cancel", may="keep-sales")
def cancel_order(order_id: UUID, body: Because, act: http.ActContext) -> OrderWhole:
    """Cancel an order."""
    _mine(act, operations.get_order(act.tx, order_id=order_id))
    return _whole(operations.cancel_order(act.tx, order_id=order_id, reason=body.reason))


@router.act("/order-lines/{order_line_id}/confirm", may="keep-sales")
def confirm_line(order_line_id: UUID, body: ConfirmLine, act: http.ActContext) -> OrderWhole:
    """Write the day that was confirmed for a line, beside the one that is promised."""
    _mine(act, operations.get_order_of_line(act.tx, order_line_id=order_line_id))
    return _whole(operations.confirm_line(act.tx, order_line_id=order_line_id, confirmed_on=body.confirmed_on))


@router.act("/promises/{order_line_id}/revise", may="approve-notice")
def revise_promise(order_line_id: UUID, body: RevisePromise, act: http.ActContext) -> OrderWhole:
    """Move a promise by hand: the next version in the ledger."""
    _mine(act, operations.get_order_of_line(act.tx, order_line_id=order_line_id))
    order = operations.revise_promise(
        act.tx,
        order_line_id=order_line_id,
        promised_on=body.promised_on,
        reason=body.reason,
        by=act.actor.by("sales", "planning-lead"),
        expected_version=body.version,
    )
    return _whole(order)


@router.act("/promises/{order_line_id}/statements", may="approve-notice", status=201, response_model=StatementShown)
def state_promise(order_line_id: UUID, body: StatePromise, act: http.ActContext) -> StatementShown | JSONResponse:
    """Record what is said to the customer; what contradicts the current version is counted and refused with 409."""
    _mine(act, operations.get_order_of_line(act.tx, order_line_id=order_line_id))
    key = act.request.headers.get("idempotency-key") or act.tx.context.causation_id
    statement = operations.state_promise(
        act.tx,
        order_line_id=order_line_id,
        statement_id=derived_id("statement", act.actor.subject, order_line_id, key),
        stated_on=body.stated_on,
        version=body.version,
    )
    if statement.contradicts:
        return http.problem(act.request, domain.contradiction_of(statement))
    return StatementShown.model_validate(statement)


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/customers", topic="sales.order")
def list_customers(
    ask: http.QueryContext, tier: Tier | None = None, cursor: str | None = None, limit: Limit = 100
) -> http.Page[CustomerShown]:
    """Return customers in scope, by code."""
    last = ask.after(cursor, tier)
    rows = queries.customers_by_code(ask.read, ask.actor, tier=tier, after=last[0] if last else None, limit=limit + 1)
    shown = [CustomerShown.model_validate(row) for row in rows]
    return http.Page[CustomerShown](**ask.page(shown, lambda c: [c.code], limit, tier))


@router.question("/customers/{code}", topic="sales.order")
def show_customer(code: str, ask: http.QueryContext) -> CustomerShown:
    """Return one customer."""
    ask.actor.must_see(customer=code)
    found = queries.customer_by_code(ask.read, code)
    return CustomerShown.model_validate(found)


@router.question("/orders", topic="sales.order")
def list_orders(
    ask: http.QueryContext,
    customer: str | None = None,
    site: str | None = None,
    state: str | None = None,
    source: str | None = None,
    reference: str | None = None,
    promised_before: date | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[OrderRow]:
    """Return orders in scope, newest first."""
    filters = {"customer": customer, "site": site, "state": state, "source": source, "reference": reference}
    question = (*filters.values(), promised_before)
    rows = queries.orders_newest_first(
        ask.read,
        ask.actor,
        promised_before=promised_before,
        after=after_instant(ask.after(cursor, *question)),
        limit=limit + 1,
        **filters,
    )
    shown = [OrderRow.model_validate(row) for row in rows]
    page = ask.page(shown, lambda o: [o.recorded_at.isoformat(), o.order_id], limit, *question)
    return http.Page[OrderRow](**page)


@router.question("/orders/{order_id}", topic="sales.order")
def show_order(order_id: UUID, ask: http.QueryContext) -> OrderWhole:
    """Return an order with all the dates of its lines."""
    found, lines = queries.order_with_lines(ask.read, order_id)
    ask.actor.must_see(site=found.site, customer=found.customer)
    return OrderWhole(**_fields(found, OrderWhole), lines=[LineShown(**line_fields(line, LineShown)) for line in lines])


@router.question("/promises/{order_line_id}", topic="sales.order")
def show_promise(order_line_id: UUID, ask: http.QueryContext) -> Ledger:
    """Return the ledger of one order line: every version, the current one last."""
    line, versions, said = queries.ledger_of_line(ask.read, order_line_id)
    ask.actor.must_see(site=line.site, customer=line.customer)
    came = line.actual_on is not None
    return Ledger(
        **_fields(line, Ledger),
        kept_first=line.actual_on <= line.first_promised_on if came else None,
        kept_current=line.actual_on <= line.promised_on if came else None,
        current=PromiseShown.model_validate(versions[-1]),
        versions=[PromiseShown.model_validate(version) for version in versions],
        statements=said.statements,
        contradictions=said.contradictions,
    )


# ── shared by the pages of this door ─────────────────────────────────────────────────────────────


def after_instant(last: list[Any] | None) -> tuple[datetime, UUID] | None:
    """Return where a list by instant and id goes on."""
    return (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None


def line_fields(row: Any, shape: type[Any]) -> dict[str, Any]:
    """Return what a row of lines says under the names of a shape, its value as money."""
    value = Money(amount=row.value_amount, currency=row.value_currency)
    return {**_fields(row, shape), "value": value}


def _fields(row: Any, shape: type[Any]) -> dict[str, Any]:
    return {name: value for name, value in row._mapping.items() if name in shape.model_fields}


def _whole(order: domain.Order) -> OrderWhole:
    lines = [
        LineShown(**{name: getattr(line, name) for name in LineShown.model_fields})
        for line in sorted(order.lines, key=lambda one: one.reference)
    ]
    names = [name for name in OrderWhole.model_fields if name not in ("lines", "masked")]
    return OrderWhole(**{name: getattr(order, name) for name in names}, lines=lines)
