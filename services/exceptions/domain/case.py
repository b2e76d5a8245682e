"""The case with its tasks: what it is, what is derived from it, and what every fact about it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid5

from chassis.errors import Conflict, NotFound
from schemas.base import Event
from schemas.exceptions import AffectedCustomer, AffectedLine, CaseImplemented, TaskDeadline
from schemas.types import Cause, CauseKind, Function, Money, Severity
from services.exceptions.domain.rules import SEVERITIES, Due, Thresholds, Watched, WorkingDuration

CaseState = Literal["open", "implemented", "closed"]
TaskState = Literal["open", "committed", "refused", "completed", "waived", "withdrawn"]
LIVE: tuple[TaskState, ...] = ("open", "committed", "refused")
DONE: tuple[TaskState, ...] = ("completed", "waived")
NO_CURRENCY = "XXX"  # ISO 4217: no money is named


@dataclass(frozen=True, slots=True)
class Shortage:
    """A shortage that follows from the cause; it adds no money for a line that is in the case (FLOW 1.4)."""

    stock_id: UUID
    item: str
    site: str
    short_on: date
    short_at: datetime
    quantity: Decimal
    value: Money | None


@dataclass(frozen=True, slots=True)
class EscalationState:
    """How far up the ladder a case with a missed deadline is, and when the next rung is told."""

    what: Watched
    task_id: UUID | None
    level: int
    due_at: datetime
    escalated_at: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Task:
    """What one function was asked to do; `function` is the playbook's for good, `holder` whoever owns it now."""

    task_id: UUID
    kind: str
    function: Function
    holder: Function
    offered_to: Function | None
    required: bool
    title: str
    place: int
    state: TaskState
    money_limit: Money | None
    opened_at: datetime
    clock_from: datetime
    commit_within: WorkingDuration
    complete_within: WorkingDuration
    commit_by: datetime
    complete_by: datetime
    committed_to: datetime | None = None
    committed_at: datetime | None = None
    done_at: datetime | None = None
    outcome: str | None = None
    acted_by: str | None = None
    commit_missed_at: datetime | None = None
    complete_missed_at: datetime | None = None

    @property
    def is_live(self) -> bool:
        """Say whether somebody still has to do something."""
        return self.state in LIVE

    @property
    def is_done(self) -> bool:
        """Say whether it counts for the quorum: completed or waived."""
        return self.state in DONE


@dataclass(frozen=True, slots=True)
class Case:
    """The one response to one cause.

    `cycle` is its number among the cases of the cause, from 1; `recurrence` counts those before it, as its opening
    says. (Cases opened by a release before 0.1.0 say their `cycle` as `recurrence`.)
    """

    case_id: UUID
    cause_kind: CauseKind
    cause_subject_id: UUID
    cycle: int
    recurrence: int
    previous_case_id: UUID | None
    state: CaseState
    ending: Literal["verified", "cleared"] | None
    severity: Severity
    headline: str
    provisional: bool
    playbook: str
    playbook_version: int
    calendar: str
    calendar_known: bool
    ladder: str
    sites: tuple[str, ...]
    customers: tuple[str, ...]
    lines: tuple[AffectedLine, ...]
    affected: tuple[AffectedCustomer, ...]
    impact_version: int
    shortages: tuple[Shortage, ...]
    value_at_risk: Money
    needed_on: date
    cause_occurred_at: datetime
    opened_at: datetime
    clock_from: datetime
    acknowledge_within: WorkingDuration
    acknowledge_by: datetime
    deadline_percent: int
    tasks: tuple[Task, ...]
    owner: str | None = None
    owner_role: str | None = None
    acknowledged_at: datetime | None = None
    acknowledge_missed_at: datetime | None = None
    decided_at: datetime | None = None
    choice: str | None = None
    implemented_at: datetime | None = None
    closed_at: datetime | None = None
    settled_at: datetime | None = None
    days_late: int | None = None
    paused_at: datetime | None = None
    pause_reason: str | None = None
    escalations: int = 0
    escalated_to: tuple[Function, ...] = ()
    chain: EscalationState | None = None
    due_at: datetime | None = None

    @property
    def cause(self) -> Cause:
        """Return the root signal's subject."""
        return Cause(kind=self.cause_kind, id=self.cause_subject_id)

    @property
    def is_active(self) -> bool:
        """Say whether a root signal extends it: open or implemented (FLOW 1.3)."""
        return self.state != "closed"

    def task(self, task_id: UUID) -> Task:
        """Return one of its tasks; raises NotFound."""
        found = next((t for t in self.tasks if t.task_id == task_id), None)
        if found is None:
            raise NotFound(f"case {self.case_id} has no task {task_id}; see its tasks with GET /cases/{self.case_id}")
        return found


class WrongState(Conflict):
    """The case or the task is not in a state that allows the act."""

    code = "wrong-state"


def must_be_open(case: Case) -> None:
    """Raise WrongState unless the response is still being worked on."""
    if case.state == "closed":
        raise WrongState(f"the case is closed: {case.ending} at {_formatted(case.closed_at)}; reopen it first")
    if case.state == "implemented":
        raise WrongState(
            f"the response is implemented since {_formatted(case.implemented_at)}; verify or reopen the case"
        )


def must_be_active(case: Case) -> None:
    """Raise WrongState where the case is closed."""
    if case.state == "closed":
        raise WrongState(f"the case is closed: {case.ending} at {_formatted(case.closed_at)}; reopen it first")


