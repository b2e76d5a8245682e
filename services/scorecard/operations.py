"""What the scorecard does: it keeps what it hears; it says nothing in a transaction (the stream does, FLOW 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.persistence.database import Tx
from schemas.envelope import Envelope
from schemas.scorecard import MeasureRecorded
from services.scorecard import domain, repository


def load_readings(tx: Tx, events: Sequence[MeasureRecorded]) -> None:
    """Load the readings that a batch of measures is about."""
    repository.load(tx, {event.case_id for event in events})


def store_reading(tx: Tx, *, event: MeasureRecorded) -> domain.Reading:
    """Keep what the stream measured, unless what is kept knows more."""
    reading = domain.store_reading(repository.find(tx, event.case_id), event)
    repository.save(tx, reading)
    return reading


def store_case_fact(tx: Tx, *, fact: Envelope) -> None:
    """Keep a fact of a case for the recomputation; a fact that is known changes nothing."""
    repository.store_case_fact(tx, domain.case_fact_row(fact))


def record_cause(tx: Tx, *, fact: Envelope) -> None:
    """Keep why a fact happened; a fact that is known changes nothing."""
    repository.store_cause(tx, domain.causal_row(fact))
