"""Approving a notice, telling it, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from chassis.errors import NotFound
from chassis.ids import derived_id
from chassis.persistence.database import Tx
from schemas.types import By, Cause, Money, Tier
from services.sales import domain, metrics, repository
from services.sales.operations import orders

RETRY_TIMER = "notice-retry"


@dataclass(frozen=True, slots=True)
class Message:
    """What the effect is to send."""

    key: str
    recipient: str
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why nothing is to be sent, in a word."""

    outcome: str


def policy(tx: Tx) -> domain.NoticePolicy:
    """Return the notice policy that holds now."""
    return repository.read_policy(tx) or domain.first_policy(tx.now)


def upsert_notice_policy(
    tx: Tx,
    *,
    automatic: bool,
    automatic_tiers: tuple[Tier, ...],
    automatic_value_max: Money | None,
    default_slip_days: int,
    retry_minutes: tuple[int, ...],
    by: By,
) -> domain.NoticePolicy:
    """Set the next version of the notice policy; raises PolicyUnusable."""
    changed = domain.next_policy(
        repository.find_policy(tx) or domain.first_policy(tx.now),
        automatic=automatic,
        automatic_tiers=automatic_tiers,
        automatic_value_max=automatic_value_max,
        default_slip_days=default_slip_days,
        retry_minutes=retry_minutes,
        by=by,
        now=tx.now,
    )
    repository.save_policy(tx, changed)
    return changed


def read_notice(tx: Tx, *, notice_id: UUID) -> domain.Notice:
    """Return a notice, not locked; raises NotFound."""
    seen = repository.read_notice(tx, notice_id)
    if seen is None:
        raise NotFound(f"no notice {notice_id} is known here; check the id, or list the notices of the case")
    return seen


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


def approve_notice(tx: Tx, *, notice_id: UUID, by: By, automatic: bool = False) -> domain.Notice:
    """Approve a draft: its promises are revised and their versions pinned in this transaction (FLOW 3.2).

    Raises NotFound, TaskIsClosed, NoticeNotOpen, and PromiseMoved where the ledger went on since the draft.
    """
    batch, notice = _locked(tx, notice_id)
    domain.must_be_approvable(batch, notice)
    pinned = [_revise(tx, notice, line, by=by) for line in notice.lines]
    notice, events = domain.approve_notice(batch, notice, pinned=pinned, by=by, automatic=automatic, now=tx.now)
    repository.save_notice(tx, notice)
    tx.emit(events)
    tx.count(metrics.notices.labels("approved"))
    return notice


def retry_notice(tx: Tx, *, notice_id: UUID) -> domain.Notice:
    """Let a notice that failed go again at once; raises NotFound, TaskIsClosed, NoticeNotOpen."""
    batch, notice = _locked(tx, notice_id)
    notice = domain.retry_notice(batch, notice)
    repository.save_notice(tx, notice)
    detail = {"revision": notice.revision, "again": str(tx.context.causation_id)}
    tx.arm(RETRY_TIMER, str(notice_id), due_at=tx.now, rule={"because": "a person asked"}, detail=detail)
    return notice


def resolve_notice(tx: Tx, *, notice_id: UUID, reason: str) -> domain.Notice:
    """Record that a person told the customer another way; raises NotFound, TaskIsClosed, NoticeNotOpen, PromiseMoved."""
    batch, notice = _locked(tx, notice_id)
    if domain.stale_lines(notice, _current_versions(tx, notice)):
        raise domain.PromiseMoved(
            "its promises moved on since it was approved; draft it again and tell the current ones"
        )
    batch, notice, events = domain.resolve_notice(batch, notice, reason=reason, now=tx.now)
    _state(tx, notice)
    repository.save_batch(tx, batch)
    repository.save_notice(tx, notice)
    tx.emit(events)
    tx.count(metrics.notices.labels("resolved"))
    return notice


# ── the effect's two transactions ────────────────────────────────────────────────────────────────


