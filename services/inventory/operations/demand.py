"""Orders, promises and forecasts, as published by sales and forecast."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.forecast import DemandPublished, WeekOfDemand
from schemas.sales import OrderFact, OrderLine, PromiseRevised
from schemas.types import Cause
from services.inventory import domain, metrics, repository
from services.inventory.operations.shortages import predict_shortages


def load_for_orders(tx: Tx, events: Sequence[OrderFact]) -> None:
    """Lock and load what a batch of facts about orders will touch, in the order of the tables."""
    repository.load_demands(tx, [event.order_id for event in events])
    wanted_ids = []
    for event in events:
        before = repository.find_demand(tx, event.order_id)
        wanted_ids += [line.stock_id for line in before.lines] if before else []
        lines: Sequence[OrderLine] = getattr(event, "lines", ())
        wanted_ids += [domain.stock_id(line.item, event.site) for line in lines]
    repository.load_stocks(tx, wanted_ids)


def upsert_demand(
    tx: Tx, *, order_id: UUID, site: str, lines: Sequence[OrderLine], occurred_at: datetime, reason: str
) -> None:
    """Save the demand of an order as it is now, and project again; a cancelled order has no lines."""
    before = repository.find_demand(tx, order_id)
    demand_lines = [
        domain.DemandLine(x.line_id, domain.stock_id(x.item, site), x.item, x.quantity, x.promised_on)
        for x in lines
        if x.quantity > 0
    ]
    demand_lines.sort(key=lambda line: line.line_id)
    repository.save_demand(tx, domain.OrderDemand(order_id, site, tuple(demand_lines), occurred_at, tx.now))
    touched = [line.stock_id for line in (*demand_lines, *(before.lines if before else ()))]
    predict_shortages(tx, stock_ids=touched, reason=reason)


def load_for_promises(tx: Tx, events: Sequence[PromiseRevised]) -> None:
    """Lock and load what a batch of revised promises will touch, in the order of the tables."""
    repository.load_demands(tx, [event.order_id for event in events])
    found = [repository.find_demand(tx, event.order_id) for event in events]
    repository.load_stocks(tx, [line.stock_id for demand in found if demand for line in demand.lines])


def move_demand(tx: Tx, *, order_id: UUID, line_id: UUID, promised_on: date, reason: str, cause: Cause | None) -> None:
    """Move an order line to its new promised day, and project its item-site again."""
    before = repository.find_demand(tx, order_id)
    if before is None:
        tx.count(metrics.ignored_total.labels("order-unknown"))
        return
    moved = domain.move_promise(before, line_id=line_id, promised_on=promised_on, now=tx.now)
    repository.save_demand(tx, moved)
    behind = domain.Behind(cause, tx.now) if cause is not None else None
    stock_ids = [line.stock_id for line in moved.lines if line.line_id == line_id]
    predict_shortages(tx, stock_ids=stock_ids, reason=reason, behind=behind)


def load_for_forecasts(tx: Tx, events: Sequence[DemandPublished]) -> None:
    """Lock and load the item-sites that a batch of published forecasts will touch."""
    repository.load_stocks(tx, [domain.stock_id(event.item, event.site) for event in events])


def upsert_expectation(
    tx: Tx, *, item: str, site: str, published: int, weeks: Sequence[WeekOfDemand], occurred_at: datetime, reason: str
) -> None:
    """Save the latest published forecast of an item-site, and project again; an older version changes nothing."""
    stock_id = domain.stock_id(item, site)
    before = repository.find_expectation(tx, stock_id)
    if before is not None and before.published >= published:
        tx.count(metrics.ignored_total.labels("older-forecast"))
        return
    in_order = tuple(domain.Week(w.week_on, w.quantity) for w in sorted(weeks, key=lambda week: week.week_on))
    repository.save_expectation(tx, domain.Expectation(stock_id, item, site, published, in_order, occurred_at, tx.now))
    predict_shortages(tx, stock_ids=[stock_id], reason=reason)
