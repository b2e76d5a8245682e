"""Deadlines of a case, what happens when one passes, and what a changed calendar or ladder does to them (FLOW 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.base import Event
from schemas.exceptions import CaseEscalated, TaskRescheduled
from schemas.types import Function
from services.exceptions.domain.case import (
    Case,
    EscalationState,
    Task,
    case_fields,
    deadline_fields,
    task_fields,
    with_task,
)
from services.exceptions.domain.rules import Due, KnownLadder, Watched, WorkingDuration

ACKNOWLEDGE_DUE, COMMIT_DUE, COMPLETE_DUE = "case-acknowledge-due", "task-commit-due", "task-complete-due"
ESCALATION_DUE = "case-escalation-due"
WATCHED: dict[str, Watched] = {ACKNOWLEDGE_DUE: "acknowledge", COMMIT_DUE: "commit", COMPLETE_DUE: "complete"}
LADDER_KEY = "ladder/"  # a timer's rule hangs on a calendar's code, or on a ladder's with this before it

OnDuty = Callable[[Function], tuple[str, ...]]
Missed = tuple[Watched, UUID | None]


@dataclass(frozen=True, slots=True)
class Deadline:
    """One timer that a case asks for: the instant, and the rule it came from."""

    due_at: datetime
    rule: dict[str, Any]
    rule_key: str
    detail: dict[str, Any]


def deadlines_of(case: Case) -> dict[tuple[str, str], Deadline]:
    """Return the timers that the case wants pending, by name and subject: none while it is paused or not open."""
    if case.state != "open" or case.paused_at is not None:
        return {}
    timers: dict[tuple[str, str], Deadline] = {}

    def add(name: str, subject: UUID, at: datetime, span: WorkingDuration, start: datetime) -> None:
        rule = {"calendar": case.calendar, "minutes": span.minutes, "days": span.days, "from": start.isoformat()}
        detail = {
            "case_id": str(case.case_id),
            "what": WATCHED[name],
            "task_id": None if subject == case.case_id else str(subject),
        }
        timers[name, str(subject)] = Deadline(at, rule, case.calendar, detail)

    if case.acknowledged_at is None and case.acknowledge_missed_at is None:
        add(ACKNOWLEDGE_DUE, case.case_id, case.acknowledge_by, case.acknowledge_within, case.clock_from)
    for task in case.tasks:
        if task.state == "open" and task.commit_missed_at is None:
            add(COMMIT_DUE, task.task_id, task.commit_by, task.commit_within, task.clock_from)
        if task.is_live and task.complete_missed_at is None:
            add(COMPLETE_DUE, task.task_id, task.complete_by, task.complete_within, task.clock_from)
    chain = case.chain
    if chain is not None and chain.next_at is not None and missed_of(case):
        detail = {"case_id": str(case.case_id), "again": chain.level}
        rule = {"ladder": case.ladder, "level": chain.level, "from": chain.escalated_at.isoformat()}
        timers[ESCALATION_DUE, str(case.case_id)] = Deadline(chain.next_at, rule, LADDER_KEY + case.ladder, detail)
    return timers


def with_next_deadline(case: Case) -> Case:
    """Return the case with the earliest deadline that is not met, passed or not: what lists sort by; none while paused."""
    met: list[datetime] = []
    if case.state == "open" and case.paused_at is None:
        if case.acknowledged_at is None:
            met.append(case.acknowledge_by)
        met += [t.commit_by for t in case.tasks if t.state == "open"]
        met += [t.complete_by for t in case.tasks if t.is_live]
    due_at = min(met, default=None)
    return case if case.due_at == due_at else replace(case, due_at=due_at)


def missed_of(case: Case) -> list[Missed]:
    """Return the deadlines that have passed and whose matter is still open, the case's own first."""
    missed: list[Missed] = []
    if case.acknowledge_missed_at is not None and _is_lacking(case, "acknowledge", None):
        missed.append(("acknowledge", None))
    for task in case.tasks:
        if task.commit_missed_at is not None and _is_lacking(case, "commit", task.task_id):
            missed.append(("commit", task.task_id))
        if task.complete_missed_at is not None and _is_lacking(case, "complete", task.task_id):
            missed.append(("complete", task.task_id))
    return missed


def _is_lacking(case: Case, what: Watched, task_id: UUID | None) -> bool:
    """Say whether what a deadline asks for is not there."""
    if case.state != "open":
        return False
    if what == "acknowledge":
        return case.acknowledged_at is None
    task = next((t for t in case.tasks if t.task_id == task_id), None)
    if task is None:
        return False
    return task.state == "open" if what == "commit" else task.is_live


def escalate_case(
    case: Case, *, what: Watched, task_id: UUID | None, ladder: KnownLadder, on_duty: OnDuty, due: Due, now: datetime
) -> tuple[Case, list[Event]]:
    """Tell the first rung of the ladder that a deadline has passed, unless it was met.

    A case climbs its ladder once: while it does for another deadline, a further one tells its function only where
    that leaves room for the rungs still to come.
    """
    if case.paused_at is not None or not _is_lacking(case, what, task_id):
        return case, []
    is_climbing = case.chain is not None and bool(missed_of(case))
    case, due_at = _marked_missed(case, what, task_id, now)
    if not is_climbing:
        return _escalated(case, (what, task_id), due_at, 0, ladder, on_duty, due, now)
    chain = case.chain
    left = 0 if chain is None else len(ladder.rungs) - chain.level
    if case.escalations + left >= ladder.max_escalations:
        return case, []
    case, facts = _escalated(case, (what, task_id), due_at, 0, ladder, on_duty, due, now)
    return replace(case, chain=chain), facts


