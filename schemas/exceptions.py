"""Facts of the response: a case, its tasks and the clock points they leave behind."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.base import Event
from schemas.types import (
    By,
    Cause,
    Code,
    CustomerCode,
    Function,
    Instant,
    ItemCode,
    Money,
    Quantity,
    Reason,
    Severity,
    SiteCode,
    SupplierCode,
    Text,
    Tier,
    Word,
)


class AffectedLine(Word):
    """One line that the disruption endangers; counted once in the money at risk."""

    line_id: UUID
    reference: Code
    shipment_id: UUID | None = None
    item: ItemCode
    site: SiteCode
    quantity: Quantity
    value: Money
    needed_on: date
    expected_on: date | None = None
    order_id: UUID | None = None
    order_line_id: UUID | None = None
    customer: CustomerCode | None = None
    purchase_order_line_id: UUID | None = None
    supplier: SupplierCode | None = None


class AffectedCustomer(Word):
    """One customer whose promises are in danger."""

    customer: CustomerCode
    tier: Tier
    lines: int


class TaskDeadline(Word):
    """The two deadlines of an unfinished task: to commit to it, and to complete it."""

    task_id: UUID
    commit_by: Instant
    complete_by: Instant


class CaseFact(Event, abstract=True):
    """What every fact about a case says: the cause, and the sites and customers known at that time."""

    case_id: UUID
    cause: Cause
    severity: Severity
    sites: tuple[SiteCode, ...]
    customers: tuple[CustomerCode, ...]


class CaseDeadlinesFact(CaseFact, abstract=True):
    """Fields of facts that set or may move the deadlines of a case. Facts of releases before 0.1.0 lack them."""

    acknowledge_by: Annotated[
        Instant | None, Field(description="Deadline for accepting the case; it stays when it is met or passed.")
    ] = None
    deadlines: Annotated[
        tuple[TaskDeadline, ...],
        Field(
            description="The deadlines of each task that is still to be done, from this fact on."
            " An open case is due at the earliest of acknowledge_by (until it is acknowledged),"
            " commit_by of its open tasks and complete_by of those"
            " still to be done, passed or not; at none while it is paused."
        ),
    ] = ()


class CaseOpened(CaseDeadlinesFact, name="exceptions.case.opened.v1", key="case_id"):
    """A disruption was identified and a case opened for it; this is the clock point *identified*."""

    headline: Text
    recurrence: Annotated[int, Field(description="Number of earlier cases of the same cause: 0 for the first one.")]
    previous_case_id: UUID | None = None
    cause_occurred_at: Instant
    playbook: Code
    playbook_version: int
    value_at_risk: Money
    lines: tuple[AffectedLine, ...]
    provisional: bool = False


class CaseExtended(CaseDeadlinesFact, name="exceptions.case.extended.v1", key="case_id"):
    """The cause of the case changed, for example a longer delay; lines and dates are the new ones."""

    headline: Text
    value_at_risk: Money
    lines: tuple[AffectedLine, ...]


class CaseReassessed(CaseDeadlinesFact, name="exceptions.case.reassessed.v1", key="case_id"):
    """A consequence was added to the case: the affected customers, or a resulting shortage. Severity can only
    rise; a higher severity has earlier deadlines.
    """

    because: Literal["impact", "shortage", "averted"]
    previous_severity: Severity
    value_at_risk: Money
    affected: tuple[AffectedCustomer, ...] = ()
    shortages: int = 0


class CaseAcknowledged(CaseFact, name="exceptions.case.acknowledged.v1", key="case_id"):
    """The first accountable person or policy accepted the case."""

    by: By


class CaseTaken(CaseFact, name="exceptions.case.taken.v1", key="case_id"):
    """A person took ownership of the case."""

    by: By


class CaseDecided(CaseFact, name="exceptions.case.decided.v1", key="case_id"):
    """The response was decided: an alternative was chosen, or a person decided the case."""

    by: By
    choice: Text
    rationale: Text | None = None
    alternative_id: UUID | None = None
    automatic: bool = False


class CaseImplemented(CaseFact, name="exceptions.case.implemented.v1", key="case_id"):
    """Every required task is completed or waived: the coordinated response is implemented."""


class CaseSettled(CaseFact, name="exceptions.case.settled.v1", key="case_id"):
    """The delay ended late, as the receipt shows; the response must still be finished."""

    days_late: int


class CaseCleared(CaseFact, name="exceptions.case.cleared.v1", key="case_id"):
    """The cause disappeared before the response was implemented."""

    reason: Text


class CaseVerified(CaseFact, name="exceptions.case.verified.v1", key="case_id"):
    """The effect of the response was checked; the case is closed."""

    by: By
    outcome: Text


class CaseReopened(CaseDeadlinesFact, name="exceptions.case.reopened.v1", key="case_id"):
    """The same cause recurred within the recurrence window, or a person reopened the case. The clock excludes
    the time since `stopped_at` (implemented or cleared).
    """

    by: By | None = None
    reason: Text
    stopped_at: Instant


class CaseHandedOver(CaseFact, name="exceptions.case.handed-over.v1", key="case_id"):
    """An imported case went from one group to another, according to the log of the other system."""

    from_group: Code
    to_group: Code


class CaseEscalated(CaseFact, name="exceptions.case.escalated.v1", key="case_id"):
    """A deadline passed, and the case was escalated to the next level of the ladder."""

    task_id: UUID | None = None
    level: int
    rung: Function
    recipients: tuple[Code, ...]
    due_at: Instant


class CasePaused(CaseFact, name="exceptions.case.paused.v1", key="case_id"):
    """The working-hours clocks of the case are paused, with a reason."""

    by: By
    reason: Reason


class CaseResumed(CaseDeadlinesFact, name="exceptions.case.resumed.v1", key="case_id"):
    """The working-hours clocks of the case run again; deadlines moved later by the paused time."""

    by: By


class TaskFact(CaseFact, abstract=True):
    """What every fact about a task says; `function` is the playbook's, whoever acts."""

    task_id: UUID
    kind: Code
    function: Function
    required: bool


