"""HTTP in: impacts, notices, the notice policy and the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from chassis import http
from chassis.http.auth import Actor
from schemas.types import Cause, Money
from services.sales import domain, operations, queries
from services.sales.api.orders import Limit, after_instant, line_fields
from services.sales.api.shapes import (
    AffectedCustomerShown,
    Because,
    Figures,
    ImpactLineShown,
    ImpactRow,
    ImpactWhole,
    NoticeLineShown,
    NoticePolicyShown,
    NoticeRow,
    NoticeWhole,
    PolicyVersion,
    SetNoticePolicy,
)

router = http.Router()
UNSET = datetime.min.replace(tzinfo=UTC)


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


def _mine(act: http.ActContext, notice_id: UUID) -> UUID:
    """Return the id when the notice lies in the actor's scope; raises NotFound, Forbidden."""
    notice = operations.read_notice(act.tx, notice_id=notice_id)
    act.actor.must_see(site=notice.site, customer=notice.customer)
    return notice_id


def _row(notice: domain.Notice) -> NoticeRow:
    return NoticeRow.model_validate(notice)


@router.act("/notices/{notice_id}/approve", may="approve-notice")
def approve_notice(notice_id: UUID, act: http.ActContext) -> NoticeRow:
    """Approve a draft: its promises are revised and pinned, then it goes; 409 says why it came too late."""
    by = act.actor.by("sales", "planning-lead")
    return _row(operations.approve_notice(act.tx, notice_id=_mine(act, notice_id), by=by))


@router.act("/notices/{notice_id}/redraft", may="approve-notice")
def redraft_notice(notice_id: UUID, act: http.ActContext) -> NoticeRow:
    """Draft a notice again from the promises as they are now."""
    return _row(operations.redraft_notice(act.tx, notice_id=_mine(act, notice_id)))


@router.act("/notices/{notice_id}/retry", may="approve-notice")
def retry_notice(notice_id: UUID, act: http.ActContext) -> NoticeRow:
    """Let a notice that failed go again, to the customer's contact as it is now."""
    return _row(operations.retry_notice(act.tx, notice_id=_mine(act, notice_id)))


@router.act("/notices/{notice_id}/resolve", may="approve-notice")
def resolve_notice(notice_id: UUID, body: Because, act: http.ActContext) -> NoticeRow:
    """Say that the customer was told another way, and how."""
    return _row(operations.resolve_notice(act.tx, notice_id=_mine(act, notice_id), reason=body.reason))


@router.act("/notice-policy", may="keep-rules")
def set_notice_policy(body: SetNoticePolicy, act: http.ActContext) -> NoticePolicyShown:
    """Set the next version of the notice policy."""
    stated = {name: getattr(body, name) for name in SetNoticePolicy.model_fields}
    by = act.actor.by("planning-lead")
    return NoticePolicyShown.model_validate(operations.upsert_notice_policy(act.tx, **stated, by=by))


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/notice-policy", topic="sales.notice")
def show_notice_policy(ask: http.QueryContext) -> NoticePolicyShown:
    """Return the notice policy that holds now."""
    row = queries.policy_now(ask.read)
    if row is None:
        return NoticePolicyShown.model_validate(domain.first_policy(UNSET)).model_copy(update={"recorded_at": None})
    limit = row.automatic_value_max_amount
    return NoticePolicyShown(
        **{name: row._mapping[name] for name in NoticePolicyShown.model_fields if name in row._mapping},
        automatic_value_max=None if limit is None else Money(amount=limit, currency=row.automatic_value_max_currency),
    )


@router.question("/notice-policy/versions", topic="sales.notice")
def list_notice_policy_versions(
    ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100
) -> http.Page[PolicyVersion]:
    """Return every version of the notice policy, oldest first."""
    last = ask.after(cursor)
    rows = queries.policy_versions(ask.read, after=last[0] if last else None, limit=limit + 1)
    shown = [PolicyVersion.model_validate(row) for row in rows]
    return http.Page[PolicyVersion](**ask.page(shown, lambda v: [v.revision], limit))


