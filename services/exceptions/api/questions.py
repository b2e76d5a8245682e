"""Questions about cases, tasks and causes over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query

from chassis import http
from chassis.errors import NotFound
from schemas.types import CauseKind, Function, Instant, Money, Severity
from services.exceptions import queries
from services.exceptions.api.scope import TOPIC
from services.exceptions.api.shown import (
    CaseRow,
    CaseWhole,
    CauseShown,
    Figures,
    StreamFigures,
    TaskRow,
    TaskShown,
    TimelineEntry,
    case_row,
    case_whole,
    task_row,
    task_shown,
    timeline_entry,
)

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]
Sort = Literal["value_at_risk", "deadline", "opened_at"]


@router.question("/cases", topic=TOPIC)
def list_cases(
    ask: http.QueryContext,
    state: Literal["open", "implemented", "closed"] | None = None,
    severity: Severity | None = None,
    cause_kind: CauseKind | None = None,
    cause_id: UUID | None = None,
    case_id: Annotated[list[UUID] | None, Query(max_length=http.PAGE_ITEMS_MAX)] = None,
    function: Function | None = None,
    owner: str | None = None,
    unowned: bool | None = None,
    breaching: bool | None = None,
    site: str | None = None,
    customer: str | None = None,
    opened_after: Instant | None = None,
    sort: Sort = "value_at_risk",
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[CaseRow]:
    """Return cases in scope: most money at risk first, earliest deadline first, or newest first."""
    filters = queries.CaseFilters(
        state,
        severity,
        cause_kind,
        cause_id,
        function,
        owner,
        unowned,
        breaching,
        site,
        customer,
        opened_after,
        tuple(case_id) if case_id is not None else None,
    )
    question = (filters, sort)
    after = ask.after(cursor, *question)
    rows = queries.cases_by(
        ask.read, ask.actor, filters=filters, sort=sort, now=queries.world_now(ask.read), after=after, limit=limit + 1
    )

    def place(case: CaseRow) -> list[Any]:
        if sort == "deadline":
            return [(case.due_at or queries.FAR).isoformat(), case.case_id]
        return [case.opened_at.isoformat() if sort == "opened_at" else case.value_at_risk.amount, case.case_id]

    return http.Page[CaseRow](**ask.page([case_row(row, ask.actor) for row in rows], place, limit, *question))


@router.question("/cases/figures", topic=TOPIC)
def stream_figures(ask: http.QueryContext) -> StreamFigures:
    """Return how the cases in scope stand that are not closed: how many are open, unowned, past a deadline, and the money."""
    now = queries.world_now(ask.read)
    found = queries.stream_figures(ask.read, ask.actor, now)
    return StreamFigures(
        as_of=now, value_at_risk=tuple(Money.computed(**one) for one in found.pop("value_at_risk")), **found
    )


@router.question("/cases/{case_id}", topic=TOPIC)
def show_case(case_id: UUID, ask: http.QueryContext) -> CaseWhole:
    """Return a whole case: its impact, its tasks, its clock, its deadlines."""
    row = queries.case_whole(ask.read, ask.actor, case_id, queries.world_now(ask.read))
    return case_whole(row, list(queries.tasks_of(ask.read, case_id)), ask.actor)


@router.question("/cases/{case_id}/timeline", topic=TOPIC)
def show_timeline(
    case_id: UUID, ask: http.QueryContext, cursor: str | None = None, limit: Limit = 100
) -> http.Page[TimelineEntry]:
    """Return the facts of a case in the order they were said."""
    row = queries.case_whole(ask.read, ask.actor, case_id, queries.world_now(ask.read))
    last = ask.after(cursor)
    rows = queries.timeline(ask.read, case_id, after=last[0] if last else 0, limit=limit + 1)
    whole = ask.actor.sees_whole(sites=row.sites, customers=row.customers)
    entries = [timeline_entry(row, whole=whole) for row in rows]
    return http.Page[TimelineEntry](**ask.page(entries, lambda e: [e.position], limit))


@router.question("/tasks", topic=TOPIC)
def list_tasks(
    ask: http.QueryContext,
    function: Function | None = None,
    state: Literal["open", "committed", "refused", "completed", "waived", "withdrawn"] | None = None,
    kind: str | None = None,
    case_id: UUID | None = None,
    due_before: Instant | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[TaskRow]:
    """Return tasks of cases in scope, the earliest due first."""
    filters = queries.TaskFilters(function, state, kind, case_id, due_before)
    after = ask.after(cursor, filters)
    rows = queries.tasks_by_due(ask.read, ask.actor, filters=filters, after=after, limit=limit + 1)
    shown = [task_row(row) for row in rows]
    return http.Page[TaskRow](**ask.page(shown, lambda t: [t.due_at.isoformat(), t.task_id], limit, filters))


@router.question("/tasks/{task_id}", topic=TOPIC)
def show_task(task_id: UUID, ask: http.QueryContext) -> TaskShown:
    """Return a task."""
    case_id = queries.case_of_task(ask.read, task_id)
    queries.case_whole(ask.read, ask.actor, case_id, queries.world_now(ask.read))
    return task_shown(next(t for t in queries.tasks_of(ask.read, case_id) if t.task_id == task_id))


@router.question("/causes", topic=TOPIC)
def show_cause(kind: CauseKind, id: UUID, ask: http.QueryContext) -> CauseShown:
    """Return the cases of a cause: of a delayed shipment, of a shortage."""
    waits = queries.cause_waits(ask.read, kind=kind, cause_id=id)
    if waits is None:
        raise NotFound(f"no cause {kind} {id} is known here; a shipment has one once it is late")
    rows = queries.cases_of_cause(ask.read, ask.actor, kind=kind, cause_id=id)
    return CauseShown(kind=kind, id=id, waits=waits, cases=tuple(case_row(row, ask.actor) for row in rows))


@router.question("/figures", topic=TOPIC)
def response_figures(ask: http.QueryContext) -> Figures:
    """Return what this world's cases add up to; for readers whose scope is everything."""
    ask.actor.must_see_everything()
    found = queries.response_figures(ask.read)
    found["value_at_risk"] = tuple(Money.computed(**money) for money in found["value_at_risk"])
    return Figures(**found, duplicates=found["duplicate_cases"] + found["duplicate_tasks"])
