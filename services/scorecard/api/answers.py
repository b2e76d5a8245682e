"""Questions about many cases: velocity by cell, where the time goes, and which open cases last too long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query

from chassis import http
from schemas.types import Instant
from services.scorecard import domain, queries
from services.scorecard.api.shapes import (
    CellShown,
    CellsShown,
    CurvePoint,
    CurveShown,
    Kind,
    Limit,
    OverdueCase,
    OverdueShown,
    PhaseOfMany,
    PhasesShown,
    SeverityAsked,
    router,
)
from services.scorecard.settings import ScorecardSettings

MICROSECOND = timedelta(microseconds=1)
PERSON_LIKE = ("function", "pair")
PLACES = 6
POINTS_MAX = 1_000


@router.question("/velocity/by/{what}", topic="scorecard.measure")
def show_velocity_by(
    what: queries.Grouping,
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    since: Instant | None = None,
    as_of: Instant | None = None,
) -> CellsShown:
    """Return the figure by kind, severity, function last to act, week of identification, or pair of a hand-over (slowest first)."""
    asked = _asked(ask, kind, severity, since, as_of)
    target = ScorecardSettings().target
    found = queries.cells_of_cases(ask.read, asked, what, target=target)
    ended = sum(one.velocity.n for one in found)
    items = [_cell(one, what, ended, target // MICROSECOND) for one in found]
    if what == "pair":
        items.sort(key=lambda one: (one.hidden, one.p50_us is not None, -(one.p50_us or 0)))
    unknown = ("value_at_risk",) if what == "function" else ()
    return CellsShown(as_of=asked.at, by=what, target_us=target // MICROSECOND, items=tuple(items), unknown=unknown)


@router.question("/velocity/curve", topic="scorecard.measure")
def show_velocity_curve(
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    since: Instant | None = None,
    as_of: Instant | None = None,
    most: Annotated[int, Query(ge=2, le=POINTS_MAX)] = 200,
) -> CurveShown:
    """Return the share of cases that are without a coordinated response after a time, open ones counted, with its band."""
    asked = _asked(ask, kind, severity, since, as_of)
    found = queries.curve_of_cases(ask.read, asked)
    return CurveShown(
        as_of=asked.at,
        implemented=len(found.ended),
        censored=len(found.censored),
        target_us=ScorecardSettings().target // MICROSECOND,
        points=tuple(_point(step) for step in found.points(most)),
    )


def _point(step: Any) -> CurvePoint:
    return CurvePoint(us=step.duration_us, share=step.survival, lower=step.lower, upper=step.upper)


@router.question("/velocity/phases", topic="scorecard.measure")
def show_velocity_phases(
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    since: Instant | None = None,
) -> PhasesShown:
    """Return where the time goes: blind time beside the phases of the response."""
    asked = _asked(ask, kind, severity, since, None)
    found = queries.phases_of_cases(ask.read, asked)
    whole = sum(one.total_us for one in found)
    blind, *response = [
        PhaseOfMany(
            phase=one.phase,
            finished=one.finished,
            standing=one.standing,
            p50_us=one.p50_us,
            p90_us=one.p90_us,
            total_us=one.total_us,
            share=round(one.total_us / whole, PLACES) if whole else None,
        )
        for one in found
    ]
    return PhasesShown(
        as_of=asked.at,
        blind=blind,
        response=tuple(response),
        blind_us=blind.total_us,
        response_us=whole - blind.total_us,
    )


@router.question("/velocity/overdue", topic="scorecard.measure")
def list_velocity_overdue(
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    since: Instant | None = None,
    limit: Limit = 100,
) -> OverdueShown:
    """Return the open cases that have lasted longer than the p90 of the same cases."""
    asked = _asked(ask, kind, severity, since, None)
    p90 = queries.p90_of_cases(ask.read, asked)
    if p90 is None:
        return OverdueShown(as_of=asked.at, p90_us=None, count=0, items=())
    count, rows = queries.open_cases_beyond(ask.read, asked, p90, limit=limit)
    return OverdueShown(
        as_of=asked.at, p90_us=p90, count=count, items=tuple(OverdueCase.model_validate(row) for row in rows)
    )


def _asked(
    ask: http.QueryContext, kind: str | None, severity: str | None, since: datetime | None, as_of: datetime | None
) -> queries.VelocityQuery:
    at = queries.world_now(ask.read) if as_of is None else as_of
    return queries.VelocityQuery(ask.actor, at, kind, severity, since, as_of)


def _cell(one: domain.Cell, what: str, ended: int, target_us: int) -> CellShown:
    found = one.velocity
    counts: dict[str, Any] = {
        "cell": one.cell[0],
        "to": one.cell[1] if what == "pair" else None,
        "n": found.n,
        "implemented": found.implemented,
        "open": found.open,
        "cleared": found.cleared,
        "handoffs": one.handoffs if what == "pair" else None,
        "share": round(found.n / ended, PLACES) if what == "function" else None,
    }
    if what in PERSON_LIKE and found.n < domain.HIDDEN_BELOW:
        return CellShown(
            **counts,
            hidden=True,
            p50_us=None,
            p90_us=None,
            p95_us=None,
            bands_us={},
            not_reached=(),
            within_target=None,
            target_met=None,
            total_us=None,
        )
    return CellShown(
        **counts,
        hidden=False,
        p50_us=found.p50_us,
        p90_us=found.p90_us,
        p95_us=found.p95_us,
        bands_us=one.bands,
        not_reached=found.not_reached,
        within_target=one.within_target,
        total_us=one.total_us,
        target_met=None if found.p90_us is None else found.p90_us <= target_us,
    )
