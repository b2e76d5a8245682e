"""Sourcing rounds: the ways out of a disruption, ranked once and again when it grows, and what a person decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from chassis.errors import Conflict, Forbidden, NotFound
from schemas import procurement as events
from schemas.base import Event
from schemas.exceptions import AffectedLine
from schemas.types import By, Cause, CauseKind, Money, subject_id
from services.procurement.domain.orders import PurchaseOrder, RequestedLine, place_order
from services.procurement.domain.ranking import Alternative, Line, Market, rank

TASK_KIND = "find-alternative-source"
ABOVE_LIMIT = ("planning-lead", "executive")
ORDER_SOURCE = "sourcing"  # the source of purchase orders that come from a choice
State = Literal["open", "decided", "closed"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about one line: chosen, or declined because no way out is taken; never changed.

    `opening` counts how often the round was opened: a decision holds for its opening only.
    """

    opening: int
    line_id: UUID
    outcome: Literal["chosen", "declined"]
    alternative_id: UUID | None
    supplier: str | None
    order_id: UUID | None
    landed_cost: Money | None
    by_subject: str
    by_role: str
    rationale: str
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Sourcing:
    """One round: one per task."""

    sourcing_id: UUID
    task_id: UUID
    case_id: UUID
    cause_kind: CauseKind
    cause_id: UUID
    state: State
    closed_because: str | None
    opening: int
    money_limit: Money | None
    lines: tuple[Line, ...]
    alternatives: tuple[Alternative, ...]
    decisions: tuple[Decision, ...]
    occurred_at: datetime
    recorded_at: datetime
    ranked_at: datetime

    @property
    def cause(self) -> Cause:
        """Return the root signal's subject."""
        return Cause(kind=self.cause_kind, id=self.cause_id)

    @property
    def decided(self) -> dict[UUID, Decision]:
        """Return the decisions of this opening by line."""
        return {d.line_id: d for d in self.decisions if d.opening == self.opening}

    @property
    def remaining(self) -> tuple[Line, ...]:
        """Return the lines about which nobody has decided yet."""
        decided = self.decided
        return tuple(line for line in self.lines if line.line_id not in decided)


class RoundClosed(Conflict):
    """The round is not open any more."""

    code = "round-closed"


class LineDecided(Conflict):
    """Somebody has decided about the line already."""

    code = "line-decided"


class CannotWork(Conflict):
    """The way out cannot work; the reasons stand in the text."""

    code = "alternative-infeasible"


class AboveLimit(Forbidden):
    """The choice costs more than the task lets procurement decide."""

    code = "above-limit"


class UnknownAlternative(NotFound):
    """The round has no such way out."""

    code = "unknown-alternative"


class UnknownLine(NotFound):
    """The round has no such line."""

    code = "unknown-line"


class HasCandidate(Forbidden):
    """The line has a way out that works; leaving it is not procurement's word alone."""

    code = "has-candidate"


def sourcing_id(task_id: UUID) -> UUID:
    """Return the id of a task's round."""
    return subject_id("sourcing", "task", str(task_id))


def lines_of(affected: Sequence[AffectedLine]) -> tuple[Line, ...]:
    """Return the lines of a round from what the task or the case says."""
    return tuple(
        Line(
            line.line_id,
            line.reference,
            line.shipment_id,
            line.item,
            line.site,
            line.customer,
            line.quantity,
            line.value,
            line.needed_on,
            line.expected_on,
            line.supplier,
        )
        for line in sorted(affected, key=lambda line: (line.reference, line.line_id))
    )


def open_round(
    *,
    task_id: UUID,
    case_id: UUID,
    cause: Cause,
    lines: tuple[Line, ...],
    money_limit: Money | None,
    market: Market,
    now: datetime,
) -> tuple[Sourcing, list[Event]]:
    """Open the round of a task and rank every candidate of each of its lines (FLOW 3.3)."""
    identity = sourcing_id(task_id)
    ranked = rank(identity, lines, market, now=now)
    sourcing = Sourcing(
        identity, task_id, case_id, cause.kind, cause.id, "open", None, 1, money_limit, lines, ranked, (), now, now, now
    )
    return sourcing, [events.SourcingOpened(**_ranked_fact(sourcing, now))]


