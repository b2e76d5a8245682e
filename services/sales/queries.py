"""What can be asked of sales; read-only. Every list shows what lies in the reader's scope of sites and customers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Table, case, cast, extract, func, literal, select, true, tuple_
from sqlalchemy.types import DateTime, Numeric

from chassis.errors import NotFound
from chassis.http.auth import Actor
from chassis.persistence.database import ReadTx
from schemas.types import Money
from services.sales import domain
from services.sales.tables import (
    customers,
    impact_lines,
    impacts,
    notice_batches,
    notice_lines,
    notice_policies,
    notice_policy_versions,
    notices,
    order_lines,
    orders,
    promises,
    statements,
)

After = tuple[datetime, UUID] | None


# ── asked inside operations ──────────────────────────────────────────────────────────────────────


def order_of_line(read: ReadTx, order_line_id: UUID) -> UUID | None:
    """Return the order that has a line, or None."""
    found: UUID | None = read.scalar(select(order_lines.c.order_id).where(order_lines.c.order_line_id == order_line_id))
    return found


def orders_of_impacts(read: ReadTx, impact_ids: Iterable[UUID]) -> list[UUID]:
    """Return the orders whose lines these impacts name."""
    query = select(impact_lines.c.order_id).distinct().where(impact_lines.c.impact_id.in_(list(impact_ids)))
    return [row.order_id for row in read.rows(query)]


def tasks_of_case(read: ReadTx, case_id: UUID) -> list[UUID]:
    """Return the tasks of a case that have a batch here."""
    query = (
        select(notice_batches.c.task_id).where(notice_batches.c.case_id == case_id).order_by(notice_batches.c.task_id)
    )
    return [row.task_id for row in read.rows(query)]


# ── scope ────────────────────────────────────────────────────────────────────────────────────────


def _in_scope(query: Select[Any], actor: Actor, table: Table) -> Select[Any]:
    if actor.sites is not None and "site" in table.c:
        query = query.where(table.c.site.in_(actor.sites))
    if actor.customers is not None:
        column = table.c.code if table is customers else table.c.customer
        query = query.where(column.in_(actor.customers))
    return query


def _impacts_in_scope(query: Select[Any], actor: Actor) -> Select[Any]:
    if actor.sites is not None:
        query = query.where(impacts.c.site.in_(actor.sites))
    if actor.customers is not None:
        theirs = select(impact_lines.c.impact_id).where(impact_lines.c.customer.in_(actor.customers))
        query = query.where(impacts.c.impact_id.in_(theirs))
    return query


def _newest_first(query: Select[Any], table: Table, key: str, after: After, limit: int) -> Select[Any]:
    place = (table.c.recorded_at, table.c[key])
    if after is not None:
        query = query.where(tuple_(*place) < tuple_(*map(literal, after)))
    return query.order_by(table.c.recorded_at.desc(), table.c[key].desc()).limit(limit)


def _where(query: Select[Any], table: Table, filters: dict[str, Any]) -> Select[Any]:
    for column, value in filters.items():
        if value is not None:
            query = query.where(table.c[column] == value)
    return query


# ── customers and orders ─────────────────────────────────────────────────────────────────────────


def customers_by_code(
    read: ReadTx, actor: Actor, *, tier: str | None, after: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return customers in scope in the order of their codes."""
    query = _where(select(customers), customers, {"tier": tier}).order_by(customers.c.code).limit(limit)
    if after is not None:
        query = query.where(customers.c.code > after)
    return read.rows(_in_scope(query, actor, customers))


def customer_by_code(read: ReadTx, code: str) -> Row[Any]:
    """Return one customer; raises NotFound."""
    found = read.row(select(customers).where(customers.c.code == code))
    if found is None:
        raise NotFound(f"no customer {code!r} is known here; check the code, or list customers")
    return found


def orders_newest_first(
    read: ReadTx, actor: Actor, *, promised_before: date | None, after: After, limit: int, **filters: str | None
) -> Sequence[Row[Any]]:
    """Return orders in scope that fit the filters, each with its number of lines, newest first."""
    counted = (
        select(
            order_lines.c.order_id,
            func.count().label("line_count"),
            func.min(order_lines.c.promised_on).label("promised_on"),
        )
        .where(order_lines.c.order_id == orders.c.order_id)
        .group_by(order_lines.c.order_id)
        .lateral()
    )
    query = select(orders, counted.c.line_count, counted.c.promised_on).join(counted, true())
    if promised_before is not None:
        query = query.where(counted.c.promised_on < promised_before)
    query = _where(_in_scope(query, actor, orders), orders, dict(filters))
    return read.rows(_newest_first(query, orders, "order_id", after, limit))


