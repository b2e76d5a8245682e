"""Sourcing rounds over HTTP: the ranked ways out, and the choice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, model_validator

from chassis import http
from chassis.http import Body
from chassis.http.auth import OutsideScope
from schemas.types import Cause, Money, Reason, Sensitive
from services.procurement import domain, operations, queries
from services.procurement.api.bodies import Limit, money, share

router = http.Router()
CHOICES_MAX = 100
State = Literal["open", "decided", "closed"]


class ChooseAlternative(Body):
    """Which way out, or which ones (one per line), and why."""

    alternative_id: UUID | None = None
    alternative_ids: Annotated[tuple[UUID, ...], Field(max_length=CHOICES_MAX)] = ()
    rationale: Reason

    @model_validator(mode="after")
    def _some(self) -> ChooseAlternative:
        if not self.chosen:
            raise ValueError("name an alternative_id, or several alternative_ids")
        return self

    @property
    def chosen(self) -> list[UUID]:
        """Return what was chosen, each once, in the order given."""
        named = [self.alternative_id] if self.alternative_id else []
        return list(dict.fromkeys([*named, *self.alternative_ids]))


class DeclineLine(Body):
    """The line for which no way out is taken, and why."""

    line_id: UUID
    reason: Reason


class OrderedWay(http.Response):
    """A choice and the purchase order that it placed."""

    alternative_id: UUID
    order_id: UUID
    reference: str
    supplier: str
    quantity: Decimal


class Decided(http.Response):
    """What the round is after the act; the task is done when no line remains."""

    sourcing_id: UUID
    state: State
    remaining_lines: int
    orders: tuple[OrderedWay, ...] = ()


class RoundRow(http.Response):
    """A round in a list; what is counted lies in the reader's scope."""

    sourcing_id: UUID
    task_id: UUID
    case_id: UUID
    cause: Cause
    state: State
    closed_because: str | None
    opening: int
    lines: int
    lines_with_candidate: int
    alternatives: int
    decided_lines: int
    recorded_at: datetime
    ranked_at: datetime


class OptionShown(http.Response):
    """A ranked way out; one that cannot work says why."""

    alternative_id: UUID
    kind: Literal["other-supplier"] = "other-supplier"
    supplier: str
    rank: int
    feasible: bool
    reasons: tuple[str, ...]
    quantity: Decimal
    arrives_on: date | None
    on_time_share: str | None
    receipts: int
    price: Annotated[Money | None, Sensitive("cost")]
    landed_cost: Annotated[Money | None, Sensitive("cost")]
    term_id: UUID


class DecisionShown(http.Response):
    """What a person decided about a line."""

    outcome: Literal["chosen", "declined"]
    alternative_id: UUID | None
    supplier: str | None
    order_id: UUID | None
    landed_cost: Annotated[Money | None, Sensitive("cost")]
    by_subject: str
    by_role: str
    rationale: str
    opening: int
    recorded_at: datetime


class LineShown(http.Response):
    """A line with its options in their order, and every decision about it, the last opening's too."""

    line_id: UUID
    reference: str
    shipment_id: UUID | None
    item: str
    site: str
    customer: str | None
    quantity: Decimal
    value: Money | None
    needed_on: date
    expected_on: date | None
    supplier: str | None
    decided: bool
    options: tuple[OptionShown, ...]
    decisions: tuple[DecisionShown, ...]


class RoundWhole(http.Response):
    """A round with what lies in the reader's scope of its lines; the rest is counted."""

    sourcing_id: UUID
    task_id: UUID
    case_id: UUID
    cause: Cause
    state: State
    closed_because: str | None
    opening: int
    money_limit: Money | None
    recorded_at: datetime
    ranked_at: datetime
    lines: tuple[LineShown, ...]
    lines_out_of_scope: int


class CandidateShown(http.Response):
    """One pair of line and supplier."""

    sourcing_id: UUID
    alternative_id: UUID
    case_id: UUID
    cause: Cause
    line_id: UUID
    line: str
    item: str
    supplier: str
    rank: int
    feasible: bool


class Figures(http.Response):
    """What the rounds of this world add up to; a candidate that cannot work counts, it is listed with its reasons."""

    rounds: int
    cases_with_round: int
    cases_with_candidate_for_every_line: int
    cases_with_candidate_for_some_line: int
    candidates_total: int


# ── acts ─────────────────────────────────────────────────────────────────────────────────────────


def _must_see_lines(act: http.ActContext, sourcing_id: UUID, line_ids: set[UUID]) -> None:
    """Raise Forbidden where a line that is decided lies outside the actor's scope."""
    for line in operations.get_round(act.tx, sourcing_id=sourcing_id).lines:
        if line.line_id in line_ids:
            act.actor.must_see(site=line.site, customer=line.customer)


@router.act("/sourcings/{sourcing_id}/choose", may="choose-alternative")
def choose_alternatives(sourcing_id: UUID, body: ChooseAlternative, act: http.ActContext) -> Decided:
    """Choose ways out, one per line, and place the orders; above the task's limit only planning lead or executive."""
    found = operations.get_round(act.tx, sourcing_id=sourcing_id)
    lines = {a.line_id for a in found.alternatives if a.alternative_id in body.chosen}
    _must_see_lines(act, sourcing_id, lines)
    by = act.actor.by(*domain.ABOVE_LIMIT, "procurement")
    sourcing, orders = operations.choose_alternatives(
        act.tx, sourcing_id=sourcing_id, alternative_ids=body.chosen, rationale=body.rationale, by=by
    )
    ways = tuple(
        OrderedWay(
            alternative_id=chosen,
            order_id=order.order_id,
            reference=order.reference,
            supplier=order.supplier,
            quantity=order.lines[0].quantity,
        )
        for chosen, order in zip(body.chosen, orders, strict=True)
    )
    return Decided(sourcing_id=sourcing_id, state=sourcing.state, remaining_lines=len(sourcing.remaining), orders=ways)


