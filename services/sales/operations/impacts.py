"""Who is hurt by a delay, and the drafts that follow when both the impact and the task are known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from chassis.persistence.database import Tx
from schemas.base import Event
from schemas.exceptions import CaseFact
from schemas.logistics import ShipmentDelay
from schemas.types import Cause
from services.sales import domain, metrics, queries, repository
from services.sales.operations import notices

TASK_KIND = "notify-customers"


# ── what a batch of facts will touch ─────────────────────────────────────────────────────────────


def load_for_delays(tx: Tx, events: Sequence[ShipmentDelay]) -> None:
    """Lock and load the orders and the impacts of delays."""
    repository.load_orders(tx, {line.order_id for event in events for line in event.lines if line.order_id})
    repository.load_impacts(tx, {domain.impact_id_of(event.cause) for event in events})


def load_for_cases(tx: Tx, events: Sequence[CaseFact]) -> None:
    """Lock and load the orders, the impact and the books behind facts of cases; other functions' tasks need none."""
    ours = [event for event in events if getattr(event, "kind", TASK_KIND) == TASK_KIND]
    if not ours:
        return
    impact_ids = {domain.impact_id_of(event.cause) for event in ours}
    repository.load_orders(tx, queries.orders_of_impacts(tx, impact_ids))
    repository.load_impacts(tx, impact_ids)
    repository.load_books(tx, [task_id for e in ours if (task_id := getattr(e, "task_id", None)) is not None])


# ── impact ───────────────────────────────────────────────────────────────────────────────────────


def assess_impact(tx: Tx, *, delay: ShipmentDelay) -> domain.Impact:
    """Join a delay to order lines and customers, and draft for the tasks that wait for it (FLOW 3.1, 1.2)."""
    orders = _orders(tx, {line.order_id for line in delay.lines if line.order_id})
    impact_id = domain.impact_id_of(delay.cause)
    impact, events = domain.assess_impact(
        repository.find_impact(tx, impact_id)
        or domain.await_impact(delay.cause, currency=tx.database.currency, now=tx.now),
        delay=delay,
        orders=orders,
        tiers=_tiers(tx, {order.customer for order in orders.values()}),
        default_slip_days=notices.policy(tx).default_slip_days,
        now=tx.now,
    )
    repository.save_impact(tx, impact)
    tx.emit(events)
    tx.count(metrics.impacts.labels("somebody" if impact.lines else "nobody"))
    for task_id in impact.task_ids:
        _draft(tx, impact, repository.get_book(tx, task_id))
    return impact


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────


def draft_notices(tx: Tx, *, cause: Cause, case_id: UUID, task_id: UUID) -> domain.NoticeBatch:
    """Open the book of a task, or open it again, and draft as soon as the impact is known (FLOW 2.4, 3.2)."""
    impact = repository.find_impact(tx, domain.impact_id_of(cause)) or domain.await_impact(
        cause, currency=tx.database.currency, now=tx.now
    )
    impact = domain.await_task(impact, task_id)
    repository.save_impact(tx, impact)
    known = repository.find_book(tx, task_id)
    book = (
        domain.reopen_book(known)
        if known is not None
        else domain.open_book(task_id=task_id, case_id=case_id, cause=cause, now=tx.now)
    )
    repository.save_book(tx, book)
    return _draft(tx, impact, book) if impact.assessment else book


def redraft_notices(tx: Tx, *, cause: Cause, case_id: UUID) -> None:
    """Draft again what a case that was extended has to tell anew; a draft that says it already stays (FLOW 2.4)."""
    impact = repository.find_impact(tx, domain.impact_id_of(cause))
    for task_id in impact.task_ids if impact is not None else ():
        book = repository.get_book(tx, task_id)
        if impact is not None and impact.assessment and book.case_id == case_id:
            _draft(tx, impact, book)


def redraft_notice(tx: Tx, *, notice_id: UUID) -> domain.Notice:
    """Draft a notice of a task again from the promises as they are now; raises NotFound, TaskIsClosed."""
    seen = notices.look_at_notice(tx, notice_id=notice_id)
    cause = Cause(kind=seen.cause_kind, id=seen.cause_id)
    impact_id = domain.impact_id_of(cause)
    repository.load_orders(tx, queries.orders_of_impacts(tx, [impact_id]))
    impact = repository.find_impact(tx, impact_id)
    book = repository.get_book(tx, seen.task_id)
    domain.must_have_open_task(book)
    if impact is not None and impact.assessment:
        _draft(tx, impact, book)
    return repository.get_notice(tx, notice_id)


def close_notices(tx: Tx, *, task_id: UUID, reason: str) -> None:
    """Close the book of a task; what has not left is withdrawn (FLOW 2.4)."""
    book = repository.find_book(tx, task_id)
    if book is None or book.closed_because is not None:
        return
    book, changed, events = domain.close_book(book, _notices(tx, book), reason=reason, now=tx.now)
    _keep(tx, book, changed, events)


def close_notice_batch(tx: Tx, *, case_id: UUID, reason: str) -> None:
    """Close the books of a case that is over."""
    for task_id in queries.tasks_of_case(tx, case_id):
        close_notices(tx, task_id=task_id, reason=reason)


def _draft(tx: Tx, impact: domain.Impact, book: domain.NoticeBatch) -> domain.NoticeBatch:
    orders = _orders(tx, {line.order_id for line in impact.lines})
    book, changed, events = domain.draft_notices(
        book,
        wanted=domain.lines_to_tell(impact, orders),
        known={notice.customer: notice for notice in _notices(tx, book)},
        site=impact.site or "",
        now=tx.now,
    )
    _keep(tx, book, changed, events)
    policy = notices.policy(tx)
    for notice in changed:
        if notice.state == "drafted" and policy.automatic:
            tier = _tiers(tx, {notice.customer}).get(notice.customer, "standard")
            if domain.approves(policy, tier=tier, values=[line.value for line in notice.lines]):
                notices.approve_notice(tx, notice_id=notice.notice_id, by=domain.POLICY_SUBJECT, automatic=True)
    return book


def _keep(tx: Tx, book: domain.NoticeBatch, changed: Iterable[domain.Notice], events: Sequence[Event]) -> None:
    repository.save_book(tx, book)
    for notice in changed:
        repository.save_notice(tx, notice)
        tx.count(metrics.notices.labels(notice.state))
    tx.emit(events)


def _notices(tx: Tx, book: domain.NoticeBatch) -> list[domain.Notice]:
    notice_ids = [entry.notice_id for entry in book.entries]
    repository.load_notices(tx, notice_ids)
    return [repository.get_notice(tx, notice_id) for notice_id in notice_ids]


def _orders(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, domain.Order]:
    wanted = sorted(order_ids)
    repository.load_orders(tx, wanted)
    found = ((order_id, repository.find_order(tx, order_id)) for order_id in wanted)
    return {order_id: order for order_id, order in found if order is not None}


def _tiers(tx: Tx, codes: Iterable[str]) -> dict[str, Any]:
    found = ((code, repository.look_at_customer(tx, domain.customer_id_of(code))) for code in sorted(codes))
    return {code: customer.tier for code, customer in found if customer is not None}
