"""Operations of the scorecard: store measures, case facts and causal records; none emits an event (FLOW 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.persistence.database import Tx
from schemas.envelope import Envelope
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain, repository


def load_readings(tx: Tx, events: Sequence[MeasureRecorded]) -> None:
    """Lock and load the stored readings of the cases in a batch of measures."""
    repository.load(tx, {event.case_id for event in events})


def store_reading(tx: Tx, *, event: MeasureRecorded) -> domain.Reading:
    """Store a measure of the stream, unless the stored reading is based on more facts."""
    reading = domain.store_reading(repository.find(tx, event.case_id), event)
    repository.save(tx, reading)
    return reading


def store_case_fact(tx: Tx, *, fact: Envelope) -> None:
    """Store a fact of a case for the recomputation in SQL; a fact that is already stored changes nothing."""
    repository.store_case_fact(tx, domain.case_fact_row(fact))


def record_cause(tx: Tx, *, fact: Envelope) -> None:
    """Store the causal record of a fact; a fact that is already stored changes nothing."""
    repository.store_cause(tx, domain.causal_row(fact))
