"""The facts of one case, kept by id, so that order of arrival, duplicates and replays change nothing.

Instants are whole microseconds since 1970: durations are integers, and SQL must find the very same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Facts that move the clock, or that a measure counts. Every other fact of a case only says its severity of that time.
# The place of a kind is its number in the stream's stored state: new ones stand at the end.
CLOCK_KINDS = (
    "case.opened",
    "case.acknowledged",
    "case.decided",
    "case.implemented",
    "case.cleared",
    "case.verified",
    "case.reopened",
    "task.opened",
    "task.committed",
    "task.completed",
    "task.waived",
    "task.reopened",
    "task.handover-accepted",
    "case.handed-over",
    "case.paused",
    "case.resumed",
    "case.merged",
)
TASK_KINDS = frozenset({"task.opened", "task.committed", "task.completed", "task.waived", "task.reopened"})
HANDOFF_KINDS = frozenset({"task.handover-accepted", "case.handed-over"})

Order = tuple[int, UUID]  # when it was recorded, then the time-ordered id: the order of a case's facts


def micros(instant: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def instant(us: int) -> datetime:
    """Return the instant of whole microseconds since 1970."""
    return EPOCH + us * MICROSECOND


@dataclass(frozen=True, slots=True)
class ClockFact:
    """One fact that moves the clock; `since_us` is t0 for an opening, and for a reopening where the clock stopped.

    `more` is the giver and the taker of a hand-over, the reason of a pause, the case that another one was merged into.
    """

    fact_id: UUID
    kind: str
    occurred_us: int
    recorded_us: int
    since_us: int | None = None
    task_id: UUID | None = None
    function: str = ""
    required: bool = False
    more: tuple[str, ...] = ()

    @property
    def order(self) -> Order:
        return (self.recorded_us, self.fact_id)


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a case's clock; `latest` is the last fact in order, whose severity counts."""

    case_id: UUID
    cause_kind: str
    severity: str
    latest: Order
    facts: dict[UUID, ClockFact] = field(default_factory=dict)
    observed: frozenset[str] = frozenset()  # what the histogram of some worker has counted already

    @property
    def rank(self) -> tuple[int, Order]:
        """Return what grows with every fact that changes anything: the reading with the highest rank knows the most."""
        return (len(self.facts), self.latest)


def add(case: Case | None, fact: ClockFact, *, case_id: UUID, cause_kind: str, severity: str) -> Case:
    """Return the case with one more fact; one that is known already changes nothing."""
    if case is None:
        case = Case(case_id, cause_kind, severity, fact.order)
    elif fact.order > case.latest:
        case = replace(case, severity=severity, latest=fact.order)
    if fact.kind not in CLOCK_KINDS or fact.fact_id in case.facts:
        return case
    return replace(case, facts={**case.facts, fact.fact_id: fact})
