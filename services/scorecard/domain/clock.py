"""The facts of one case, kept by id, so that order of arrival, duplicates and replays change nothing.

Instants are whole microseconds since 1970: durations are integers, and SQL must find the very same ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from schemas.envelope import Envelope
from schemas.exceptions import CaseFact, CaseOpened, CaseReopened, TaskFact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Facts that move the clock. Every other fact of a case only says its severity of that time.
CLOCK_KINDS = (
    "case.opened", "case.acknowledged", "case.decided", "case.implemented", "case.cleared", "case.verified",
    "case.reopened", "task.opened", "task.committed", "task.completed", "task.waived", "task.reopened",
)  # fmt: skip
_CODES = {kind: str(number) for number, kind in enumerate(CLOCK_KINDS)}

Order = tuple[int, UUID]  # when it was recorded, then the time-ordered id: the order of a case's facts


def micros(instant: datetime) -> int:
    """Return whole microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def instant(us: int) -> datetime:
    """Return the instant of whole microseconds since 1970."""
    return EPOCH + us * MICROSECOND


@dataclass(frozen=True, slots=True)
class ClockFact:
    """One fact that moves the clock; `since_us` is t0 for an opening, and for a reopening where the clock stopped."""

    fact_id: UUID
    kind: str
    occurred_us: int
    recorded_us: int
    since_us: int | None = None
    task_id: UUID | None = None
    function: str = ""
    required: bool = False

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


def kind_of(event_name: str) -> str:
    """Return `case.opened` of `exceptions.case.opened.v1`."""
    return event_name.split(".", 1)[1].rsplit(".", 1)[0]


def hear(case: Case | None, envelope: Envelope) -> Case:
    """Return the case with one more fact; one that is known already changes nothing."""
    event: CaseFact = envelope.data
    recorded, kind = micros(envelope.recordedtime), kind_of(envelope.type)
    order = (recorded, envelope.id)
    if case is None:
        case = Case(event.case_id, event.cause.kind, event.severity, order)
    elif order > case.latest:
        case = replace(case, severity=event.severity, latest=order)
    if kind not in _CODES or envelope.id in case.facts:
        return case
    task = event if isinstance(event, TaskFact) else None
    since = event.cause_occurred_at if isinstance(event, CaseOpened) else None
    if isinstance(event, CaseReopened):
        since = event.stopped_at
    fact = ClockFact(
        envelope.id, kind, micros(event.occurred_at), recorded, None if since is None else micros(since),
        None if task is None else task.task_id, "" if task is None else task.function, task is not None and task.required,
    )  # fmt: skip
    return replace(case, facts={**case.facts, envelope.id: fact})


def observe(case: Case, what: frozenset[str]) -> Case:
    """Return the case with this much counted in a histogram."""
    return case if what <= case.observed else replace(case, observed=case.observed | what)


# ── the state as it lies in the stream's table: small, and the same bytes for the same facts ─────────


def dumped(case: Case) -> bytes:
    """Return a case as bytes; tasks are numbered, so that their ids stand there once."""
    tasks = sorted({(f.task_id, f.function, f.required) for f in case.facts.values() if f.task_id}, key=str)
    numbers: dict[tuple[UUID | None, str, bool], int] = {task: number for number, task in enumerate(tasks)}
    rows = [
        [f.fact_id.hex, int(_CODES[f.kind]), f.occurred_us, f.recorded_us - f.occurred_us, f.since_us,
         numbers.get((f.task_id, f.function, f.required))]
        for f in sorted(case.facts.values(), key=lambda f: f.order)
    ]  # fmt: skip
    body = {
        "c": case.case_id.hex, "k": case.cause_kind, "s": case.severity, "l": [case.latest[0], case.latest[1].hex],
        "t": [[task_id.hex, function, int(required)] for task_id, function, required in tasks if task_id], "f": rows,
        "o": sorted(case.observed),
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":")).encode()


def loaded(value: bytes) -> Case:
    """Return the case inside such bytes; raises ValueError where they are none."""
    body: dict[str, Any] = json.loads(value)
    tasks = [(UUID(hex=task_id), function, bool(required)) for task_id, function, required in body["t"]]
    facts: dict[UUID, ClockFact] = {}
    for fact_hex, code, occurred, later, since, number in body["f"]:
        task_id, function, required = (None, "", False) if number is None else tasks[number]
        fact = ClockFact(
            UUID(hex=fact_hex), CLOCK_KINDS[code], occurred, occurred + later, since, task_id, function, required
        )
        facts[fact.fact_id] = fact
    return Case(
        UUID(hex=body["c"]), body["k"], body["s"], (body["l"][0], UUID(hex=body["l"][1])), facts, frozenset(body["o"])
    )
