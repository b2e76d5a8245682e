"""What people do with a task: commit, complete, refuse, waive, hand over and answer, assign."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from chassis.errors import Invalid
from schemas.base import Event
from schemas.exceptions import (
    HandoverAccepted,
    HandoverReturned,
    TaskCommitted,
    TaskCompleted,
    TaskHandedOver,
    TaskRefused,
    TaskWaived,
)
from schemas.types import Function
from services.exceptions.domain.acts import AlreadyDone
from services.exceptions.domain.case import (
    Case,
    Task,
    TaskState,
    WrongState,
    must_be_open,
    task_fields,
    with_quorum,
    with_task,
)
from services.exceptions.domain.lifecycle import task_reopened_fact
from services.exceptions.domain.people import Person, may_answer_handover, may_assign, may_work
from services.exceptions.domain.rules import Due

Changed = tuple[Case, list[Event]]


def _must_be(case: Case, task: Task, *states: TaskState) -> None:
    """Raise where the task is not in one of these states; a live task of an implemented case may still be worked on."""
    if task.state in states:
        if case.state == "closed":
            must_be_open(case)
        return
    if task.state in ("completed", "waived"):
        raise AlreadyDone(f"the task is {task.state}: {task.outcome}")
    if task.state == "withdrawn":
        raise WrongState(f"the task was withdrawn: {task.outcome}; reopen the case to ask for it again")
    if task.state == "refused":
        raise WrongState("the task was refused; the planning lead assigns, waives or returns it")
    raise WrongState(f"the task is {task.state}; this act needs {' or '.join(states)}")


def commit_task(
    case: Case, *, task_id: UUID, person: Person, committed_to: datetime, note: str | None, now: datetime
) -> Changed:
    """Accept a task with a date; raises Forbidden, Invalid, WrongState, AlreadyDone."""
    task = case.task(task_id)
    by = may_work(task, person)
    _must_be(case, task, "open", "committed")
    if committed_to < now:
        raise Invalid(f"committed_to {committed_to.isoformat()} is over; name a time to come", field="committed_to")
    task = replace(task, state="committed", committed_to=committed_to, committed_at=now, acted_by=by.subject)
    case = with_task(case, task)
    return case, [TaskCommitted(**task_fields(case, task, now), by=by, committed_to=committed_to, note=note)]


def complete_task(case: Case, *, task_id: UUID, person: Person, outcome: str, now: datetime) -> Changed:
    """Say that a function's part is done; raises Forbidden, WrongState, AlreadyDone."""
    task = case.task(task_id)
    by = may_work(task, person)
    _must_be(case, task, "open", "committed")
    task = replace(task, state="completed", offered_to=None, done_at=now, outcome=outcome, acted_by=by.subject)
    case, implemented = with_quorum(with_task(case, task), now)
    return case, [TaskCompleted(**task_fields(case, task, now), by=by, outcome=outcome), *implemented]


def refuse_task(case: Case, *, task_id: UUID, person: Person, reason: str, now: datetime) -> Changed:
    """Say no: the planning lead decides what becomes of the task (FLOW 2.3); raises Forbidden, WrongState, AlreadyDone."""
    task = case.task(task_id)
    by = may_work(task, person)
    _must_be(case, task, "open", "committed")
    task = replace(
        task,
        state="refused",
        holder="planning-lead",
        offered_to=None,
        committed_to=None,
        committed_at=None,
        outcome=reason,
        acted_by=by.subject,
    )
    case = with_task(case, task)
    return case, [TaskRefused(**task_fields(case, task, now), by=by, reason=reason)]


def waive_task(case: Case, *, task_id: UUID, person: Person, reason: str, now: datetime) -> Changed:
    """Say that a task is not needed, for a reason: it counts as done; raises Forbidden, WrongState, AlreadyDone."""
    task = case.task(task_id)
    by = may_work(task, person)
    _must_be(case, task, "open", "committed", "refused")
    task = replace(task, state="waived", offered_to=None, done_at=now, outcome=reason, acted_by=by.subject)
    case, implemented = with_quorum(with_task(case, task), now)
    return case, [TaskWaived(**task_fields(case, task, now), by=by, reason=reason), *implemented]


def hand_over_task(
    case: Case, *, task_id: UUID, person: Person, to_function: Function, note: str, now: datetime
) -> Changed:
    """Offer a task to another function; until it accepts, the giver owns it (FLOW 2.3)."""
    task = case.task(task_id)
    by = may_work(task, person)
    _must_be(case, task, "open", "committed")
    if to_function == task.holder:
        raise Invalid(f"{to_function} holds this task already; name another function", field="to_function")
    if task.offered_to is not None:
        raise WrongState(f"the task is offered to {task.offered_to}, who has not answered yet")
    task = replace(task, offered_to=to_function)
    case = with_task(case, task)
    return case, [
        TaskHandedOver(
            **task_fields(case, task, now), by=by, from_function=task.holder, to_function=to_function, note=note
        )
    ]


def accept_handover(case: Case, *, task_id: UUID, person: Person, due: Due, now: datetime) -> Changed:
    """Take over a task that was offered: the new holder commits anew, the day of completion stays."""
    task = case.task(task_id)
    by = may_answer_handover(task, person)
    _must_be(case, task, "open", "committed")
    to_function = _offered(task)
    from_function = task.holder
    task = replace(
        task,
        holder=to_function,
        offered_to=None,
        state="open",
        committed_to=None,
        committed_at=None,
        commit_missed_at=None,
        clock_from=now,
        commit_by=due(task.commit_within.tightened(case.deadline_percent), now),
    )
    case = with_task(case, task)
    return case, [
        HandoverAccepted(
            **task_fields(case, task, now),
            by=by,
            from_function=from_function,
            to_function=to_function,
            commit_by=task.commit_by,
            complete_by=task.complete_by,
        )
    ]


def return_handover(case: Case, *, task_id: UUID, person: Person, reason: str, now: datetime) -> Changed:
    """Give a task back that was offered, with a reason; the giver has owned it all the time."""
    task = case.task(task_id)
    by = may_answer_handover(task, person)
    _must_be(case, task, "open", "committed")
    to_function = _offered(task)
    task = replace(task, offered_to=None)
    case = with_task(case, task)
    return case, [
        HandoverReturned(
            **task_fields(case, task, now),
            by=by,
            from_function=task.holder,
            to_function=to_function,
            reason=reason,
        )
    ]


def _offered(task: Task) -> Function:
    if task.offered_to is None:
        raise WrongState(f"the task is not offered to anybody; {task.holder} holds it")
    return task.offered_to


def assign_task(
    case: Case, *, task_id: UUID, person: Person, to_function: Function, reason: str, due: Due, now: datetime
) -> Changed:
    """Give a refused task to a function, the one that refused it or another; its deadlines start anew (FLOW 2.3)."""
    may_assign(person)
    task = case.task(task_id)
    _must_be(case, task, "refused")
    percent = case.deadline_percent
    task = replace(
        task,
        state="open",
        holder=to_function,
        outcome=None,
        acted_by=person.subject,
        clock_from=now,
        commit_missed_at=None,
        complete_missed_at=None,
        commit_by=due(task.commit_within.tightened(percent), now),
        complete_by=due(task.complete_within.tightened(percent), now),
    )
    case = with_task(case, task)
    return case, [task_reopened_fact(case, task, reason, now)]
