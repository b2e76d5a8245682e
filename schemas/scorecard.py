"""Facts of the scorecard: what was measured."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from schemas.base import Event
from schemas.types import CauseKind, Function, Instant, Severity, Word

CaseState = Literal["open", "implemented", "cleared", "closed"]
Phase = Literal["blind", "task", "acknowledge", "decide", "commit", "execute", "verify"]


class PhaseDuration(Word):
    """One phase of a case in microseconds; an open one runs until the as-of time."""

    phase: Phase
    duration_us: int
    open: bool = False


class MeasureRecorded(Event, name="scorecard.measure.recorded.v1", key="case_id"):
    """The stream processor measured a case after one more of its events; durations are in microseconds. Of two
    measures of a case, the one with the higher `facts` (number of events that affect the clock) counts, and if
    these are equal the one with the later event (`as_of`, `latest_fact_id`), in whichever order they arrive.
    """

    case_id: UUID
    fact_id: UUID
    cause_kind: CauseKind
    severity: Severity
    state: CaseState
    identified_at: Instant
    as_of: Instant
    decision_us: int | None = None
    coordination_us: int | None = None
    excluded_us: int = 0
    phases: tuple[PhaseDuration, ...]
    inversions: tuple[Phase, ...] = ()
    critical_function: Function | None = None
    reopened: int = 0
    handoffs: int = 0
    acknowledged_us: int | None = None
    elapsed_us: int = 0
    facts: int = 0
    latest_fact_id: UUID | None = None
