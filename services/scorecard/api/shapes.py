"""What the scorecard answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from chassis import http
from schemas.types import CauseKind

router = http.Router()
Limit = Annotated[int, Query(ge=1, le=http.PAGE_ITEMS_MAX)]
IDS_MAX = 500
Kind = CauseKind
SeverityAsked = Literal["low", "medium", "high", "critical"]
StateAsked = Literal["open", "implemented", "cleared", "closed"]
ExternalKind = Literal["act", "signal", "timer"]


class PhaseShown(BaseModel):
    """One phase of a case."""

    model_config = ConfigDict(frozen=True)
    phase: str
    duration_us: int
    open: bool


class MeasureShown(http.Response):
    """The clock of a case; durations in microseconds, `decision_us` is its decision velocity."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    case_id: UUID
    cause_kind: str
    severity: str
    state: str
    identified_at: datetime
    recorded_at: datetime
    elapsed_us: int
    decision_us: int | None
    coordination_us: int | None
    excluded_us: int
    phases: tuple[PhaseShown, ...]
    inversions: tuple[str, ...]
    critical_function: str | None
    reopened: int
    facts: int
    latest_fact_id: UUID


class CaseVelocity(http.Response):
    """One case: what the stream read, what SQL recomputes, and whether they say the same."""

    case_id: UUID
    stream: MeasureShown | None
    recomputed: MeasureShown
    agree: bool


class VelocityShown(http.Response):
    """Decision velocity of many cases (Kaplan-Meier; lower is better): `n` counts all, open and cleared are censored.

    A percentile that the curve does not reach is null and listed under `not_reached`. `naive_p50_us` is the median of the
    implemented cases alone, which is too good; `findings` counts acknowledgements before the opening, which are not clamped;
    `bands_us` are the bounds of 95 %; `within_target` is the share that the curve has implemented within `target_us`.
    """

    as_of: datetime
    n: int
    implemented: int
    open: int
    cleared: int
    p50_us: int | None
    p90_us: int | None
    p95_us: int | None
    p50_seconds: float | None
    p90_seconds: float | None
    p95_seconds: float | None
    not_reached: tuple[str, ...]
    naive_p50_us: int | None
    acknowledge_p50_us: int | None
    handoffs: int
    findings: int
    bands_us: dict[str, tuple[int | None, int | None]]
    target_us: int
    within_target: float | None


class CellShown(BaseModel):
    """The figure of the cases of one cell; of fewer than five cases of one function or pair it is hidden.

    `share` is the part of the cases that ended with this function as the last to act, `total_us` how long they took together:
    what it cost in time. `handoffs` counts those of a pair.
    """

    model_config = ConfigDict(frozen=True)
    cell: str
    to: str | None = None
    n: int
    implemented: int
    open: int
    cleared: int
    hidden: bool
    p50_us: int | None
    p90_us: int | None
    p95_us: int | None
    bands_us: dict[str, tuple[int | None, int | None]]
    not_reached: tuple[str, ...]
    within_target: float | None
    target_met: bool | None
    total_us: int | None
    share: float | None = None
    handoffs: int | None = None


class CellsShown(http.Response):
    """Decision velocity by cell. `unknown` names what was asked and the scorecard is never told: value at risk."""

    as_of: datetime
    by: str
    target_us: int
    items: tuple[CellShown, ...]
    unknown: tuple[str, ...] = ()


class CurvePoint(BaseModel):
    """After so many microseconds this share is still without a response; the band is absent where nothing is left."""

    us: int
    share: float
    lower: float | None
    upper: float | None


class CurveShown(http.Response):
    """The curve of the cases in question, thinned evenly where it has more steps than were asked for."""

    as_of: datetime
    implemented: int
    censored: int
    target_us: int
    points: tuple[CurvePoint, ...]


class PhaseOfMany(BaseModel):
    """One phase over many cases; `standing` ones have not left it and are censored, `share` is its part of all time."""

    model_config = ConfigDict(frozen=True)
    phase: str
    finished: int
    standing: int
    p50_us: int | None
    p90_us: int | None
    total_us: int
    share: float | None


class PhasesShown(http.Response):
    """Where the time goes: `blind`, before the case was identified, beside the phases of the response."""

    as_of: datetime
    blind: PhaseOfMany
    response: tuple[PhaseOfMany, ...]
    blind_us: int
    response_us: int


class OverdueCase(BaseModel):
    """An open case that has lasted longer than nine of ten."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    case_id: UUID
    cause_kind: str
    severity: str
    identified_at: datetime
    elapsed_us: int


class OverdueShown(http.Response):
    """The open cases beyond the p90, the longest first; without a p90 there are none."""

    as_of: datetime
    p90_us: int | None
    count: int
    items: tuple[OverdueCase, ...]


class Difference(BaseModel):
    """One case of which the stream and SQL say different things."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    case_id: UUID
    reason: str
    reading: dict[str, Any] | None
    recomputed: dict[str, Any] | None


class VelocityCheck(http.Response):
    """Whether every reading equals its recomputation; the first differences are listed."""

    compared: int
    differences: int
    listed: tuple[Difference, ...]


class FactShown(http.Response):
    """The causal record of a fact: `cause_id` names what `cause_kind` says; a timer's `armed_by` what armed it."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
    fact_id: UUID
    type: str
    source: str
    subject: str
    occurred_at: datetime
    recorded_at: datetime
    correlation_id: UUID
    cause_id: UUID | None
    cause_kind: str
    armed_by: UUID | None
    armed_kind: str | None
    traceparent: str | None


class Step(FactShown):
    """A fact in a chain of causes or consequences; step 1 is the nearest."""

    step: int


class Root(BaseModel):
    """Where a chain ends: something that the named service can show at `POST /causes:resolve`, or nothing (an orphan)."""

    model_config = ConfigDict(frozen=True)
    id: UUID | None
    kind: str
    service: str
    armed_by: UUID | None = None
    armed_kind: str | None = None


class Why(http.Response):
    """A fact, what led to it, and so on back to the root; `passed` are the timers that the chain walked through."""

    chain: tuple[Step, ...]
    passed: tuple[Root, ...]
    root: Root


class Consequences(http.Response):
    """Everything that followed, nearest first."""

    items: tuple[Step, ...]
    more: bool


class WalkAsked(http.Body):
    """Which facts, of one level of a walk."""

    ids: Annotated[list[UUID], Field(max_length=IDS_MAX)]


class Walked(http.Response):
    """The causal records found; what is missing is not recorded here (yet)."""

    found: tuple[FactShown, ...]
    missing: tuple[UUID, ...]


class OrphanShown(FactShown):
    """A fact whose cause does not resolve, and why."""

    reason: str


class Orphans(http.Page[OrphanShown]):
    """Facts whose cause does not resolve."""

    count: int
    by_reason: dict[str, int]


class ExternalCause(http.Response):
    """An act, a signal or a timer that facts name as their cause, and the service that can show it."""

    id: UUID
    kind: str
    service: str
    facts: int
    example: UUID


class Figures(http.Response):
    """What the causal record adds up to."""

    facts: int
    orphans: int
    orphans_by_reason: dict[str, int]


def service_of(source: str) -> str:
    """Return the service of a source `/crossdock/<world>/<service>`."""
    return source.rsplit("/", 1)[-1]