def rank_again(
    sourcing: Sourcing, *, lines: tuple[Line, ...], market: Market, now: datetime
) -> tuple[Sourcing, list[Event]]:
    """Rank an open round again with the new lines and days (FLOW 2.4, 3.3); a round that is not open stays as it is.

    What was shown for a line that is decided stays as it was shown.
    """
    if sourcing.state != "open":
        return sourcing, []
    sourcing = _ranked(sourcing, lines, market, now)
    return sourcing, [events.SourcingRanked(**_ranked_fact(sourcing, now))]


def reopen_round(
    sourcing: Sourcing, *, lines: tuple[Line, ...], money_limit: Money | None, market: Market, now: datetime
) -> tuple[Sourcing, list[Event]]:
    """Open a round again because its task came back (FLOW 2.4): every line is to be decided anew.

    A round that is still open is only ranked again: the task was refused or returned, not withdrawn.
    """
    sourcing = replace(sourcing, money_limit=money_limit)
    if sourcing.state == "open":
        return rank_again(sourcing, lines=lines, market=market, now=now)
    sourcing = replace(sourcing, state="open", closed_because=None, opening=sourcing.opening + 1)
    sourcing = _ranked(sourcing, lines, market, now)
    return sourcing, [events.SourcingReopened(**_ranked_fact(sourcing, now))]


def close_round(sourcing: Sourcing, *, reason: str, now: datetime) -> tuple[Sourcing, list[Event]]:
    """Close an open round without a choice (FLOW 2.4); one that is decided or closed stays as it is."""
    if sourcing.state != "open":
        return sourcing, []
    sourcing = replace(sourcing, state="closed", closed_because=reason)
    return sourcing, [events.SourcingClosed(**_fact(sourcing, now), reason=reason)]


def choose_alternative(
    sourcing: Sourcing, *, alternative_id: UUID, rationale: str, by: By, now: datetime
) -> tuple[Sourcing, PurchaseOrder, list[Event]]:
    """Choose a way out for its line and place the order for it.

    Raises RoundClosed, UnknownAlternative, LineDecided, CannotWork with its reasons, and AboveLimit (FLOW 3.3).
    """
    _must_be_open(sourcing)
    chosen = next((a for a in sourcing.alternatives if a.alternative_id == alternative_id), None)
    if chosen is None:
        raise UnknownAlternative(
            f"the round has no alternative {alternative_id}; ask for the round's options", field="alternative_id"
        )
    line = _open_line(sourcing, chosen.line_id)
    if not chosen.feasible:
        raise CannotWork(f"{chosen.supplier} cannot work: {'; '.join(chosen.reasons)}", field="alternative_id")
    _must_be_within_limit(sourcing, chosen, by)
    order, placed = place_order(
        None,
        source=ORDER_SOURCE,
        reference=f"alt-{alternative_id.hex[:16]}-{sourcing.opening}",
        supplier=chosen.supplier,
        destination=line.site,
        lines=[RequestedLine("1", line.item, chosen.quantity, line.needed_on, chosen.price)],
        occurred_at=now,
        now=now,
        cause=sourcing.cause,
        alternative_id=alternative_id,
    )
    decision = Decision(
        sourcing.opening,
        line.line_id,
        "chosen",
        alternative_id,
        chosen.supplier,
        order.order_id,
        chosen.landed_cost,
        by.subject,
        by.role,
        rationale,
        now,
        now,
    )
    sourcing = _decided(sourcing, decision)
    decided_event = events.AlternativeChosen(
        **_fact(sourcing, now),
        alternative_id=alternative_id,
        line_id=line.line_id,
        supplier=chosen.supplier,
        order_id=order.order_id,
        by=by,
        rationale=rationale,
        remaining_lines=len(sourcing.remaining),
        landed_cost=chosen.landed_cost,
    )
    return sourcing, order, [*placed, decided_event]


def decline_line(
    sourcing: Sourcing, *, line_id: UUID, reason: str, by: By, now: datetime
) -> tuple[Sourcing, list[Event]]:
    """Say that no way out is taken for a line, and why.

    A line counts as remaining until somebody says so. Where a candidate works, only the planning lead or an
    executive may leave it. Raises RoundClosed, UnknownLine, LineDecided, HasCandidate.
    """
    _must_be_open(sourcing)
    line = _open_line(sourcing, line_id)
    works = sum(a.feasible for a in sourcing.alternatives if a.line_id == line_id)
    if works and by.role not in ABOVE_LIMIT:
        raise HasCandidate(
            f"line {line.reference!r} has {works} candidate(s) that work;"
            " choose one, or let the planning lead decline it"
        )
    decision = Decision(
        sourcing.opening, line_id, "declined", None, None, None, None, by.subject, by.role, reason, now, now
    )
    sourcing = _decided(sourcing, decision)
    decided_event = events.AlternativeDeclined(
        **_fact(sourcing, now), line_id=line_id, by=by, reason=reason, remaining_lines=len(sourcing.remaining)
    )
    return sourcing, [decided_event]