def _formatted(at: datetime | None) -> str:
    return "an unknown time" if at is None else at.isoformat(timespec="seconds")


def case_id_of(cause: Cause, cycle: int) -> UUID:
    """Return the id of the n-th case of a cause, counted from 1, so that a replay makes no twin (FLOW 1.3)."""
    return uuid5(cause.id, f"case/{cause.kind}/{cycle}")


def task_id_of(case_id: UUID, kind: str) -> UUID:
    """Return the id of a case's task of a kind."""
    return uuid5(case_id, f"task/{kind}")


def case_fields(case: Case, now: datetime) -> dict[str, Any]:
    """Return what every fact about a case says (FLOW 4.3)."""
    return {
        "occurred_at": now,
        "case_id": case.case_id,
        "cause": case.cause,
        "severity": case.severity,
        "sites": case.sites,
        "customers": case.customers,
    }


def task_fields(case: Case, task: Task, now: datetime) -> dict[str, Any]:
    """Return what every fact about a task says; the function is the playbook's (FLOW 2.2)."""
    return case_fields(case, now) | {
        "task_id": task.task_id,
        "kind": task.kind,
        "function": task.function,
        "required": task.required,
    }


def deadline_fields(case: Case) -> dict[str, Any]:
    """Return what a fact says that sets or moves deadlines: the case's own, and both of each task still to be done."""
    deadlines = tuple(
        TaskDeadline(task_id=t.task_id, commit_by=t.commit_by, complete_by=t.complete_by)
        for t in case.tasks
        if t.is_live
    )
    return {"acknowledge_by": case.acknowledge_by, "deadlines": deadlines}


def with_task(case: Case, task: Task) -> Case:
    """Return the case with one of its tasks as it is now."""
    return replace(case, tasks=tuple(task if t.task_id == task.task_id else t for t in case.tasks))


def with_quorum(case: Case, now: datetime) -> tuple[Case, list[Event]]:
    """Return the case, implemented once every required task is done (FLOW 2.2)."""
    if case.state != "open" or not all(t.is_done for t in case.tasks if t.required):
        return case, []
    case = replace(case, state="implemented", implemented_at=now, chain=None)
    return case, [CaseImplemented(**case_fields(case, now))]


def value_of(lines: Sequence[AffectedLine], shortages: Sequence[Shortage], currency: str) -> Money:
    """Return the money at risk: each line once, and a shortage only where no line is of that item and site (FLOW 1.4).

    Amounts are added in one currency, the one most money is in; what is in another is no part of the sum.
    """
    amounts = [line.value for line in {line.line_id: line for line in lines}.values()]
    covered = {(line.item, line.site) for line in lines}
    amounts += [s.value for s in shortages if s.value is not None and (s.item, s.site) not in covered]
    sums: dict[str, Decimal] = {}
    for money in amounts:
        if money.currency == NO_CURRENCY:
            continue
        sums[money.currency] = sums.get(money.currency, Decimal(0)) + money.amount
    if not sums:
        return Money(amount=Decimal(0), currency=currency)
    main = max(sums, key=lambda c: (sums[c], c))
    return Money.computed(sums[main], main)


def assessed(case: Case, thresholds: Thresholds, now: datetime) -> Case:
    """Return the case with its money, need, sites and severity counted anew; severity only tightens (FLOW 2.5)."""
    value = value_of(case.lines, case.shortages, thresholds.currency)
    needs = [line.needed_on for line in case.lines] + [s.short_on for s in case.shortages]
    needed_on = min(needs, default=case.needed_on)
    severity = thresholds.severity(
        value=value, tiers=frozenset(c.tier for c in case.affected), hours_left=hours_until(needed_on, now)
    )
    customers = {line.customer for line in case.lines if line.customer} | {c.customer for c in case.affected}
    return replace(
        case,
        value_at_risk=value,
        needed_on=needed_on,
        severity=max(severity, case.severity, key=SEVERITIES.index),
        sites=tuple(sorted({*case.sites, *(line.site for line in case.lines)})),
        customers=tuple(sorted({*case.customers, *customers})),
    )


def hours_until(needed_on: date, now: datetime) -> float:
    """Return the hours left until the day of need is over, in UTC; below zero once it is."""
    end = datetime.combine(needed_on + timedelta(days=1), time(0), tzinfo=UTC)
    return (end - now).total_seconds() / 3600


def tightened(case: Case, thresholds: Thresholds, due: Due) -> Case:
    """Return the case with the deadlines that its severity asks for; an earlier one stays (FLOW 2.5)."""
    percent = min(case.deadline_percent, thresholds.percent(case.severity))
    if percent == case.deadline_percent:
        return case

    def sooner(span: WorkingDuration, start: datetime, by: datetime) -> datetime:
        return by if span.minutes is None else min(by, due(span.tightened(percent), start))

    tasks = tuple(
        replace(
            t,
            commit_by=sooner(t.commit_within, t.clock_from, t.commit_by),
            complete_by=sooner(t.complete_within, t.clock_from, t.complete_by),
        )
        if t.is_live
        else t
        for t in case.tasks
    )
    by = sooner(case.acknowledge_within, case.clock_from, case.acknowledge_by)
    return replace(case, tasks=tasks, acknowledge_by=by, deadline_percent=percent)
