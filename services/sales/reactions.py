"""What sales does when it hears a fact."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from schemas.exceptions import (
    CaseCleared,
    CaseExtended,
    CaseVerified,
    TaskCompleted,
    TaskOpened,
    TaskReopened,
    TaskWaived,
    TaskWithdrawn,
)
from schemas.logistics import ShipmentDelayed, ShipmentExtended, ShipmentReceived
from services.sales import operations

reactions = Reactions()


@reactions.on(ShipmentDelayed, loads=operations.load_for_delays)
def when_shipment_delayed_assess_impact(tx: Tx, event: ShipmentDelayed) -> None:
    """A delay endangers promises."""
    operations.assess_impact(tx, delay=event)


@reactions.on(ShipmentExtended, loads=operations.load_for_delays)
def when_shipment_extended_assess_impact(tx: Tx, event: ShipmentExtended) -> None:
    """A delay that grew endangers them for longer: a new version of the impact."""
    operations.assess_impact(tx, delay=event)


@reactions.on(ShipmentReceived, loads=operations.load_orders_received)
def when_shipment_received_record_actual(tx: Tx, event: ShipmentReceived) -> None:
    """What came true stands beside what was promised."""
    operations.record_actual(tx, receipt=event)


@reactions.on(TaskOpened, loads=operations.load_for_cases)
def when_task_opened_draft_notices(tx: Tx, event: TaskOpened) -> None:
    """Customers are to be told: one draft for each."""
    if event.kind == operations.TASK_KIND:
        operations.draft_notices(tx, cause=event.cause, case_id=event.case_id, task_id=event.task_id)


@reactions.on(TaskReopened, loads=operations.load_for_cases)
def when_task_reopened_draft_notices(tx: Tx, event: TaskReopened) -> None:
    """The task came back, and its notices with it."""
    if event.kind == operations.TASK_KIND:
        operations.draft_notices(tx, cause=event.cause, case_id=event.case_id, task_id=event.task_id)


@reactions.on(CaseExtended, loads=operations.load_for_cases)
def when_case_extended_redraft_notices(tx: Tx, event: CaseExtended) -> None:
    """The case grew: what is not told yet is drafted with the new days."""
    operations.redraft_notices(tx, cause=event.cause, case_id=event.case_id)


@reactions.on(TaskWithdrawn, loads=operations.load_for_cases)
def when_task_withdrawn_close_notices(tx: Tx, event: TaskWithdrawn) -> None:
    """Nobody has to be told any more."""
    if event.kind == operations.TASK_KIND:
        operations.close_notices(tx, task_id=event.task_id, reason=f"the task was withdrawn: {event.reason}")


@reactions.on(TaskWaived, loads=operations.load_for_cases)
def when_task_waived_close_notices(tx: Tx, event: TaskWaived) -> None:
    """A person decided that nobody has to be told."""
    if event.kind == operations.TASK_KIND:
        operations.close_notices(tx, task_id=event.task_id, reason=f"the task was waived: {event.reason}")


@reactions.on(TaskCompleted, loads=operations.load_for_cases)
def when_task_completed_close_notices(tx: Tx, event: TaskCompleted) -> None:
    """A person completed the task; one that a notice completed stays open for a delay that grows."""
    if event.kind == operations.TASK_KIND and event.by is not None:
        operations.close_notices(tx, task_id=event.task_id, reason=f"the task was completed: {event.outcome}")


@reactions.on(CaseVerified)
def when_case_verified_close_notices(tx: Tx, event: CaseVerified) -> None:
    """The response is over."""
    operations.close_notice_batch(tx, case_id=event.case_id, reason="the case is verified and closed")


@reactions.on(CaseCleared)
def when_case_cleared_close_notices(tx: Tx, event: CaseCleared) -> None:
    """The cause went away."""
    operations.close_notice_batch(tx, case_id=event.case_id, reason=f"the case was cleared: {event.reason}")