def begin_sending(tx: Tx, *, notice_id: UUID, revision: int) -> Message | Skipped:
    """Return what is to be sent, once it is sure that the pinned promise versions are current (FLOW 3.2).

    A notice whose promises moved on is superseded here; one that was drafted again, withdrawn or sent is skipped.
    """
    batch, notice = _locked(tx, notice_id)
    if notice.revision != revision or notice.state != "approved":
        return Skipped("superseded" if notice.revision != revision else notice.state)
    stale = domain.stale_lines(notice, _current_versions(tx, notice))
    if stale:
        reason = f"{len(stale)} of its promises moved on after it was approved; draft it again"
        _state(tx, notice)
        notice, events = domain.supersede_notice(batch, notice, reason=reason, now=tx.now)
        repository.save_notice(tx, notice)
        tx.emit(events)
        tx.count(metrics.notices.labels("superseded"))
        return Skipped("superseded")
    repository.save_notice(tx, domain.begin_sending(notice))
    customer = repository.read_customer(tx, domain.customer_id_of(notice.customer))
    text = domain.message_text(notice.lines, name=customer.name if customer else notice.customer)
    return Message(
        key=f"{notice_id}/{revision}",
        recipient=(customer.contact if customer else None) or "",
        content={"notice_id": str(notice_id), "revision": revision, "customer": notice.customer, "text": text},
    )


def record_notice_sent(tx: Tx, *, notice_id: UUID, revision: int, transport: str) -> domain.Notice:
    """Record that a notice left, and tell how many of its task remain (FLOW 3.2).

    One that was withdrawn while it was on its way has left all the same. One that was drafted again is told by that draft.
    """
    batch, notice = _locked(tx, notice_id)
    if notice.revision != revision or notice.state not in ("approved", "withdrawn"):
        return notice
    _state(tx, notice)
    batch, notice, events = domain.record_notice_sent(batch, notice, transport=transport, now=tx.now)
    repository.save_batch(tx, batch)
    repository.save_notice(tx, notice)
    tx.emit(events)
    tx.count(metrics.notices.labels("sent"))
    for line in notice.lines:
        lead = domain.notice_lead_seconds(line, sent_at=tx.now)
        tx.after_commit(partial(metrics.notice_lead.observe, lead))
    return notice


def record_notice_failed(tx: Tx, *, notice_id: UUID, revision: int, reason: str, permanent: bool) -> domain.Notice:
    """Record that an attempt failed, and set the timer of the next one where there is to be one (FLOW 3.2)."""
    batch, notice = _locked(tx, notice_id)
    if notice.revision != revision or notice.state != "approved":
        return notice
    again_at = None if permanent else domain.next_attempt_at(policy(tx), attempt=notice.attempts, now=tx.now)
    notice, events = domain.record_notice_failed(batch, notice, reason=reason, final=again_at is None, now=tx.now)
    repository.save_notice(tx, notice)
    tx.emit(events)
    if again_at is not None:
        detail = {"revision": revision, "again": str(notice.attempts)}
        tx.arm(RETRY_TIMER, str(notice_id), due_at=again_at, rule={"attempt": notice.attempts}, detail=detail)
    tx.count(metrics.notices.labels("failed" if again_at is None else "delayed"))
    return notice


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def _locked(tx: Tx, notice_id: UUID) -> tuple[domain.NoticeBatch, domain.Notice]:
    """Lock a notice in the order of the repository: the orders of its lines, its batch, itself."""
    seen = read_notice(tx, notice_id=notice_id)
    repository.load_orders(tx, {line.order_id for line in seen.lines})
    batch = repository.get_batch(tx, seen.task_id)
    return batch, repository.get_notice(tx, notice_id)


def _revise(tx: Tx, notice: domain.Notice, line: domain.NoticeLine, *, by: By) -> domain.NoticeLine:
    order, events = domain.revise_promise(
        repository.get_order(tx, line.order_id),
        order_line_id=line.order_line_id,
        promised_on=line.proposed_on,
        reason=f"delay told by notice {notice.notice_id}, draft {notice.revision}",
        by=by,
        now=tx.now,
        expected_version=line.promise_version,
        cause=Cause(kind=notice.cause_kind, id=notice.cause_id),
        notice_id=notice.notice_id,
    )
    repository.save_order(tx, order)
    tx.emit(events)
    tx.count(metrics.promises_revised.labels("notice"), len(events))
    return replace(line, promise_version=order.line(line.order_line_id).promise_version)


def _current_versions(tx: Tx, notice: domain.Notice) -> dict[UUID, int]:
    return {
        line.order_line_id: repository.get_order(tx, line.order_id).line(line.order_line_id).promise_version
        for line in notice.lines
    }


def _state(tx: Tx, notice: domain.Notice) -> None:
    """Record every line of a notice as a statement to the customer; those that contradict the ledger are counted."""
    for line in notice.lines:
        order = repository.get_order(tx, line.order_id)
        statement = domain.state_promise(
            order,
            statement_id=derived_id("statement", notice.notice_id, notice.revision, line.order_line_id),
            order_line_id=line.order_line_id,
            stated_on=line.proposed_on,
            version=line.promise_version,
            channel="notice",
            now=tx.now,
        )
        orders.record_statement(tx, order=order, statement=statement)