@router.question("/impacts", topic="sales.impact")
def list_impacts(
    ask: http.QueryContext,
    cause: UUID | None = None,
    affected: bool | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[ImpactRow]:
    """Return impacts in scope, newest first; one that affects nobody is an impact too."""
    rows = queries.impacts_newest_first(
        ask.read,
        ask.actor,
        cause=cause,
        affected=affected,
        after=after_instant(ask.after(cursor, cause, affected)),
        limit=limit + 1,
    )
    lines: dict[UUID, list[Any]] = {row.impact_id: [] for row in rows}
    for line in queries.lines_of_impacts(ask.read, lines):
        lines[line.impact_id].append(line)
    shown = [ImpactRow(**_impact(row, lines[row.impact_id], ask.actor)) for row in rows]
    page = ask.page(shown, lambda i: [i.recorded_at.isoformat(), i.impact_id], limit, cause, affected)
    return http.Page[ImpactRow](**page)


@router.question("/impacts/{impact_id}", topic="sales.impact")
def show_impact(impact_id: UUID, ask: http.QueryContext) -> ImpactWhole:
    """Return an impact with the lines that lie in the reader's scope; the others are counted."""
    found, lines = queries.impact_with_lines(ask.read, impact_id)
    ask.actor.must_see_any(sites=(found.site,), customers=[line.customer for line in lines])
    seen = _seen(lines, ask.actor)
    return ImpactWhole(
        **_impact(found, lines, ask.actor),
        lines=[ImpactLineShown(**line_fields(line, ImpactLineShown)) for line in seen],
    )


@router.question("/notices", topic="sales.notice")
def list_notices(
    ask: http.QueryContext,
    case: UUID | None = None,
    task: UUID | None = None,
    customer: str | None = None,
    state: domain.NoticeState | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[NoticeRow]:
    """Return notices in scope, newest first."""
    filters = {"case_id": case, "task_id": task, "customer": customer, "state": state}
    after = after_instant(ask.after(cursor, *filters.values()))
    rows = queries.notices_newest_first(ask.read, ask.actor, after=after, limit=limit + 1, **filters)
    shown = [NoticeRow.model_validate(row) for row in rows]
    page = ask.page(shown, lambda n: [n.recorded_at.isoformat(), n.notice_id], limit, *filters.values())
    return http.Page[NoticeRow](**page)


@router.question("/notices/{notice_id}", topic="sales.notice")
def show_notice(notice_id: UUID, ask: http.QueryContext) -> NoticeWhole:
    """Return a notice with its lines and the words that the customer reads."""
    found, lines, customer = queries.notice_with_lines(ask.read, notice_id)
    ask.actor.must_see(site=found.site, customer=found.customer)
    names = [name for name in (*NoticeRow.model_fields, "approved_by") if name != "masked"]
    said = [NoticeLineShown(**line_fields(line, NoticeLineShown)) for line in lines]
    return NoticeWhole(
        **{name: found._mapping[name] for name in names},
        cause=Cause(kind=found.cause_kind, id=found.cause_id),
        recipient=customer.contact if customer else None,
        lines=said,
        text=domain.message_text(_cited(found.state, lines, said), name=customer.name if customer else found.customer),
    )


@router.question("/figures")
def show_figures(ask: http.QueryContext) -> Figures:
    """Return what sales holds in the reader's scope, added up."""
    found = queries.sales_figures(ask.read, ask.actor)
    said = found["statements"]
    rate = (Decimal(found["contradictions"]) / said).quantize(Decimal("0.0001")) if said else None
    return Figures(**found, contradictory_update_rate=rate)


# ── inside ───────────────────────────────────────────────────────────────────────────────────────


def _seen(lines: Sequence[Any], actor: Actor) -> list[Any]:
    return [line for line in lines if actor.sees(site=line.site, customer=line.customer)]


def _cited(state: str, rows: Sequence[Any], said: list[NoticeLineShown]) -> list[NoticeLineShown]:
    """Return the lines of a draft under the promise versions that its approval would make."""
    if state != "drafted":
        return said
    moves = [row.current_on != row.proposed_on for row in rows]
    return [
        line.model_copy(update={"promise_version": line.promise_version + move})
        for line, move in zip(said, moves, strict=True)
    ]


def _impact(row: Any, lines: Sequence[Any], actor: Actor) -> dict[str, Any]:
    seen = _seen(lines, actor)
    counted = Counter((line.customer, line.tier) for line in seen)
    currency = row.value_currency
    return {
        "impact_id": row.impact_id,
        "cause": Cause(kind=row.cause_kind, id=row.cause_id),
        "version": row.assessment,
        "site": row.site,
        "nobody_affected": not lines,
        "value": Money.total((line.value_amount for line in seen if line.value_currency == currency), currency),
        "lines_affected": len(seen),
        "lines_out_of_scope": len(lines) - len(seen),
        "unmatched_lines": row.unmatched_lines,
        "customers": [
            AffectedCustomerShown(customer=code, tier=tier, lines=number)
            for (code, tier), number in sorted(counted.items())
        ],
        "occurred_at": row.occurred_at,
        "recorded_at": row.recorded_at,
    }