def _ranked(sourcing: Sourcing, lines: tuple[Line, ...], market: Market, now: datetime) -> Sourcing:
    decided = sourcing.decided
    kept_lines = tuple(line for line in sourcing.lines if line.line_id in decided)
    decided_alternatives = tuple(a for a in sourcing.alternatives if a.line_id in decided)
    fresh = tuple(line for line in lines if line.line_id not in decided)
    ranked = rank(sourcing.sourcing_id, fresh, market, now=now)
    return replace(sourcing, lines=(*kept_lines, *fresh), alternatives=(*decided_alternatives, *ranked), ranked_at=now)


def _decided(sourcing: Sourcing, decision: Decision) -> Sourcing:
    sourcing = replace(sourcing, decisions=(*sourcing.decisions, decision))
    return sourcing if sourcing.remaining else replace(sourcing, state="decided")


def _must_be_open(sourcing: Sourcing) -> None:
    if sourcing.state == "decided":
        raise RoundClosed("this round is closed: every line of it is decided")
    if sourcing.state == "closed":
        raise RoundClosed(f"this round is closed: {sourcing.closed_because}")


def _open_line(sourcing: Sourcing, line_id: UUID) -> Line:
    line = next((one for one in sourcing.lines if one.line_id == line_id), None)
    if line is None:
        raise UnknownLine(f"the round has no line {line_id}", field="line_id")
    if (before := sourcing.decided.get(line_id)) is not None:
        how = f"{before.supplier} was chosen" if before.outcome == "chosen" else "it was declined"
        raise LineDecided(f"line {line.reference!r} is decided: {how} by {before.by_subject}")
    return line


def _must_be_within_limit(sourcing: Sourcing, chosen: Alternative, by: By) -> None:
    """Raise AboveLimit where this choice and those before it cost more than the limit, or the cost is unknown."""
    limit = sourcing.money_limit
    if limit is None or by.role in ABOVE_LIMIT:
        return
    ask = "; ask the planning lead or an executive to choose"
    cost = chosen.landed_cost
    if cost is None or cost.currency != limit.currency:
        unknown = "unknown" if cost is None else f"in {cost.currency}"
        raise AboveLimit(f"its cost is {unknown}, and the task's limit is {limit.amount} {limit.currency}{ask}")
    before = [d.landed_cost for d in sourcing.decided.values() if d.landed_cost]
    spent = [m.amount for m in before if m.currency == limit.currency]
    if Money.total([*spent, cost.amount], limit.currency).amount > limit.amount:
        raise AboveLimit(
            f"the choices of this round would pass the task's limit of {limit.amount} {limit.currency}{ask}"
        )


def _fact(sourcing: Sourcing, now: datetime) -> dict[str, Any]:
    return {
        "occurred_at": now,
        "sourcing_id": sourcing.sourcing_id,
        "case_id": sourcing.case_id,
        "task_id": sourcing.task_id,
        "cause": sourcing.cause,
    }


def _ranked_fact(sourcing: Sourcing, now: datetime) -> dict[str, Any]:
    place = {line.line_id: number for number, line in enumerate(sourcing.lines)}
    in_order = sorted(sourcing.alternatives, key=lambda a: (place[a.line_id], a.rank))
    return _fact(sourcing, now) | {
        "lines": len(sourcing.lines),
        "alternatives": tuple(
            events.Alternative(
                alternative_id=a.alternative_id,
                line_id=a.line_id,
                kind="other-supplier",
                supplier=a.supplier,
                rank=a.rank,
                feasible=a.feasible,
                reasons=a.reasons,
                quantity=a.quantity,
                arrives_on=a.arrives_on,
                on_time_share=a.on_time_share,
                receipts=a.receipts,
                landed_cost=a.landed_cost,
            )
            for a in in_order
        ),
    }
