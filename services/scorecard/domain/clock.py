"""The facts of a case as they come from the topic, and a case as it lies in the stream's table. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import velocity
from schemas.envelope import Envelope
from schemas.exceptions import (
    CaseFact,
    CaseHandedOver,
    CaseOpened,
    CasePaused,
    CaseReopened,
    HandoverAccepted,
    TaskFact,
)
from schemas.scorecard import MeasureRecorded
from velocity import CLOCK_KINDS, Case, ClockFact, Measure, add, instant, micros

_CODES = {kind: number for number, kind in enumerate(CLOCK_KINDS)}


def kind_of(event_name: str) -> str:
    """Return `case.opened` of `exceptions.case.opened.v1`."""
    return event_name.split(".", 1)[1].rsplit(".", 1)[0]


def hear(case: Case | None, envelope: Envelope) -> Case:
    """Return the case with one more fact; one that is known already changes nothing."""
    event: CaseFact = envelope.data
    task = event if isinstance(event, TaskFact) else None
    since = event.cause_occurred_at if isinstance(event, CaseOpened) else None
    if isinstance(event, CaseReopened):
        since = event.stopped_at
    fact = ClockFact(
        envelope.id, kind_of(envelope.type), micros(event.occurred_at), micros(envelope.recordedtime),
        None if since is None else micros(since), None if task is None else task.task_id,
        "" if task is None else task.function, task is not None and task.required, more_of(event),
    )  # fmt: skip
    return add(case, fact, case_id=event.case_id, cause_kind=event.cause.kind, severity=event.severity)


def more_of(event: CaseFact) -> tuple[str, ...]:
    """Return the giver and the taker of a hand-over, or the reason of a pause."""
    if isinstance(event, HandoverAccepted):
        return (event.from_function, event.to_function)
    if isinstance(event, CaseHandedOver):
        return (event.from_group, event.to_group)
    return (event.reason,) if isinstance(event, CasePaused) else ()


def measure(case: Case, *, until_us: int | None = None) -> Measure | None:
    """Return what the clock says at `until_us` (without it: at the last fact); None before the opening is known."""
    return velocity.measure(case, until_us=case.latest[0] if until_us is None else until_us)


def observe(case: Case, what: frozenset[str]) -> Case:
    """Return the case with this much counted in a histogram."""
    return case if what <= case.observed else replace(case, observed=case.observed | what)


def observable(found: Measure, observed: frozenset[str]) -> dict[str, int]:
    """Return what a histogram may count of an implemented case now and has not counted before, in microseconds."""
    if found.decision_us is None:
        return {}
    durations: dict[str, int] = {p.phase: p.duration_us for p in found.phases if not p.open}
    durations["whole"] = found.decision_us
    if found.coordination_us is not None:
        durations["coordination"] = found.coordination_us
    return {phase: us for phase, us in durations.items() if phase not in observed}


def measured(case: Case, found: Measure, *, fact_id: UUID, occurred_at: datetime) -> MeasureRecorded:
    """Return the fact that the stream says when one more fact of a case led to this measure."""
    return MeasureRecorded.model_validate(
        {
            "occurred_at": occurred_at, "case_id": case.case_id, "fact_id": fact_id, "cause_kind": case.cause_kind,
            "severity": case.severity, "state": found.state, "identified_at": instant(found.identified_us),
            "as_of": instant(found.until_us), "elapsed_us": found.elapsed_us, "decision_us": found.decision_us,
            "coordination_us": found.coordination_us, "excluded_us": found.excluded_us, "phases": [asdict(phase) for phase in found.phases],
            "inversions": found.inversions, "critical_function": found.critical_function, "reopened": found.reopened,
            "handoffs": found.handoffs, "acknowledged_us": found.acknowledged_us,
            "facts": len(case.facts), "latest_fact_id": case.latest[1],
        }
    )  # fmt: skip


# ── the state as it lies in the stream's table: small, and the same bytes for the same facts ─────────


def dumped(case: Case) -> bytes:
    """Return a case as bytes; tasks are numbered, so that their ids stand there once."""
    tasks = sorted({(f.task_id, f.function, f.required) for f in case.facts.values() if f.task_id}, key=str)
    numbers: dict[tuple[UUID | None, str, bool], int] = {task: number for number, task in enumerate(tasks)}
    rows = [
        [f.fact_id.hex, _CODES[f.kind], f.occurred_us, f.recorded_us - f.occurred_us, f.since_us,
         numbers.get((f.task_id, f.function, f.required)), *f.more]
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
    for fact_hex, code, occurred, later, since, number, *more in body["f"]:
        task_id, function, required = (None, "", False) if number is None else tasks[number]
        fact = ClockFact(
            UUID(hex=fact_hex),
            CLOCK_KINDS[code],
            occurred,
            occurred + later,
            since,
            task_id,
            function,
            required,
            tuple(more),
        )
        facts[fact.fact_id] = fact
    return Case(
        UUID(hex=body["c"]), body["k"], body["s"], (body["l"][0], UUID(hex=body["l"][1])), facts, frozenset(body["o"])
    )
