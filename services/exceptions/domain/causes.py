"""The record of a cause: made and locked by whoever comes first, so that one cause has one case (FLOW 1.2, 1.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from schemas.types import Cause, CauseKind, subject_id
from services.exceptions.domain.case import Case, Shortage, case_id_of
from services.exceptions.domain.rules import Rulebook
from services.exceptions.domain.signals import Impact, Signal

Course = Literal["open", "extend", "reopen"]


@dataclass(frozen=True, slots=True)
class CauseRecord:
    """The state of a cause: its latest case, the number of that case, and facts that wait for a case."""

    cause_id: UUID
    kind: CauseKind
    subject_id: UUID
    case_id: UUID | None
    cycle: int
    impact: Impact | None
    shortages: tuple[Shortage, ...]
    signal: Signal | None
    recorded_at: datetime

    @property
    def cause(self) -> Cause:
        """Return the root signal's subject."""
        return Cause(kind=self.kind, id=self.subject_id)


def cause_id_of(cause: Cause) -> UUID:
    """Return the id of a cause's record."""
    return subject_id("cause", cause.kind, str(cause.id))


def new_cause(cause: Cause, *, now: datetime) -> CauseRecord:
    """Return the record of a cause that nobody has heard of."""
    return CauseRecord(
        cause_id=cause_id_of(cause),
        kind=cause.kind,
        subject_id=cause.id,
        case_id=None,
        cycle=0,
        impact=None,
        shortages=(),
        signal=None,
        recorded_at=now,
    )


def next_action(case: Case | None, *, rules: Rulebook, now: datetime) -> Course:
    """Say what a root signal does: extend the active case, bring back one that ended lately, or open the next."""
    if case is None:
        return "open"
    if case.is_active:
        return "extend"
    ended = case.closed_at
    return "reopen" if ended is not None and now - ended <= rules.recurrence_window else "open"


def with_next_case(record: CauseRecord) -> CauseRecord:
    """Return the record with its next case, whose id follows from the cause."""
    cycle = record.cycle + 1
    return replace(record, cycle=cycle, case_id=case_id_of(record.cause, cycle))


def with_impact(record: CauseRecord, impact: Impact) -> CauseRecord:
    """Keep an impact until a case is there for it; an older version changes nothing."""
    if record.impact is not None and impact.version <= record.impact.version:
        return record
    return replace(record, impact=impact)


def with_shortage(record: CauseRecord, shortage: Shortage) -> CauseRecord:
    """Keep a shortage until a case is there for it."""
    others = tuple(s for s in record.shortages if s.stock_id != shortage.stock_id)
    return replace(record, shortages=(*others, shortage))


def without_shortage(record: CauseRecord, stock_id: UUID) -> CauseRecord:
    """Forget a waiting shortage that was averted."""
    return replace(record, shortages=tuple(s for s in record.shortages if s.stock_id != stock_id))


def with_signal(record: CauseRecord, signal: Signal | None) -> CauseRecord:
    """Keep a root signal until there is a playbook for it, or forget it."""
    return replace(record, signal=signal)


def with_nothing_waiting(record: CauseRecord) -> CauseRecord:
    """Return the record after what waited was folded into the case."""
    return replace(record, impact=None, shortages=(), signal=None)
