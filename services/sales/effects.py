"""What sales tells the outside world after commit: the new promises, to the customer (FLOW 3.2)."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from chassis.messaging.effects import Effects, Sending, Undeliverable
from chassis.persistence.database import Tx
from chassis.scheduling.timers import Timer
from schemas.sales import NoticeApproved
from services.sales import operations

effects = Effects()
Attempt = tuple[operations.Message, int] | operations.Skipped
NO_CONTACT = "no contact is known for this customer; register one by POST /customers and try again"


@effects.on(NoticeApproved)
def tell_customer_new_promise(sending: Sending, event: NoticeApproved) -> str:
    """Send an approved notice."""
    return _tell(sending, event.notice_id, event.version)


@effects.at(operations.RETRY_TIMER)
def tell_customer_new_promise_again(sending: Sending, timer: Timer) -> str:
    """Send a notice again whose last attempt failed."""
    same = replace(sending, effect=tell_customer_new_promise.__name__)  # its attempts stand in one list with the first
    return _tell(same, UUID(timer.subject), int(timer.detail["revision"]))


def _tell(sending: Sending, notice_id: UUID, revision: int) -> str:
    """Write the attempt, send without a transaction, write what came of it; returns the outcome in a word."""
    begun = sending.transaction(lambda tx: _begin(sending, tx, notice_id, revision))
    if isinstance(begun, operations.Skipped):
        return begun.outcome
    message, attempt = begun
    try:
        if not message.recipient:
            raise Undeliverable(NO_CONTACT, permanent=True)
        sending.transport.send(key=message.key, recipient=message.recipient, content=message.content)
    except Undeliverable as failure:
        reason, permanent = str(failure), failure.permanent
        return sending.transaction(
            lambda tx: _failed(sending, tx, notice_id, revision, message.key, attempt, reason, permanent)
        )
    sending.transaction(lambda tx: _sent(sending, tx, notice_id, revision, message.key, attempt))
    return "sent"


def _begin(sending: Sending, tx: Tx, notice_id: UUID, revision: int) -> Attempt:
    message = operations.begin_sending(tx, notice_id=notice_id, revision=revision)
    if isinstance(message, operations.Skipped):
        return message
    attempt = sending.attempt(tx, message.key)
    return operations.Skipped("duplicate") if attempt is None else (message, attempt)


def _sent(sending: Sending, tx: Tx, notice_id: UUID, revision: int, key: str, attempt: int) -> None:
    operations.record_notice_sent(tx, notice_id=notice_id, revision=revision, transport=sending.transport.name)
    sending.attempted(tx, key, attempt, "sent")


def _failed(
    sending: Sending, tx: Tx, notice_id: UUID, revision: int, key: str, attempt: int, reason: str, permanent: bool
) -> str:
    notice = operations.record_notice_failed(
        tx, notice_id=notice_id, revision=revision, reason=reason, permanent=permanent
    )
    sending.attempted(tx, key, attempt, "failed")
    return "failed" if notice.state == "failed" else "delayed"
