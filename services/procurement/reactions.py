"""What procurement does when it hears a fact."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from schemas.exceptions import CaseExtended, TaskCompleted, TaskOpened, TaskReopened, TaskWaived, TaskWithdrawn
from schemas.logistics import ShipmentReceived
from services.procurement import operations

reactions = Reactions()


@reactions.on(TaskOpened, loads=operations.load_rounds)
def when_task_opened_open_round(tx: Tx, event: TaskOpened) -> None:
    """A task asks for another source: every candidate is ranked at once."""
    if event.kind == operations.TASK_KIND:
        operations.open_round(
            tx,
            task_id=event.task_id,
            case_id=event.case_id,
            cause=event.cause,
            lines=event.lines,
            money_limit=event.money_limit,
        )


@reactions.on(TaskReopened, loads=operations.load_rounds)
def when_task_reopened_reopen_round(tx: Tx, event: TaskReopened) -> None:
    """The task came back: so does its round."""
    if event.kind == operations.TASK_KIND:
        operations.reopen_round(
            tx,
            task_id=event.task_id,
            case_id=event.case_id,
            cause=event.cause,
            lines=event.lines,
            money_limit=event.money_limit,
        )


@reactions.on(CaseExtended, loads=operations.load_rounds_of_cases)
def when_case_extended_rank_again(tx: Tx, event: CaseExtended) -> None:
    """The delay grew: what could not work may work now, and the other way round."""
    operations.rank_again(tx, case_id=event.case_id, lines=event.lines)


@reactions.on(TaskWithdrawn, loads=operations.load_rounds)
def when_task_withdrawn_close_round(tx: Tx, event: TaskWithdrawn) -> None:
    """The cause went away: nobody chooses any more."""
    if event.kind == operations.TASK_KIND:
        operations.close_round(tx, task_id=event.task_id, reason=event.reason)


@reactions.on(TaskWaived, loads=operations.load_rounds)
def when_task_waived_close_round(tx: Tx, event: TaskWaived) -> None:
    """A person said that no other source is needed."""
    if event.kind == operations.TASK_KIND:
        operations.close_round(tx, task_id=event.task_id, reason=f"the task was waived: {event.reason}")


@reactions.on(TaskCompleted, loads=operations.load_rounds)
def when_task_completed_close_round(tx: Tx, event: TaskCompleted) -> None:
    """A person ended the task by hand; a round that is decided stays decided."""
    if event.kind == operations.TASK_KIND:
        operations.close_round(tx, task_id=event.task_id, reason=f"the task was completed: {event.outcome}")


@reactions.on(ShipmentReceived, loads=operations.load_for_deliveries)
def when_shipment_received_record_deliveries(tx: Tx, event: ShipmentReceived) -> None:
    """What came says how a supplier delivers."""
    operations.record_deliveries(tx, lines=event.lines, received_on=event.received_on, received_at=event.received_at)