class TaskOpened(TaskFact, name="exceptions.task.opened.v1", key="case_id"):
    """A function received a task of the case. Only the planning lead may choose an alternative above `money_limit`."""

    title: Text
    lines: tuple[AffectedLine, ...]
    needed_on: date
    commit_by: Instant
    complete_by: Instant
    money_limit: Money | None = None


class TaskCommitted(TaskFact, name="exceptions.task.committed.v1", key="case_id"):
    """A function committed to complete its task by a date."""

    by: By
    committed_to: Instant
    note: Text | None = None


class TaskRefused(TaskFact, name="exceptions.task.refused.v1", key="case_id"):
    """A function refused its task; the planning lead decides what happens to it."""

    by: By
    reason: Reason


class TaskHandedOver(TaskFact, name="exceptions.task.handed-over.v1", key="case_id"):
    """A task was offered to another function; the offering function owns it until it is accepted."""

    by: By
    from_function: Function
    to_function: Function
    note: Text


class HandoverAccepted(TaskFact, name="exceptions.task.handover-accepted.v1", key="case_id"):
    """The receiving function accepted the task and must commit to a date again."""

    by: By
    from_function: Function
    to_function: Function
    commit_by: Instant | None = None
    complete_by: Instant | None = None


class HandoverReturned(TaskFact, name="exceptions.task.handover-returned.v1", key="case_id"):
    """The receiving function returned the task, with a reason."""

    by: By
    from_function: Function
    to_function: Function
    reason: Reason


class TaskCompleted(TaskFact, name="exceptions.task.completed.v1", key="case_id"):
    """A function completed its task. Without `by`, the event that caused this one completed it."""

    by: By | None = None
    outcome: Text


class TaskWaived(TaskFact, name="exceptions.task.waived.v1", key="case_id"):
    """A task is not needed, with a reason; it counts as committed and completed."""

    by: By
    reason: Reason


class TaskWithdrawn(TaskFact, name="exceptions.task.withdrawn.v1", key="case_id"):
    """The cause cleared before the task was done."""

    reason: Text


class TaskReopened(TaskFact, name="exceptions.task.reopened.v1", key="case_id"):
    """A task is open again: the case was reopened, or the planning lead returned or assigned a refused task."""

    reason: Text
    lines: tuple[AffectedLine, ...]
    needed_on: date
    commit_by: Instant
    complete_by: Instant
    money_limit: Money | None = None


class TaskRescheduled(TaskFact, name="exceptions.task.rescheduled.v1", key="case_id"):
    """A new or changed calendar moved the deadlines of an unfinished task."""

    commit_by: Instant
    complete_by: Instant
    acknowledge_by: Annotated[
        Instant | None, Field(description="Deadline for accepting the case; the same in all facts of one change.")
    ] = None
