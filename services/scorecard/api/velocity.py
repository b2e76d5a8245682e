"""Questions about velocity: of all cases, of one, and whether the stream and SQL agree."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import http
from schemas.types import Instant
from services.scorecard import queries
from services.scorecard.api.shapes import (
    CaseVelocity,
    Difference,
    Kind,
    Limit,
    MeasureShown,
    SeverityAsked,
    StateAsked,
    VelocityCheck,
    VelocityShown,
    router,
)
from services.scorecard.settings import ScorecardSettings

MICROSECOND = timedelta(microseconds=1)
SETTLED = timedelta(seconds=30)  # a fact heard later may still be on its way through the stream


@router.question("/velocity", topic="scorecard.measure")
def show_velocity(
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    since: Instant | None = None,
    as_of: Instant | None = None,
) -> VelocityShown:
    """Return p50, p90 and p95 over the cases in scope; `as_of` uses only what was recorded by then."""
    target = ScorecardSettings().target
    figure, at = queries.decision_velocity(
        ask.read, ask.actor, kind=kind, severity=severity, since=since, as_of=as_of, target=target
    )
    found = figure.velocity
    return VelocityShown(
        as_of=at,
        n=found.n,
        implemented=found.implemented,
        open=found.open,
        cleared=found.cleared,
        not_reached=found.not_reached,
        p50_us=found.p50_us,
        p90_us=found.p90_us,
        p95_us=found.p95_us,
        p50_seconds=_seconds(found.p50_us),
        p90_seconds=_seconds(found.p90_us),
        p95_seconds=_seconds(found.p95_us),
        naive_p50_us=figure.naive_p50_us,
        acknowledge_p50_us=figure.acknowledge_p50_us,
        handoffs=figure.handoffs,
        findings=figure.findings,
        bands_us=figure.bands,
        target_us=target // MICROSECOND,
        within_target=figure.within_target,
    )


def _seconds(us: int | None) -> float | None:
    return None if us is None else us / 1_000_000


@router.question("/velocity/check", topic="scorecard.measure")
def check_velocity(ask: http.QueryContext, quiet: bool = False) -> VelocityCheck:
    """Compare every reading with its recomputation; `quiet` says that nothing is on its way any more."""
    ask.actor.must_see_everything()
    compared, differences, rows = queries.velocity_differences(ask.read, settled=timedelta() if quiet else SETTLED)
    return VelocityCheck(
        compared=compared, differences=differences, listed=tuple(Difference.model_validate(row) for row in rows)
    )


@router.question("/velocity/cases/{case_id}", topic="scorecard.measure")
def show_case_velocity(case_id: UUID, ask: http.QueryContext) -> CaseVelocity:
    """Return one case's clock as the stream read it and as SQL recomputes it."""
    reading, recomputed = queries.velocity_of_case(ask.read, ask.actor, case_id)
    agree = reading is not None and all(getattr(reading, n) == getattr(recomputed, n) for n in queries.MEASURED)
    return CaseVelocity(
        case_id=case_id, stream=None if reading is None else _shown(reading), recomputed=_shown(recomputed), agree=agree
    )


@router.question("/measures", topic="scorecard.measure")
def list_measures(
    ask: http.QueryContext,
    kind: Kind | None = None,
    severity: SeverityAsked | None = None,
    state: StateAsked | None = None,
    since: Instant | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> http.Page[MeasureShown]:
    """Return readings in scope, by the time their case was identified."""
    filters: dict[str, Any] = {"kind": kind, "severity": severity, "state": state, "since": since}
    last = ask.after(cursor, *filters.values())
    after = (datetime.fromisoformat(last[0]), UUID(last[1])) if last else None
    rows = queries.readings_by_opening(ask.read, ask.actor, **filters, after=after, limit=limit + 1)
    page = ask.page(
        [_shown(row) for row in rows], lambda m: [m.identified_at.isoformat(), m.case_id], limit, *filters.values()
    )
    return http.Page[MeasureShown](**page)


def _shown(row: Any) -> MeasureShown:
    return MeasureShown.model_validate(row)
