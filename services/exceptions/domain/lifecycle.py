"""How a cause drives its case: opened, extended, reassessed, settled, cleared, back again (FLOW 1, FLOW 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from schemas.base import Event
from schemas.exceptions import (
    AffectedLine,
    CaseCleared,
    CaseExtended,
    CaseOpened,
    CaseReassessed,
    CaseReopened,
    CaseSettled,
    TaskCompleted,
    TaskOpened,
    TaskReopened,
    TaskWithdrawn,
)  # fmt: skip
from schemas.types import By, Money
from services.exceptions.domain.case import (
    Case,
    Shortage,
    Task,
    assessed,
    case_fields,
    case_id_of,
    deadline_fields,
    task_fields,
    task_id_of,
    tightened,
    with_quorum,
    with_task,
)  # fmt: skip
from services.exceptions.domain.rules import PlaybookTask, Rulebook
from services.exceptions.domain.signals import Impact, Signal

NOTIFY, FIND = "notify-customers", "find-alternative-source"
NOBODY = "nobody is affected: no customer's promise is in danger"


def open_case(
    *, signal: Signal, cycle: int, previous_case_id: UUID | None, rules: Rulebook, now: datetime
) -> tuple[Case, list[Event]]:
    """Open the case of a cause with all tasks of its playbook; `cycle` is 1 for the first case of the cause."""
    playbook, case_id = rules.playbook, case_id_of(signal.cause, cycle)
    case = Case(
        case_id=case_id, cause_kind=signal.cause.kind, cause_subject_id=signal.cause.id, cycle=cycle,
        recurrence=cycle - 1, previous_case_id=previous_case_id, state="open", ending=None, severity="low", headline=signal.headline,
        provisional=signal.provisional, playbook=playbook.code, playbook_version=playbook.number, calendar=playbook.calendar,
        calendar_known=rules.calendar_known, ladder=playbook.ladder, sites=(), customers=(), lines=signal.lines, affected=(),
        impact_version=0, shortages=(), value_at_risk=Money(amount=Decimal(0), currency=rules.thresholds.currency),
        needed_on=min((line.needed_on for line in signal.lines), default=now.date()), cause_occurred_at=signal.cause_occurred_at,
        opened_at=now, clock_from=now, acknowledge_within=playbook.acknowledge_within, acknowledge_by=now,
        deadline_percent=100, tasks=(),
    )  # fmt: skip
    case = assessed(case, rules.thresholds, now)
    percent = min(100, rules.thresholds.percent(case.severity))
    tasks = tuple(_task(case_id, place, t, percent, rules, now) for place, t in enumerate(playbook.tasks, 1))
    by = rules.due(playbook.acknowledge_within.tightened(percent), now)
    case = replace(case, tasks=tasks, acknowledge_by=by, deadline_percent=percent)
    events: list[Event] = [
        CaseOpened(
            **case_fields(case, now), **deadline_fields(case), headline=case.headline, recurrence=case.recurrence,
            previous_case_id=previous_case_id, cause_occurred_at=case.cause_occurred_at, playbook=case.playbook, playbook_version=case.playbook_version,
            value_at_risk=case.value_at_risk, lines=case.lines, provisional=case.provisional,
        )
    ]  # fmt: skip
    for task in tasks:
        events.append(
            TaskOpened(
                **task_fields(case, task, now), title=task.title, lines=case.lines, needed_on=case.needed_on,
                commit_by=task.commit_by, complete_by=task.complete_by, money_limit=task.money_limit,
            )
        )  # fmt: skip
    return case, events


def _task(case_id: UUID, place: int, template: PlaybookTask, percent: int, rules: Rulebook, now: datetime) -> Task:
    return Task(
        task_id=task_id_of(case_id, template.kind), kind=template.kind, function=template.function, holder=template.function, offered_to=None,
        required=template.required, title=template.title, place=place, state="open", money_limit=template.money_limit, opened_at=now,
        clock_from=now, commit_within=template.commit_within, complete_within=template.complete_within,
        commit_by=rules.due(template.commit_within.tightened(percent), now),
        complete_by=rules.due(template.complete_within.tightened(percent), now),
    )  # fmt: skip


def extend_case(case: Case, *, signal: Signal, rules: Rulebook, now: datetime) -> tuple[Case, list[Event]]:
    """Extend the case that is open or implemented for this cause: its lines and days are the new ones."""
    case = replace(
        case, headline=signal.headline, provisional=signal.provisional, lines=_merged(case.lines, signal.lines)
    )
    case = tightened(assessed(case, rules.thresholds, now), rules.thresholds, rules.due)
    return case, [
        CaseExtended(
            **case_fields(case, now),
            **deadline_fields(case),
            headline=case.headline,
            value_at_risk=case.value_at_risk,
            lines=case.lines,
        )
    ]


def _merged(before: tuple[AffectedLine, ...], changed: tuple[AffectedLine, ...]) -> tuple[AffectedLine, ...]:
    """Return what was told in place of the same lines and of others of the same shipment; the rest stays."""
    ids = {line.line_id for line in changed}
    shipments = {line.shipment_id for line in changed if line.shipment_id}
    unchanged = [line for line in before if line.line_id not in ids and line.shipment_id not in shipments]
    return (*unchanged, *changed)


def reassess_impact(case: Case, *, impact: Impact, rules: Rulebook, now: datetime) -> tuple[Case, list[Event]]:
    """Complete the impact by who is hurt; where nobody is, the task to notify them is done (FLOW 3.1)."""
    if impact.version <= case.impact_version:
        return case, []
    before = case.severity
    case = replace(case, affected=impact.affected, impact_version=impact.version)
    case = tightened(assessed(case, rules.thresholds, now), rules.thresholds, rules.due)
    events = [_reassessed(case, "impact", before, now)]
    task = next((t for t in case.tasks if t.kind == NOTIFY), None)
    if task is None or case.state != "open":
        return case, events
    if impact.nobody and task.is_live:
        case, more = complete_by_fact(case, task_id=task.task_id, outcome=NOBODY, now=now)
        events += more
    elif not impact.nobody and task.state == "completed" and task.outcome == NOBODY:
        case, more = task_reopened(case, task, rules, "customers are affected after all", now)
        events += more
    return case, events


def reassess_shortage(case: Case, *, shortage: Shortage, rules: Rulebook, now: datetime) -> tuple[Case, list[Event]]:
    """Fold a shortage that follows from the cause into its case."""
    if shortage in case.shortages:
        return case, []
    before = case.severity
    others = tuple(s for s in case.shortages if s.stock_id != shortage.stock_id)
    case = replace(case, shortages=(*others, shortage))
    case = tightened(assessed(case, rules.thresholds, now), rules.thresholds, rules.due)
    return case, [_reassessed(case, "shortage", before, now)]


def reassess_averted(case: Case, *, stock_id: UUID, rules: Rulebook, now: datetime) -> tuple[Case, list[Event]]:
    """Take back a shortage that is averted; the severity stays until a person loosens it (FLOW 2.5)."""
    if all(s.stock_id != stock_id for s in case.shortages):
        return case, []
    before = case.severity
    case = replace(case, shortages=tuple(s for s in case.shortages if s.stock_id != stock_id))
    case = assessed(case, rules.thresholds, now)
    return case, [_reassessed(case, "averted", before, now)]


def _reassessed(case: Case, because: str, before: str, now: datetime) -> Event:
    return CaseReassessed.model_validate(
        case_fields(case, now)
        | deadline_fields(case)
        | {
            "because": because, "previous_severity": before, "value_at_risk": case.value_at_risk,
            "affected": case.affected, "shortages": len(case.shortages),
        }
    )  # fmt: skip


def settle_case(case: Case, *, days_late: int, now: datetime) -> tuple[Case, list[Event]]:
    """Say that the cause ended badly: really late; the response stays to be finished (METRICS 3.1)."""
    if not case.is_active or case.settled_at is not None:
        return case, []
    case = replace(case, settled_at=now, days_late=days_late, provisional=False)
    return case, [CaseSettled(**case_fields(case, now), days_late=days_late)]


def clear_case(case: Case, *, reason: str, now: datetime) -> tuple[Case, list[Event]]:
    """Close a case whose cause went away before the response was implemented; open tasks are withdrawn (FLOW 2.4)."""
    if case.state != "open":
        return case, []
    case, withdrawn = withdraw_tasks(case, reason=reason, now=now)
    case = replace(case, state="closed", ending="cleared", closed_at=now, chain=None, paused_at=None, pause_reason=None)
    return case, [CaseCleared(**case_fields(case, now), reason=reason), *withdrawn]


def withdraw_tasks(case: Case, *, reason: str, now: datetime) -> tuple[Case, list[Event]]:
    """Withdraw every task that is still to be done."""
    events: list[Event] = []
    for task in case.tasks:
        if task.is_live:
            case = with_task(case, replace(task, state="withdrawn", offered_to=None, done_at=now, outcome=reason))
            events.append(TaskWithdrawn(**task_fields(case, task, now), reason=reason))
    return case, events


def complete_by_fact(case: Case, *, task_id: UUID, outcome: str, now: datetime) -> tuple[Case, list[Event]]:
    """Complete a task because a fact says that it is done; nothing happens where it is not open any more."""
    task = next((t for t in case.tasks if t.task_id == task_id), None)
    if task is None or case.state != "open" or not task.is_live:
        return case, []
    task = replace(task, state="completed", offered_to=None, done_at=now, outcome=outcome)
    case, implemented = with_quorum(with_task(case, task), now)
    return case, [TaskCompleted(**task_fields(case, task, now), outcome=outcome), *implemented]


def reopen_case(
    case: Case, *, signal: Signal | None, reason: str, by: By | None, rules: Rulebook, now: datetime
) -> tuple[Case, list[Event]]:
    """Reopen a case with all its tasks; the time since it stopped is left out of the clock (FLOW 1.3)."""
    stopped_at = case.implemented_at or case.closed_at or now
    case = replace(
        case, state="open", ending=None, implemented_at=None, closed_at=None, settled_at=None, days_late=None, decided_at=None,
        choice=None, chain=None, escalations=0, clock_from=now, paused_at=None, pause_reason=None,
    )  # fmt: skip
    if signal is not None:
        lines = _merged(case.lines, signal.lines)
        case = replace(case, headline=signal.headline, provisional=signal.provisional, lines=lines)
    case = assessed(case, rules.thresholds, now)
    percent = min(case.deadline_percent, rules.thresholds.percent(case.severity))
    by_when = rules.due(case.acknowledge_within.tightened(percent), now)
    case = replace(case, deadline_percent=percent, acknowledge_by=by_when, acknowledge_missed_at=None)
    events: list[Event] = []
    for task in case.tasks:
        case, more = task_reopened(case, task, rules, reason, now)
        events += more
    reopened = CaseReopened(
        **case_fields(case, now), **deadline_fields(case), by=by, reason=reason, stopped_at=stopped_at
    )
    return case, [reopened, *events]


def task_reopened(case: Case, task: Task, rules: Rulebook, reason: str, now: datetime) -> tuple[Case, list[Event]]:
    """Return the case with a task that is asked for again, of its playbook's function, with new deadlines."""
    percent = case.deadline_percent
    task = replace(
        task, state="open", holder=task.function, offered_to=None, clock_from=now, committed_to=None, committed_at=None,
        done_at=None, outcome=None, acted_by=None, commit_missed_at=None, complete_missed_at=None,
        commit_by=rules.due(task.commit_within.tightened(percent), now),
        complete_by=rules.due(task.complete_within.tightened(percent), now),
    )  # fmt: skip
    case = with_task(case, task)
    return case, [task_reopened_fact(case, task, reason, now)]


def task_reopened_fact(case: Case, task: Task, reason: str, now: datetime) -> Event:
    """Return the fact that a task came back."""
    return TaskReopened(
        **task_fields(case, task, now), reason=reason, lines=case.lines, needed_on=case.needed_on,
        commit_by=task.commit_by, complete_by=task.complete_by, money_limit=task.money_limit,
    )  # fmt: skip