def escalate_to_next_level(
    case: Case, *, ladder: KnownLadder, on_duty: OnDuty, due: Due, now: datetime
) -> tuple[Case, list[Event]]:
    """Tell the next rung, while a missed deadline's matter is still open."""
    chain, missed = case.chain, missed_of(case)
    if case.paused_at is not None or chain is None or not missed:
        return case, []
    about = (chain.what, chain.task_id) if (chain.what, chain.task_id) in missed else missed[0]
    return _escalated(case, about, _due_of(case, *about), chain.level, ladder, on_duty, due, now)


def _escalated(
    case: Case,
    about: Missed,
    due_at: datetime,
    level: int,
    ladder: KnownLadder,
    on_duty: OnDuty,
    due: Due,
    now: datetime,
) -> tuple[Case, list[Event]]:
    """Tell one rung; the roster is read now, and an empty one means the function's role (FLOW 5.5)."""
    what, task_id = about
    if level >= len(ladder.rungs) or case.escalations >= ladder.max_escalations:
        chain = case.chain
        return replace(case, chain=None if chain is None else replace(chain, next_at=None)), []
    rung = ladder.rungs[level].role or _function_of(case, task_id)
    recipients = on_duty(rung) or (rung,)
    next_level = level + 1
    escalated_to = case.escalated_to if rung in case.escalated_to else (*case.escalated_to, rung)
    case = replace(case, escalations=case.escalations + 1, escalated_to=escalated_to)
    next_at = None
    if next_level < len(ladder.rungs) and case.escalations < ladder.max_escalations:
        next_at = due(WorkingDuration(minutes=ladder.rungs[next_level].after_minutes), now)
    case = replace(case, chain=EscalationState(what, task_id, next_level, due_at, now, next_at))
    event = CaseEscalated(
        **case_fields(case, now), task_id=task_id, level=next_level, rung=rung, recipients=recipients, due_at=due_at
    )
    return case, [event]


def _due_of(case: Case, what: Watched, task_id: UUID | None) -> datetime:
    if what == "acknowledge" or task_id is None:
        return case.acknowledge_by
    task = case.task(task_id)
    return task.commit_by if what == "commit" else task.complete_by


def _marked_missed(case: Case, what: Watched, task_id: UUID | None, now: datetime) -> tuple[Case, datetime]:
    due_at = _due_of(case, what, task_id)
    if what == "acknowledge" or task_id is None:
        return replace(case, acknowledge_missed_at=case.acknowledge_missed_at or now), due_at
    task = case.task(task_id)
    if what == "commit":
        return with_task(case, replace(task, commit_missed_at=task.commit_missed_at or now)), due_at
    return with_task(case, replace(task, complete_missed_at=task.complete_missed_at or now)), due_at


def _function_of(case: Case, task_id: UUID | None) -> Function:
    """Return who is asked first: the task's holder, or for the case the function of its first required task."""
    if task_id is not None:
        return case.task(task_id).holder
    return next(t.holder for t in case.tasks if t.required)


def recompute_deadlines(case: Case, *, due: Due) -> Case:
    """Return the case with its deadlines counted anew by a calendar that was heard or changed; missed ones stay missed."""
    percent = case.deadline_percent
    by = case.acknowledge_by
    if case.acknowledged_at is None and case.acknowledge_missed_at is None:
        by = due(case.acknowledge_within.tightened(percent), case.clock_from)
    tasks = tuple(_recomputed(t, percent, due) for t in case.tasks)
    return replace(case, acknowledge_by=by, tasks=tasks, calendar_known=True)


def reschedule_tasks(case: Case, *, due: Due, now: datetime) -> tuple[Case, list[Event]]:
    """Recompute the deadlines by a new or changed calendar. If any moved, return one TaskRescheduled for each unfinished task."""
    after = recompute_deadlines(case, due=due)
    if deadline_fields(after) == deadline_fields(case):
        return after, []
    return after, [
        TaskRescheduled(
            **task_fields(after, task, now),
            commit_by=task.commit_by,
            complete_by=task.complete_by,
            acknowledge_by=after.acknowledge_by,
        )
        for task in after.tasks
        if task.is_live
    ]


def _recomputed(task: Task, percent: int, due: Due) -> Task:
    if not task.is_live:
        return task
    commit_by, complete_by = task.commit_by, task.complete_by
    if task.commit_missed_at is None and task.state == "open":
        commit_by = due(task.commit_within.tightened(percent), task.clock_from)
    if task.complete_missed_at is None:
        complete_by = due(task.complete_within.tightened(percent), task.clock_from)
    return replace(task, commit_by=commit_by, complete_by=complete_by)


def retime_rungs(case: Case, *, ladder: KnownLadder, due: Due) -> Case:
    """Return the case with its next rung timed by a ladder that was heard or changed."""
    chain = case.chain
    if chain is None or chain.next_at is None:
        return case
    next_at = None
    if chain.level < len(ladder.rungs) and case.escalations < ladder.max_escalations:
        next_at = due(WorkingDuration(minutes=ladder.rungs[chain.level].after_minutes), chain.escalated_at)
    return replace(case, chain=replace(chain, next_at=next_at))