@router.act("/sourcings/{sourcing_id}/decline", may="choose-alternative")
def decline_line(sourcing_id: UUID, body: DeclineLine, act: http.ActContext) -> Decided:
    """Say that no way out is taken for a line; where a candidate works only planning lead or executive may."""
    _must_see_lines(act, sourcing_id, {body.line_id})
    sourcing = operations.decline_line(
        act.tx,
        sourcing_id=sourcing_id,
        line_id=body.line_id,
        reason=body.reason,
        by=act.actor.by(*domain.ABOVE_LIMIT, "procurement"),
    )
    return Decided(sourcing_id=sourcing_id, state=sourcing.state, remaining_lines=len(sourcing.remaining))


# ── questions ────────────────────────────────────────────────────────────────────────────────────


@router.question("/sourcings", topic="procurement.sourcing")
def list_rounds(
    ask: http.QueryContext,
    case: UUID | None = None,
    task: UUID | None = None,
    cause: UUID | None = None,
    state: State | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[RoundRow]:
    """Return rounds in scope, in the order in which they were opened."""
    question = (case, task, cause, state)
    last = ask.after(cursor, *question)
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.rounds_by_recording(
        ask.read, ask.actor, case_id=case, task_id=task, cause_id=cause, state=state, after=after, limit=limit + 1
    )
    shown = [RoundRow(cause=_cause(row._mapping), **_fields(RoundRow, row._mapping, "cause")) for row in rows]
    return http.Page[RoundRow](
        **ask.page(shown, lambda s: [s.recorded_at.isoformat(), s.sourcing_id], limit, *question)
    )


@router.question("/sourcings/{sourcing_id}", topic="procurement.sourcing")
def show_round(sourcing_id: UUID, ask: http.QueryContext) -> RoundWhole:
    """Return a round with its options in their order, each with its reasons."""
    found, lines, options, decisions = queries.round_with_options(ask.read, sourcing_id)
    seen = [line for line in lines if ask.actor.sees(site=line.site, customer=line.customer)]
    if not seen and not ask.actor.sees_all:
        raise OutsideScope("no line of this round is in your scope of sites and customers")
    return RoundWhole(
        cause=_cause(found._mapping),
        money_limit=money(found._mapping, "money_limit"),
        lines=tuple(_line(line._mapping, found.opening, options, decisions) for line in seen),
        lines_out_of_scope=len(lines) - len(seen),
        **_fields(RoundWhole, found._mapping, "cause", "money_limit", "lines", "lines_out_of_scope"),
    )


@router.question("/candidates", topic="procurement.sourcing")
def list_candidates(
    ask: http.QueryContext,
    case: UUID | None = None,
    cause: UUID | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[CandidateShown]:
    """Return pairs of line and supplier in scope, over all rounds."""
    last = ask.after(cursor, case, cause)
    after = (UUID(last[0]), UUID(last[1])) if last else None
    rows = queries.candidates_by_round(ask.read, ask.actor, case_id=case, cause_id=cause, after=after, limit=limit + 1)
    shown = [
        CandidateShown(cause=_cause(row._mapping), **_fields(CandidateShown, row._mapping, "cause")) for row in rows
    ]
    return http.Page[CandidateShown](**ask.page(shown, lambda c: [c.sourcing_id, c.alternative_id], limit, case, cause))


@router.question("/figures", topic="procurement.sourcing")
def candidate_figures(ask: http.QueryContext) -> Figures:
    """Return what the rounds of this world add up to; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    return Figures.model_validate(queries.candidate_figures(ask.read))


def _fields(shown: type[http.Response], row: Mapping[Any, Any], *without: str) -> dict[str, Any]:
    return {name: row[name] for name in shown.model_fields if name not in ("masked", *without)}


def _cause(row: Mapping[Any, Any]) -> Cause:
    return Cause(kind=row["cause_kind"], id=row["cause_id"])


def _line(line: Mapping[Any, Any], opening: int, options: Any, decisions: Any) -> LineShown:
    mine = [d._mapping for d in decisions if d.line_id == line["line_id"]]
    return LineShown(
        value=money(line, "value"),
        decided=any(d["opening"] == opening for d in mine),
        options=tuple(_option(o._mapping) for o in options if o.line_id == line["line_id"]),
        decisions=tuple(
            DecisionShown(landed_cost=money(d, "landed_cost"), **_fields(DecisionShown, d, "landed_cost")) for d in mine
        ),
        **_fields(LineShown, line, "value", "decided", "options", "decisions"),
    )


def _option(row: Mapping[Any, Any]) -> OptionShown:
    return OptionShown(
        reasons=tuple(row["reasons"]),
        on_time_share=share(row["receipts_on_time"], row["receipts"]),
        price=money(row, "price"),
        landed_cost=money(row, "landed_cost"),
        **_fields(OptionShown, row, "kind", "reasons", "on_time_share", "price", "landed_cost"),
    )
