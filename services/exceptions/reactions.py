"""What exceptions does when it hears a fact, or when a deadline passes."""

from __future__ import annotations

from uuid import UUID

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from chassis.scheduling.timers import Timer
from schemas.collaboration import CalendarChanged, LadderChanged, RosterChanged
from schemas.inventory import ShortageAverted, ShortagePredicted
from schemas.logistics import (
    ShipmentCancelled,
    ShipmentDelayed,
    ShipmentExtended,
    ShipmentRecovered,
    ShipmentSettled,
)
from schemas.procurement import AlternativeChosen, AlternativeDeclined
from schemas.sales import ImpactAssessed, NoticeSent
from services.exceptions import operations

reactions = Reactions()


@reactions.on(ShipmentDelayed, loads=operations.load_causes)
def when_shipment_delayed_open_case(tx: Tx, event: ShipmentDelayed) -> None:
    """A delay is a root signal: its case opens, or the one that is there goes on."""
    operations.open_case(tx, event=event)


@reactions.on(ShipmentExtended, loads=operations.load_causes)
def when_shipment_extended_extend_case(tx: Tx, event: ShipmentExtended) -> None:
    """The delay grew: the case of the same cause is extended."""
    operations.open_case(tx, event=event)


@reactions.on(ShipmentRecovered, loads=operations.load_causes)
def when_shipment_recovered_clear_case(tx: Tx, event: ShipmentRecovered) -> None:
    """The cause went away."""
    operations.clear_case(tx, cause=event.cause, reason=f"shipment {event.reference} is expected in time again")


@reactions.on(ShipmentSettled, loads=operations.load_causes)
def when_shipment_settled_settle_case(tx: Tx, event: ShipmentSettled) -> None:
    """The receipt says what was true: really late, or a false alarm."""
    operations.settle_case(tx, event=event)


@reactions.on(ShipmentCancelled, loads=operations.load_causes)
def when_shipment_cancelled_extend_case(tx: Tx, event: ShipmentCancelled) -> None:
    """A delayed shipment will not come at all; the need stays. Without a delay there is no case and no cause."""
    if event.cause is not None:
        operations.open_case(tx, event=event)


@reactions.on(ShortagePredicted, loads=operations.load_causes)
def when_shortage_predicted_reassess_case(tx: Tx, event: ShortagePredicted) -> None:
    """A shortage belongs to the case of the cause that it inherits; with nothing behind it, it is a cause itself."""
    operations.apply_predicted_shortage(tx, event=event)


@reactions.on(ShortageAverted, loads=operations.load_causes)
def when_shortage_averted_reassess_case(tx: Tx, event: ShortageAverted) -> None:
    """The shortage went away."""
    operations.apply_averted_shortage(tx, event=event)


@reactions.on(ImpactAssessed, loads=operations.load_causes)
def when_impact_assessed_reassess_case(tx: Tx, event: ImpactAssessed) -> None:
    """Sales says who is hurt."""
    operations.reassess_impact(tx, event=event)


@reactions.on(NoticeSent, loads=operations.load_cases)
def when_notice_sent_complete_task(tx: Tx, event: NoticeSent) -> None:
    """The last notice of the case completes the task to notify."""
    if event.remaining == 0:
        operations.finish_notices(tx, case_id=event.case_id, task_id=event.task_id)


@reactions.on(AlternativeChosen, loads=operations.load_cases)
def when_alternative_chosen_decide_case(tx: Tx, event: AlternativeChosen) -> None:
    """The first choice decides the case; the last one completes the task."""
    operations.follow_choice(tx, event=event)


@reactions.on(AlternativeDeclined, loads=operations.load_cases)
def when_alternative_declined_complete_task(tx: Tx, event: AlternativeDeclined) -> None:
    """A line for which nobody can deliver must not keep its task open for ever: the last declined line completes it."""
    operations.follow_decline(tx, event=event)


@reactions.on(CalendarChanged)
def when_calendar_changed_keep_calendar(tx: Tx, event: CalendarChanged) -> None:
    """Deadlines hang on calendars."""
    operations.upsert_calendar(tx, event=event)


@reactions.on(RosterChanged)
def when_roster_changed_keep_roster(tx: Tx, event: RosterChanged) -> None:
    """Who is told when a deadline passes."""
    operations.upsert_roster(tx, event=event)


@reactions.on(LadderChanged)
def when_ladder_changed_keep_ladder(tx: Tx, event: LadderChanged) -> None:
    """Who is told next."""
    operations.upsert_ladder(tx, event=event)


@reactions.at("case-acknowledge-due")
def when_case_acknowledge_due_escalate_case(tx: Tx, timer: Timer) -> None:
    """Nobody accepted the case in time."""
    _escalate(tx, timer)


@reactions.at("task-commit-due")
def when_task_commit_due_escalate_case(tx: Tx, timer: Timer) -> None:
    """Nobody committed to the task in time."""
    _escalate(tx, timer)


@reactions.at("task-complete-due")
def when_task_complete_due_escalate_case(tx: Tx, timer: Timer) -> None:
    """The task was not done in time."""
    _escalate(tx, timer)


@reactions.at("case-escalation-due")
def when_case_escalation_due_climb_ladder(tx: Tx, timer: Timer) -> None:
    """The rung that was told did not help in time; the next one is told."""
    operations.escalate_to_next_level(tx, case_id=UUID(timer.detail["case_id"]))


def _escalate(tx: Tx, timer: Timer) -> None:
    task_id = timer.detail.get("task_id")
    operations.escalate_case(
        tx,
        case_id=UUID(timer.detail["case_id"]),
        what=timer.detail["what"],
        task_id=UUID(task_id) if task_id else None,
    )