def order_with_lines(read: ReadTx, order_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]]]:
    """Return one order and its lines; raises NotFound."""
    found = read.row(select(orders).where(orders.c.order_id == order_id))
    if found is None:
        raise NotFound(f"no order {order_id} is known here; check the id, or list orders by reference")
    lines = read.rows(select(order_lines).where(order_lines.c.order_id == order_id).order_by(order_lines.c.reference))
    return found, lines


def ledger_of_line(read: ReadTx, order_line_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]], Row[Any]]:
    """Return an order line with its order, every version of its promise, and its statements counted; raises NotFound."""
    line = read.row(
        select(
            order_lines, orders.c.customer, orders.c.site, orders.c.source, orders.c.reference.label("order_reference")
        )
        .join(orders, orders.c.order_id == order_lines.c.order_id)
        .where(order_lines.c.order_line_id == order_line_id)
    )
    if line is None:
        raise NotFound(f"no order line {order_line_id} is known here; check the id, or list orders by reference")
    versions = read.rows(
        select(promises)
        .where(promises.c.order_id == line.order_id, promises.c.order_line_id == order_line_id)
        .order_by(promises.c.promise_version)
    )
    counted = read.rows(_counted_statements().where(statements.c.order_line_id == order_line_id))
    return line, versions, counted[0]


# ── impacts and notices ──────────────────────────────────────────────────────────────────────────


def impacts_newest_first(
    read: ReadTx, actor: Actor, *, cause: UUID | None, affected: bool | None, after: After, limit: int
) -> Sequence[Row[Any]]:
    """Return assessed impacts in scope, each with its number of lines in danger, newest first."""
    some = select(impact_lines.c.impact_id)
    query = select(impacts).where(impacts.c.assessment > 0)
    query = _where(query, impacts, {"cause_id": cause})
    if affected is not None:
        inside = impacts.c.impact_id.in_(some)
        query = query.where(inside if affected else ~inside)
    return read.rows(_newest_first(_impacts_in_scope(query, actor), impacts, "impact_id", after, limit))


def impact_with_lines(read: ReadTx, impact_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]]]:
    """Return one assessed impact and its lines; raises NotFound."""
    found = read.row(select(impacts).where(impacts.c.impact_id == impact_id, impacts.c.assessment > 0))
    if found is None:
        raise NotFound(f"no impact {impact_id} was assessed here; list impacts by cause")
    return found, lines_of_impacts(read, [impact_id])


def lines_of_impacts(read: ReadTx, impact_ids: Iterable[UUID]) -> Sequence[Row[Any]]:
    """Return the lines of several impacts."""
    query = select(impact_lines).where(impact_lines.c.impact_id.in_(list(impact_ids)))
    return read.rows(query.order_by(impact_lines.c.impact_id, impact_lines.c.shipment_line_id))


def notices_newest_first(
    read: ReadTx, actor: Actor, *, after: After, limit: int, **filters: UUID | str | None
) -> Sequence[Row[Any]]:
    """Return notices in scope that fit the filters, newest first."""
    query = _where(_in_scope(select(notices), actor, notices), notices, dict(filters))
    return read.rows(_newest_first(query, notices, "notice_id", after, limit))


def notice_with_lines(read: ReadTx, notice_id: UUID) -> tuple[Row[Any], Sequence[Row[Any]], Row[Any] | None]:
    """Return one notice, its lines and its customer; raises NotFound."""
    found = read.row(select(notices).where(notices.c.notice_id == notice_id))
    if found is None:
        raise NotFound(f"no notice {notice_id} is known here; check the id, or list the notices of the case")
    lines = read.rows(
        select(notice_lines, order_lines.c.promised_on.label("current_on"))
        .join(order_lines, order_lines.c.order_line_id == notice_lines.c.order_line_id)
        .where(notice_lines.c.notice_id == notice_id)
        .order_by(notice_lines.c.order_reference, notice_lines.c.line_reference)
    )
    customer = read.row(select(customers).where(customers.c.code == found.customer))
    return found, lines, customer


