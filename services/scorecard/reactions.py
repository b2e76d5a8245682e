"""What the scorecard does when it hears a fact: every fact of every topic is a line of the causal record."""

from __future__ import annotations

from chassis.messaging.reactions import Reactions
from chassis.persistence.database import Tx
from schemas.base import Event
from schemas.catalogue import REGISTER
from schemas.envelope import Envelope
from schemas.exceptions import CaseFact
from schemas.scorecard import MeasureRecorded
from services.scorecard import operations

reactions = Reactions()


@reactions.on(MeasureRecorded, loads=operations.load_readings)
def when_measure_recorded_store_reading(tx: Tx, event: MeasureRecorded) -> None:
    """The stream measured a case."""
    operations.store_reading(tx, event=event)


# Registered below for every fact there is: sixty functions would say the same.
def when_fact_is_heard_record_cause(tx: Tx, event: Event) -> None:
    """Why anything happened can be asked here (FLOW 4.2)."""
    operations.record_cause(tx, fact=_envelope_of(tx))


# Registered below for every fact of a case.
def when_case_fact_is_heard_keep_it(tx: Tx, event: CaseFact) -> None:
    """The clock of a case is recomputed from the facts themselves (FLOW 4.4)."""
    operations.store_case_fact(tx, fact=_envelope_of(tx))


def _envelope_of(tx: Tx) -> Envelope:
    if tx.context.heard is None:
        raise RuntimeError("a fact is kept where it is heard; this work was started by something else")
    return tx.context.heard


for _fact in REGISTER.values():
    reactions.on(_fact)(when_fact_is_heard_record_cause)
    if issubclass(_fact, CaseFact):
        reactions.on(_fact)(when_case_fact_is_heard_keep_it)
