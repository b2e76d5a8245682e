"""The stored reading of a case, and the causal record of a fact."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from schemas.envelope import Envelope
from schemas.exceptions import CaseFact, CaseOpened, CaseReopened, TaskFact
from schemas.scorecard import MeasureRecorded, PhaseDuration
from services.scorecard.domain.case import details_of, kind_of
from velocity import HANDOFF_KINDS

NIL = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Reading:
    """The measure of a case that knows the most of what the stream said."""

    case_id: UUID
    fact_id: UUID
    latest_fact_id: UUID
    facts: int
    cause_kind: str
    severity: str
    state: str
    identified_at: datetime
    occurred_at: datetime
    recorded_at: datetime
    elapsed_us: int
    decision_us: int | None
    coordination_us: int | None
    excluded_us: int
    phases: tuple[PhaseDuration, ...]
    inversions: tuple[str, ...]
    critical_function: str | None
    reopened: int
    handoffs: int
    acknowledged_us: int | None

    @property
    def rank(self) -> tuple[int, datetime, UUID]:
        return (self.facts, self.recorded_at, self.latest_fact_id)


def store_reading(before: Reading | None, event: MeasureRecorded) -> Reading:
    """Return the reading that knows more: a measure that arrives late does not replace a later one."""
    values = {f.name: getattr(event, f.name) for f in fields(Reading) if hasattr(event, f.name)}
    measurement = Reading(
        **(values | {"recorded_at": event.as_of, "latest_fact_id": event.latest_fact_id or event.fact_id})
    )
    return measurement if before is None or measurement.rank > before.rank else before


def causal_row(envelope: Envelope) -> dict[str, Any]:
    """Return the causal record of a fact: what it is, about what, and why (FLOW 4.2)."""
    return {
        "fact_id": envelope.id,
        "type": envelope.type,
        "source": envelope.source,
        "subject": envelope.subject,
        "occurred_at": envelope.time,
        "recorded_at": envelope.recordedtime,
        "correlation_id": envelope.correlationid,
        "cause_id": None if envelope.causationid == NIL else envelope.causationid,
        "cause_kind": envelope.causekind,
        "armed_by": envelope.armedby,
        "armed_kind": envelope.armedkind,
        "traceparent": envelope.traceparent,
    }


def case_fact_row(envelope: Envelope) -> dict[str, Any]:
    """Return the narrow row of a case's fact, written from the fact itself; SQL recomputes the clock from these."""
    event: CaseFact = envelope.data
    task = event if isinstance(event, TaskFact) else None
    since = None
    if isinstance(event, CaseOpened):
        since = event.cause_occurred_at
    elif isinstance(event, CaseReopened):
        since = event.stopped_at
    kind = kind_of(envelope.type)
    from_function, to_function = details_of(event) if kind in HANDOFF_KINDS else (None, None)
    return {
        "fact_id": envelope.id,
        "case_id": event.case_id,
        "kind": kind,
        "occurred_at": event.occurred_at,
        "recorded_at": envelope.recordedtime,
        "since_at": since,
        "task_id": task and task.task_id,
        "function": task and task.function,
        "required": task and task.required,
        "cause_kind": event.cause.kind,
        "cause_id": event.cause.id,
        "severity": event.severity,
        "sites": list(event.sites),
        "customers": list(event.customers),
        "giver": from_function,
        "taker": to_function,
    }