def policy_now(read: ReadTx) -> Row[Any] | None:
    """Return the notice policy, or None where nobody has set one."""
    return read.row(select(notice_policies).where(notice_policies.c.policy_id == domain.POLICY_ID))


def policy_versions(read: ReadTx, *, after: int | None, limit: int) -> Sequence[Row[Any]]:
    """Return every version of the notice policy, oldest first."""
    query = select(notice_policy_versions).order_by(notice_policy_versions.c.revision).limit(limit)
    return read.rows(query.where(notice_policy_versions.c.revision > after) if after is not None else query)


# ── figures ──────────────────────────────────────────────────────────────────────────────────────


def _counted_statements() -> Select[Any]:
    counted: list[Any] = [
        func.count().label("statements"),
        func.count().filter(statements.c.contradicts).label("contradictions"),
    ]
    return select(*counted).select_from(statements)


def sales_figures(read: ReadTx, actor: Actor) -> dict[str, Any]:
    """Return what sales holds in the reader's scope: orders, promises kept, impacts, notices, statements."""
    line = order_lines.c
    came = line.actual_on.is_not(None)
    held = read.row(
        _in_scope(
            select(
                func.count(func.distinct(orders.c.order_id)).label("orders"),
                func.count(line.order_line_id).label("order_lines"),
                func.coalesce(func.sum(line.promise_version - 1), 0).label("promises_revised"),
                func.count().filter(came).label("lines_received"),
                func.count().filter(came, line.actual_on <= line.first_promised_on).label("kept_first_promise"),
                func.count().filter(came, line.actual_on <= line.promised_on).label("kept_current_promise"),
            ).select_from(orders.outerjoin(order_lines, orders.c.order_id == line.order_id)),
            actor,
            orders,
        )
    )
    assessed = read.row(
        _impacts_in_scope(
            select(
                func.count().label("impacts"),
                func.coalesce(func.sum(impacts.c.assessment), 0).label("assessments"),
            ).where(impacts.c.assessment > 0),
            actor,
        )
    )
    at_risk = read.rows(
        _in_scope(
            select(impacts.c.value_currency.label("currency"), func.sum(impact_lines.c.value_amount).label("amount"))
            .select_from(impacts.join(impact_lines, impact_lines.c.impact_id == impacts.c.impact_id))
            .where(impact_lines.c.value_currency == impacts.c.value_currency, impacts.c.value_amount > 0),
            actor,
            impact_lines,
        )
        .group_by(impacts.c.value_currency)
        .order_by(impacts.c.value_currency)
    )
    by_state = read.rows(
        _in_scope(select(notices.c.state, func.count().label("number")), actor, notices).group_by(notices.c.state)
    )
    counted = read.row(_in_scope(_counted_statements(), actor, statements))
    leads = read.row(_in_scope(_notice_leads(), actor, notices))
    return {
        **(held._mapping if held else {}),
        **(assessed._mapping if assessed else {}),
        **(counted._mapping if counted else {}),
        **(leads._mapping if leads else {}),
        "customers": read.scalar(_in_scope(select(func.count()).select_from(customers), actor, customers)),
        "value_at_risk": [Money.computed(row.amount, row.currency) for row in at_risk],
        "notices": {row.state: row.number for row in by_state},
    }


def _notice_leads() -> Select[Any]:
    """Notice lead is the old promise's end less the time of telling; proactive is a lead above nothing (METRICS 3.2)."""
    old_promise_ends = cast(notice_lines.c.promised_on + 1, DateTime(timezone=True))
    lead_days = cast(extract("epoch", old_promise_ends - notices.c.sent_at) / 86400, Numeric(12, 4))
    counted: list[Any] = [
        func.count().label("lines_told"),
        func.count().filter(lead_days > 0).label("lines_told_proactively"),
        func.avg(case((lead_days > 0, lead_days), else_=0)).cast(Numeric(12, 4)).label("notice_lead_days"),
    ]
    return (
        select(*counted)
        .select_from(notices.join(notice_lines, notices.c.notice_id == notice_lines.c.notice_id))
        .where(notices.c.state == "sent")
    )
