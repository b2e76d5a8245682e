"""Notices: one accurate message per customer and task, and the batch of a task that knows how many are still to go.

Who changes a notice holds the batch of its task, so `remaining` is true whoever else is at work (FLOW 3.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, TypedDict
from uuid import UUID

from chassis.errors import Conflict
from schemas.base import Event
from schemas.sales import (
    NoticeApproved,
    NoticeDrafted,
    NoticeFailed,
    NoticeLine as NoticeLineSaid,
    NoticeSent,
    NoticeSuperseded,
    NoticeWithdrawn,
)
from schemas.types import By, Cause, CauseKind, Money, subject_id

NoticeState = Literal["drafted", "approved", "sent", "failed", "superseded", "withdrawn"]
OPEN_STATES: tuple[NoticeState, ...] = ("drafted", "approved", "failed", "superseded")
BY_HAND = "by-hand"
ONE_DAY = timedelta(days=1)


class NoticeNotOpen(Conflict):
    """The notice is past the state in which this can be done; the text says why."""

    code = "notice-not-open"


class TaskIsClosed(Conflict):
    """The task behind the notice is closed; the text says why (FLOW 2.4)."""

    code = "task-closed"


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One promise inside a notice: the day that the customer last heard, and the day to tell.

    Once approved, `promise_version` is pinned to the version that states `proposed_on`.
    """

    order_line_id: UUID
    order_id: UUID
    order_reference: str
    line_reference: str
    item: str
    quantity: Decimal
    value: Money
    promise_version: int
    promised_on: date
    proposed_on: date


