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
    """Lock and load the orders, the impact and the batches behind facts of cases; other functions' tasks need none."""
    ours = [event for event in events if getattr(event, "kind", TASK_KIND) == TASK_KIND]
    if not ours:
        return
    impact_ids = {domain.impact_id_of(event.cause) for event in ours}
    repository.load_orders(tx, queries.orders_of_impacts(tx, impact_ids))
    repository.load_impacts(tx, impact_ids)
    repository.load_batches(tx, [task_id for e in ours if (task_id := getattr(e, "task_id", None)) is not None])


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
        _draft(tx, impact, repository.get_batch(tx, task_id))
    return impact


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────


def draft_notices(tx: Tx, *, cause: Cause, case_id: UUID, task_id: UUID) -> domain.NoticeBatch:
    """Open the batch of a task, or open it again, and draft as soon as the impact is known (FLOW 2.4, 3.2)."""
    impact = repository.find_impact(tx, domain.impact_id_of(cause)) or domain.await_impact(
        cause, currency=tx.database.currency, now=tx.now
    )
    impact = domain.await_task(impact, task_id)
    repository.save_impact(tx, impact)
    stored = repository.find_batch(tx, task_id)
    batch = (
        domain.reopen_batch(stored)
        if stored is not None
        else domain.open_batch(task_id=task_id, case_id=case_id, cause=cause, now=tx.now)
    )
    repository.save_batch(tx, batch)
    return _draft(tx, impact, batch) if impact.assessment else batch


def redraft_notices(tx: Tx, *, cause: Cause, case_id: UUID) -> None:
    """Draft again what a case that was extended has to tell anew; a draft that says it already stays (FLOW 2.4)."""
    impact = repository.find_impact(tx, domain.impact_id_of(cause))
    for task_id in impact.task_ids if impact is not None else ():
        batch = repository.get_batch(tx, task_id)
        if impact is not None and impact.assessment and batch.case_id == case_id:
            _draft(tx, impact, batch)


def redraft_notice(tx: Tx, *, notice_id: UUID) -> domain.Notice:
    """Draft a notice of a task again from the promises as they are now; raises NotFound, TaskIsClosed."""
    seen = notices.read_notice(tx, notice_id=notice_id)
    cause = Cause(kind=seen.cause_kind, id=seen.cause_id)
    impact_id = domain.impact_id_of(cause)
    repository.load_orders(tx, queries.orders_of_impacts(tx, [impact_id]))
    impact = repository.find_impact(tx, impact_id)
    batch = repository.get_batch(tx, seen.task_id)
    domain.must_have_open_task(batch)
    if impact is not None and impact.assessment:
        _draft(tx, impact, batch)
    return repository.get_notice(tx, notice_id)


def close_notices(tx: Tx, *, task_id: UUID, reason: str) -> None:
    """Close the batch of a task; what has not left is withdrawn (FLOW 2.4)."""
    batch = repository.find_batch(tx, task_id)
    if batch is None or batch.closed_because is not None:
        return
    batch, changed, events = domain.close_batch(batch, _notices(tx, batch), reason=reason, now=tx.now)
    _record(tx, batch, changed, events)


def close_notice_batch(tx: Tx, *, case_id: UUID, reason: str) -> None:
    """Close the batches of a case that is over."""
    for task_id in queries.tasks_of_case(tx, case_id):
        close_notices(tx, task_id=task_id, reason=reason)


def _draft(tx: Tx, impact: domain.Impact, batch: domain.NoticeBatch) -> domain.NoticeBatch:
    orders = _orders(tx, {line.order_id for line in impact.lines})
    batch, changed, events = domain.draft_notices(
        batch,
        lines_by_customer=domain.lines_to_tell(impact, orders),
        current={notice.customer: notice for notice in _notices(tx, batch)},
        site=impact.site or "",
        now=tx.now,
    )
    _record(tx, batch, changed, events)
    policy = notices.policy(tx)
    for notice in changed:
        if notice.state == "drafted" and policy.automatic:
            tier = _tiers(tx, {notice.customer}).get(notice.customer, "standard")
            if domain.approves(policy, tier=tier, values=[line.value for line in notice.lines]):
                notices.approve_notice(tx, notice_id=notice.notice_id, by=domain.POLICY_SUBJECT, automatic=True)
    return batch


def _record(tx: Tx, batch: domain.NoticeBatch, changed: Iterable[domain.Notice], events: Sequence[Event]) -> None:
    repository.save_batch(tx, batch)
    for notice in changed:
        repository.save_notice(tx, notice)
        tx.count(metrics.notices.labels(notice.state))
    tx.emit(events)


def _notices(tx: Tx, batch: domain.NoticeBatch) -> list[domain.Notice]:
    notice_ids = [entry.notice_id for entry in batch.entries]
    repository.load_notices(tx, notice_ids)
    return [repository.get_notice(tx, notice_id) for notice_id in notice_ids]


def _orders(tx: Tx, order_ids: Iterable[UUID]) -> dict[UUID, domain.Order]:
    ids = sorted(order_ids)
    repository.load_orders(tx, ids)
    loaded = ((order_id, repository.find_order(tx, order_id)) for order_id in ids)
    return {order_id: order for order_id, order in loaded if order is not None}


def _tiers(tx: Tx, codes: Iterable[str]) -> dict[str, Any]:
    found = ((code, repository.read_customer(tx, domain.customer_id_of(code))) for code in sorted(codes))
    return {code: customer.tier for code, customer in found if customer is not None}
