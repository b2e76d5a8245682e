"""Acts on cases and tasks over HTTP."""

from __future__ import annotations

from uuid import UUID

from fastapi import Depends

from chassis import http
from services.exceptions import domain, operations, queries
from services.exceptions.api.bodies import (
    AssignTask,
    CommitTask,
    DecideCase,
    GiveOutcome,
    GiveReason,
    HandOverTask,
    Nothing,
)
from services.exceptions.api.scope import must_be_as_seen, read_seen_version
from services.exceptions.api.shown import CaseMade, TaskShown, owner_of

router = http.Router(dependencies=[Depends(read_seen_version)])


def _person(act: http.ActContext) -> domain.Person:
    return domain.Person(act.actor.subject, act.actor.roles)


def _mine(act: http.ActContext, case_id: UUID) -> UUID:
    """Return the id of a case in the actor's scope; raises NotFound, Forbidden."""
    case = operations.get_case(act.tx, case_id=case_id)
    act.actor.must_see_any(sites=case.sites, customers=case.customers)
    must_be_as_seen(act, case_id)
    return case_id


def _my_task(act: http.ActContext, task_id: UUID) -> UUID:
    """Return the id of a task whose case is in the actor's scope; raises NotFound, Forbidden."""
    case = operations.get_case_of_task(act.tx, task_id=task_id)
    act.actor.must_see_any(sites=case.sites, customers=case.customers)
    must_be_as_seen(act, case.case_id)
    return task_id


def _made(case: domain.Case, task_id: UUID | None = None) -> CaseMade:
    task = None
    if task_id is not None:
        found = case.task(task_id)
        fields = {name: getattr(found, name) for name in TaskShown.model_fields if name not in ("masked", "case_id")}
        task = TaskShown(case_id=case.case_id, **fields)
    return CaseMade(
        case_id=case.case_id,
        state=case.state,
        ending=case.ending,
        severity=case.severity,
        owner=owner_of(case),
        implemented_at=case.implemented_at,
        due_at=case.due_at,
        task=task,
    )


@router.act("/cases/{case_id}/acknowledge", may="acknowledge-case")
def acknowledge_case(case_id: UUID, act: http.ActContext, body: Nothing | None = None) -> CaseMade:
    """Accept a case: the clock point *acknowledged*."""
    return _made(operations.acknowledge_case(act.tx, case_id=_mine(act, case_id), person=_person(act)))


@router.act("/cases/{case_id}/take", may="acknowledge-case")
def take_case(case_id: UUID, act: http.ActContext, body: Nothing | None = None) -> CaseMade:
    """Own a case."""
    return _made(operations.take_case(act.tx, case_id=_mine(act, case_id), person=_person(act)))


@router.act("/cases/{case_id}/pause", may="verify-case")
def pause_case(case_id: UUID, body: GiveReason, act: http.ActContext) -> CaseMade:
    """Let a case's deadlines stand still."""
    case = operations.pause_case(act.tx, case_id=_mine(act, case_id), person=_person(act), reason=body.reason)
    return _made(case)


@router.act("/cases/{case_id}/resume", may="verify-case")
def resume_case(case_id: UUID, act: http.ActContext, body: Nothing | None = None) -> CaseMade:
    """Let a case's deadlines run again."""
    return _made(operations.resume_case(act.tx, case_id=_mine(act, case_id), person=_person(act)))


@router.act("/cases/{case_id}/decide", may="decide-case")
def decide_case(case_id: UUID, body: DecideCase, act: http.ActContext) -> CaseMade:
    """Choose the way out."""
    case = operations.decide_case(
        act.tx, case_id=_mine(act, case_id), person=_person(act), choice=body.choice, rationale=body.rationale
    )
    return _made(case)


@router.act("/cases/{case_id}/verify", may="verify-case")
def verify_case(case_id: UUID, body: GiveOutcome, act: http.ActContext) -> CaseMade:
    """Close an implemented case whose effect was checked."""
    case = operations.verify_case(act.tx, case_id=_mine(act, case_id), person=_person(act), outcome=body.outcome)
    return _made(case)


@router.act("/cases/{case_id}/reopen", may="verify-case")
def reopen_case(case_id: UUID, body: GiveReason, act: http.ActContext) -> CaseMade:
    """Bring back an implemented or closed case with its tasks."""
    queries.case_whole(act.tx, act.actor, case_id, act.tx.now)  # not locked: the operation locks the cause first
    must_be_as_seen(act, case_id)
    case = operations.reopen_case(act.tx, case_id=case_id, person=_person(act), reason=body.reason)
    return _made(case)


@router.act("/tasks/{task_id}/commit", may="work-task")
def commit_task(task_id: UUID, body: CommitTask, act: http.ActContext) -> CaseMade:
    """Accept a task with a date."""
    case = operations.commit_task(
        act.tx, task_id=_my_task(act, task_id), person=_person(act), committed_to=body.committed_to, note=body.note
    )
    return _made(case, task_id)


@router.act("/tasks/{task_id}/complete", may="work-task")
def complete_task(task_id: UUID, body: GiveOutcome, act: http.ActContext) -> CaseMade:
    """Say that a function's part is done."""
    case = operations.complete_task(act.tx, task_id=_my_task(act, task_id), person=_person(act), outcome=body.outcome)
    return _made(case, task_id)


@router.act("/tasks/{task_id}/refuse", may="work-task")
def refuse_task(task_id: UUID, body: GiveReason, act: http.ActContext) -> CaseMade:
    """Say no, with a reason; the planning lead decides what becomes of the task."""
    case = operations.refuse_task(act.tx, task_id=_my_task(act, task_id), person=_person(act), reason=body.reason)
    return _made(case, task_id)


@router.act("/tasks/{task_id}/waive", may="work-task")
def waive_task(task_id: UUID, body: GiveReason, act: http.ActContext) -> CaseMade:
    """Say that a task is not needed, with a reason."""
    case = operations.waive_task(act.tx, task_id=_my_task(act, task_id), person=_person(act), reason=body.reason)
    return _made(case, task_id)


@router.act("/tasks/{task_id}/hand-over", may="work-task")
def hand_over_task(task_id: UUID, body: HandOverTask, act: http.ActContext) -> CaseMade:
    """Offer a task to another function."""
    case = operations.hand_over_task(
        act.tx, task_id=_my_task(act, task_id), person=_person(act), to_function=body.to_function, note=body.note
    )
    return _made(case, task_id)


@router.act("/tasks/{task_id}/accept", may="work-task")
def accept_handover(task_id: UUID, act: http.ActContext, body: Nothing | None = None) -> CaseMade:
    """Take over a task that was offered."""
    case = operations.accept_handover(act.tx, task_id=_my_task(act, task_id), person=_person(act))
    return _made(case, task_id)


@router.act("/tasks/{task_id}/return", may="work-task")
def return_handover(task_id: UUID, body: GiveReason, act: http.ActContext) -> CaseMade:
    """Give a task back that was offered, with a reason."""
    case = operations.return_handover(act.tx, task_id=_my_task(act, task_id), person=_person(act), reason=body.reason)
    return _made(case, task_id)


@router.act("/tasks/{task_id}/assign", may="work-task")
def assign_task(task_id: UUID, body: AssignTask, act: http.ActContext) -> CaseMade:
    """Give a refused task to a function."""
    case = operations.assign_task(
        act.tx, task_id=_my_task(act, task_id), person=_person(act), to_function=body.to_function, reason=body.reason
    )
    return _made(case, task_id)