@dataclass(frozen=True, slots=True)
class Notice:
    """What one customer is told because of one task; `revision` counts the drafts."""

    notice_id: UUID
    task_id: UUID
    case_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    customer: str
    site: str
    revision: int
    state: NoticeState
    reason: str | None
    approved_at: datetime | None
    approved_by: By | None
    automatic: bool
    attempts: int
    sent_at: datetime | None
    transport: str | None
    occurred_at: datetime
    recorded_at: datetime
    lines: tuple[NoticeLine, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeBatchEntry:
    """One customer's notice in a batch: still to go, or done with."""

    notice_id: UUID
    customer: str
    pending: bool


@dataclass(frozen=True, slots=True)
class NoticeBatch:
    """All notices of one task."""

    task_id: UUID
    case_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    closed_because: str | None
    occurred_at: datetime
    recorded_at: datetime
    entries: tuple[NoticeBatchEntry, ...] = ()

    @property
    def remaining(self) -> int:
        """Return how many notices are still to go."""
        return sum(entry.pending for entry in self.entries)

    @property
    def cause(self) -> Cause:
        return Cause(kind=self.cause_kind, id=self.cause_id)


def notice_id_of(task_id: UUID, customer: str) -> UUID:
    """Return the id of a customer's notice of a task."""
    return subject_id("notice", str(task_id), customer)


# ── the batch ─────────────────────────────────────────────────────────────────────────────────────


def open_batch(*, task_id: UUID, case_id: UUID, cause: Cause, now: datetime) -> NoticeBatch:
    """Return the empty batch of a task."""
    return NoticeBatch(
        task_id=task_id,
        case_id=case_id,
        cause_kind=cause.kind,
        cause_id=cause.id,
        closed_because=None,
        occurred_at=now,
        recorded_at=now,
    )


def reopen_batch(batch: NoticeBatch) -> NoticeBatch:
    """Take notices of the task again."""
    return replace(batch, closed_because=None)


def close_batch(
    batch: NoticeBatch, notices: Sequence[Notice], *, reason: str, now: datetime
) -> tuple[NoticeBatch, list[Notice], list[Event]]:
    """Close the batch; what has not left is withdrawn (FLOW 2.4)."""
    batch = replace(batch, closed_because=reason)
    changed: list[Notice] = []
    events: list[Event] = []
    for notice in notices:
        if notice.state in OPEN_STATES:
            batch, withdrawn, more = _withdraw(batch, notice, reason=reason, now=now)
            changed.append(withdrawn)
            events += more
    return batch, changed, events


# ── drafts ───────────────────────────────────────────────────────────────────────────────────────


def draft_notices(
    batch: NoticeBatch,
    *,
    lines_by_customer: Mapping[str, Sequence[NoticeLine]],
    current: Mapping[str, Notice],
    site: str,
    now: datetime,
) -> tuple[NoticeBatch, list[Notice], list[Event]]:
    """Draft one notice per customer whose promises should move; the same draft twice is no new one (FLOW 2.4, 3.2).

    A draft whose customer is no longer affected is withdrawn; what was approved or sent already stands, unless a
    later day has to be told.
    """
    if batch.closed_because is not None:
        return batch, [], []
    changed: list[Notice] = []
    events: list[Event] = []
    for customer in sorted({*lines_by_customer, *current}):
        lines, notice = tuple(lines_by_customer.get(customer, ())), current.get(customer)
        if lines and not (notice is not None and _says_already(notice, lines)):
            batch, notice, more = _draft(batch, notice, customer=customer, site=site, lines=lines, now=now)
        elif not lines and notice is not None and notice.state in ("drafted", "superseded"):
            batch, notice, more = _withdraw(batch, notice, reason="the customer is not affected any more", now=now)
        else:
            continue
        changed.append(notice)
        events += more
    return batch, changed, events


def must_be_approvable(batch: NoticeBatch, notice: Notice) -> None:
    """Raise TaskIsClosed or NoticeNotOpen, with the reason, where an approval comes too late (FLOW 2.4)."""
    must_have_open_task(batch)
    if notice.state != "drafted":
        raise NoticeNotOpen(f"the notice is {_why(notice)}; only a draft is approved")


def approve_notice(
    batch: NoticeBatch, notice: Notice, *, pinned: Sequence[NoticeLine], by: By, automatic: bool, now: datetime
) -> tuple[Notice, list[Event]]:
    """Approve a draft; `pinned` are its lines with the promise versions that it states (FLOW 3.2)."""
    must_be_approvable(batch, notice)
    approved = replace(
        notice,
        state="approved",
        lines=tuple(pinned),
        approved_at=now,
        approved_by=by,
        automatic=automatic,
        attempts=0,
        reason=None,
    )
    event = NoticeApproved(
        occurred_at=now, lines=_published_lines(approved), by=by, automatic=automatic, **_heading(approved)
    )
    return approved, [event]


# ── what came of it ──────────────────────────────────────────────────────────────────────────────


def begin_sending(notice: Notice) -> Notice:
    """Count an attempt."""
    return replace(notice, attempts=notice.attempts + 1)


def stale_lines(notice: Notice, current: Mapping[UUID, int]) -> list[NoticeLine]:
    """Return the lines whose pinned version is not the current one."""
    return [line for line in notice.lines if current.get(line.order_line_id) != line.promise_version]


def supersede_notice(batch: NoticeBatch, notice: Notice, *, reason: str, now: datetime) -> tuple[Notice, list[Event]]:
    """Stop a notice whose promises moved on before it left; it stays to go until it is drafted again."""
    superseded = replace(notice, state="superseded", reason=reason)
    event = NoticeSuperseded(occurred_at=now, reason=reason, remaining=batch.remaining, **_heading(superseded))
    return superseded, [event]


def record_notice_sent(
    batch: NoticeBatch, notice: Notice, *, transport: str, now: datetime
) -> tuple[NoticeBatch, Notice, list[Event]]:
    """Say that the notice left, and how many of the task remain (FLOW 3.2)."""
    sent = replace(notice, state="sent", sent_at=now, transport=transport, reason=None)
    batch = _marked(batch, sent, pending=False)
    event = NoticeSent(occurred_at=now, transport=transport, sent_at=now, remaining=batch.remaining, **_heading(sent))
    return batch, sent, [event]


def record_notice_failed(
    batch: NoticeBatch, notice: Notice, *, reason: str, final: bool, now: datetime
) -> tuple[Notice, list[Event]]:
    """Say that an attempt failed; a final failure stays to go until a person deals with it."""
    failed = replace(notice, state="failed" if final else notice.state, reason=reason)
    event = NoticeFailed(
        occurred_at=now,
        reason=reason,
        attempt=notice.attempts,
        final=final,
        remaining=batch.remaining,
        **_heading(failed),
    )
    return failed, [event]


def notice_lead_seconds(line: NoticeLine, *, sent_at: datetime) -> float:
    """Return how long before the end of the day it had been promised for a customer was told, 0 when too late."""
    ends = datetime.combine(line.promised_on + ONE_DAY, time(0, 0), tzinfo=UTC)
    return max(0.0, (ends - sent_at).total_seconds())


def retry_notice(batch: NoticeBatch, notice: Notice) -> Notice:
    """Let a notice that failed go again; raises TaskIsClosed, NoticeNotOpen."""
    must_have_open_task(batch)
    if notice.state != "failed":
        raise NoticeNotOpen(f"the notice is {_why(notice)}; only one that failed is tried again")
    return replace(notice, state="approved", attempts=0)


def resolve_notice(
    batch: NoticeBatch, notice: Notice, *, reason: str, now: datetime
) -> tuple[NoticeBatch, Notice, list[Event]]:
    """Record that a person told the customer another way; raises TaskIsClosed, NoticeNotOpen."""
    must_have_open_task(batch)
    if notice.state != "failed":
        raise NoticeNotOpen(f"the notice is {_why(notice)}; only one that failed is resolved by hand")
    batch, resolved, events = record_notice_sent(batch, notice, transport=BY_HAND, now=now)
    return batch, replace(resolved, reason=reason), events


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


class _Heading(TypedDict):
    notice_id: UUID
    case_id: UUID
    task_id: UUID
    cause: Cause
    customer: str
    version: int


def _heading(notice: Notice) -> _Heading:
    return _Heading(
        notice_id=notice.notice_id,
        case_id=notice.case_id,
        task_id=notice.task_id,
        cause=Cause(kind=notice.cause_kind, id=notice.cause_id),
        customer=notice.customer,
        version=notice.revision,
    )


def _published_lines(notice: Notice) -> tuple[NoticeLineSaid, ...]:
    return tuple(
        NoticeLineSaid(
            order_id=line.order_id,
            order_line_id=line.order_line_id,
            promise_version=line.promise_version,
            promised_on=line.promised_on,
            proposed_on=line.proposed_on,
        )
        for line in notice.lines
    )


def _draft(
    batch: NoticeBatch,
    previous: Notice | None,
    *,
    customer: str,
    site: str,
    lines: tuple[NoticeLine, ...],
    now: datetime,
) -> tuple[NoticeBatch, Notice, list[Event]]:
    notice = Notice(
        notice_id=notice_id_of(batch.task_id, customer),
        task_id=batch.task_id,
        case_id=batch.case_id,
        cause_kind=batch.cause_kind,
        cause_id=batch.cause_id,
        customer=customer,
        site=site,
        revision=1 if previous is None else previous.revision + 1,
        state="drafted",
        reason=None,
        approved_at=None,
        approved_by=None,
        automatic=False,
        attempts=0,
        sent_at=None,
        transport=None,
        occurred_at=now,
        recorded_at=now,
        lines=lines,
    )
    event = NoticeDrafted(occurred_at=now, lines=_published_lines(notice), **_heading(notice))
    return _marked(batch, notice, pending=True), notice, [event]


def _says_already(notice: Notice, lines: tuple[NoticeLine, ...]) -> bool:
    if notice.state == "drafted":
        return notice.lines == lines
    if notice.state not in ("approved", "failed"):
        return False
    pinned = {(line.order_line_id, line.promise_version, line.proposed_on) for line in notice.lines}
    return pinned == {(line.order_line_id, line.promise_version, line.proposed_on) for line in lines}


def _withdraw(
    batch: NoticeBatch, notice: Notice, *, reason: str, now: datetime
) -> tuple[NoticeBatch, Notice, list[Event]]:
    withdrawn = replace(notice, state="withdrawn", reason=reason)
    event = NoticeWithdrawn(occurred_at=now, reason=reason, **_heading(withdrawn))
    return _marked(batch, withdrawn, pending=False), withdrawn, [event]


def _marked(batch: NoticeBatch, notice: Notice, *, pending: bool) -> NoticeBatch:
    entry = NoticeBatchEntry(notice_id=notice.notice_id, customer=notice.customer, pending=pending)
    others = [other for other in batch.entries if other.notice_id != notice.notice_id]
    return replace(batch, entries=tuple(sorted([*others, entry], key=lambda one: one.notice_id)))


def must_have_open_task(batch: NoticeBatch) -> None:
    """Raise TaskIsClosed, with the reason, where the task behind a notice is over."""
    if batch.closed_because is not None:
        raise TaskIsClosed(f"the task behind this notice is closed: {batch.closed_because}")


def _why(notice: Notice) -> str:
    return f"{notice.state} ({notice.reason})" if notice.reason else notice.state
