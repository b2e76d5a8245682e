"""What the specification answers about a log: one document, in whole microseconds (`docs/decision-velocity.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from velocity.case import HANDOFF_KINDS, Case, instant
from velocity.curve import (
    Observation,
    bands,
    decimal,
    median,
    percentiles,
    restricted_mean,
    round_half_up,
    steps,
    velocity,
)
from velocity.event_log import DAY_US, Calendar, Log, as_of, calendars_as_of, cases_as_of
from velocity.measure import Measure, measure
from velocity.merging import merged
from velocity.working import Working, working

SPECIFICATION = "1.0"
HIDDEN_BELOW = 5  # a cell of fewer cases may be one person
SHARE_PLACES = 6
MONDAY_US = 4 * DAY_US  # 5 January 1970
WEEK_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class MeasuredCase:
    """One case that contributes, measured."""

    case: Case
    measure: Measure
    working: Working

    @property
    def observation(self) -> Observation:
        measure = self.measure
        return Observation(
            measure.elapsed_us if measure.decision_us is None else measure.decision_us, measure.decision_us is not None
        )


def answers(log: Log, cases: Callable[[int], dict[UUID, Case]] | None = None) -> dict[str, Any]:
    """Return every answer about a log; `cases` may bring what another fold made of it as of a time."""
    fold = cases or (lambda until: cases_as_of(log, until))
    until = as_of(log)
    everything = fold(until)
    measured = _measured_cases(everything, calendars_as_of(log, until), until)
    recurrences = {one.case_id for one in log.events if one.recurrence > 0 and one.fact.recorded_us <= until}
    return {
        "specification": SPECIFICATION,
        "as_of": written(until),
        **_figure(measured, log),
        "handoffs": sum(one.measure.handoffs for one in measured),
        "reopened": sum(one.measure.reopened > 0 for one in measured),
        "recurrences": sum(one.case.case_id in recurrences for one in measured),
        "findings": _findings(measured, everything, log),
        "measures": [_measurement_document(one) for one in measured],
        **_cells(measured),
        "weeks": _weeks(measured, until, lambda end: _measured_cases(fold(end), {}, end)),
    }


def written(us: int) -> str:
    """Return an instant as RFC 3339 writes it in UTC."""
    return instant(us).isoformat().replace("+00:00", "Z")


def _measured_cases(cases: dict[UUID, Case], calendars: dict[str, Calendar], until: int) -> list[MeasuredCase]:
    cases_measured = []
    for case in merged(cases).values():
        measured = measure(case, until_us=until)
        if measured is not None:
            cases_measured.append(MeasuredCase(case, measured, working(case, measured, calendars)))
    return sorted(cases_measured, key=lambda one: (one.measure.identified_us, one.case.case_id))


def _figure(measured: Sequence[MeasuredCase], log: Log) -> dict[str, Any]:
    observations = [one.observation for one in measured]
    curve = steps(observations)
    horizon = log.options.horizon_us
    if horizon is None:
        horizon = max((one.duration_us for one in observations), default=None)
    measures = [one.measure for one in measured]
    figure = velocity((m.state, m.elapsed_us, m.decision_us) for m in measures)
    waited = [
        Observation(m.elapsed_us if m.acknowledged_us is None else m.acknowledged_us, m.acknowledged_us is not None)
        for m in measures
    ]
    return {
        "cases": figure.n,
        "implemented": figure.implemented,
        "open": figure.open,
        "cleared": figure.cleared,
        "p50_us": figure.p50_us,
        "p90_us": figure.p90_us,
        "p95_us": figure.p95_us,
        "not_reached": list(figure.not_reached),
        "bands": {name: list(band) for name, band in bands(curve).items()},
        "curve": [{"t_us": s.duration_us, "survival": s.survival, "lower": s.lower, "upper": s.upper} for s in curve],
        "horizon_us": horizon,
        "restricted_mean_us": None if horizon is None else round_half_up(restricted_mean(observations, horizon)),
        "naive_p50_us": median(one.duration_us for one in observations if one.implemented),
        "acknowledge_p50_us": percentiles(waited)["p50"],
    }


def _measurement_document(one: MeasuredCase) -> dict[str, Any]:
    measure = one.measure
    return {
        "case_id": str(one.case.case_id),
        "kind": one.case.cause_kind,
        "severity": one.case.severity,
        "state": measure.state,
        "identified_at": written(measure.identified_us),
        "elapsed_us": measure.elapsed_us,
        "decision_us": measure.decision_us,
        "coordination_us": measure.coordination_us,
        "excluded_us": measure.excluded_us,
        "phases": {p.phase: p.duration_us for p in measure.phases},
        "open_phase": next((p.phase for p in measure.phases if p.open), None),
        "inversions": list(measure.inversions),
        "critical_function": measure.critical_function,
        "reopened": measure.reopened,
        "handoffs": measure.handoffs,
        "facts": len(one.case.facts),
        "acknowledged_us": measure.acknowledged_us,
        "working_us": one.working.working_us,
        "paused": dict(one.working.paused),
    }


def _findings(measured: Sequence[MeasuredCase], everything: dict[UUID, Case], log: Log) -> dict[str, int]:
    return {
        "acknowledged_before_opening": sum(
            one.measure.acknowledged_us is not None and one.measure.acknowledged_us < 0 for one in measured
        ),
        "inversions": sum(len(one.measure.inversions) for one in measured),
        "never_opened": sum(
            not any(f.kind == "case.opened" for f in case.facts.values()) for case in everything.values()
        ),
        "pauses_without_end": sum(one.working.endless for one in measured),
        "reopened_late": sum(
            f.kind == "case.reopened" and f.since_us is not None and f.occurred_us - f.since_us > log.options.window_us
            for one in measured
            for f in one.case.facts.values()
        ),
        "unknown_calendar": sum(one.working.unknown_calendar for one in measured),
    }


def _cells(measured: Sequence[MeasuredCase]) -> dict[str, Any]:
    ended = [one for one in measured if one.measure.critical_function is not None]
    by_pair: dict[tuple[str, str], list[MeasuredCase]] = {}
    for one in measured:
        for fact in one.case.facts.values():
            if fact.kind in HANDOFF_KINDS:
                by_pair.setdefault((fact.more[0], fact.more[1]), []).append(one)
    functions = _groups(ended, lambda one: str(one.measure.critical_function))
    return {
        "functions": [
            {"function": name, "last": len(ones), "share": _share(len(ones), len(ended)), **_unless_few(ones)}
            for name, ones in functions
        ],
        "pairs": [
            {"from": from_function, "to": to_function, "handoffs": len(ones), **_unless_few(_once(ones))}
            for (from_function, to_function), ones in sorted(by_pair.items())
        ],
        "kinds": [{"kind": name, **_cell(ones)} for name, ones in _groups(measured, lambda one: one.case.cause_kind)],
        "severities": [
            {"severity": name, **_cell(ones)} for name, ones in _groups(measured, lambda one: one.case.severity)
        ],
    }


def _weeks(
    measured: Sequence[MeasuredCase], until: int, measured_at: Callable[[int], list[MeasuredCase]]
) -> list[dict[str, Any]]:
    """Return the trend by week of identification: as it is known now, and as it was known when the week ended."""
    weeks = []
    for name, ones in _groups(measured, week_of):
        end = min(_week_end(ones[0]), until)
        then = [one for one in measured_at(end) if week_of(one) == name]
        weeks.append({"week": name, **_cell(ones), "then": {"as_of": written(end), **_cell(then)}})
    return weeks


def week_of(one: MeasuredCase) -> str:
    """Return the ISO week, in UTC, in which a case was identified; its year may differ from the day's."""
    year, week, _ = instant(one.measure.identified_us).isocalendar()
    return f"{year}-W{week:02d}"


def _week_end(one: MeasuredCase) -> int:
    us = one.measure.identified_us
    return us - (us - MONDAY_US) % WEEK_US + WEEK_US


def _cell(ones: Sequence[MeasuredCase]) -> dict[str, Any]:
    observations = [one.observation for one in ones]
    reached = percentiles(observations)
    return {
        "cases": len(ones),
        "implemented": sum(one.implemented for one in observations),
        "p50_us": reached["p50"],
        "p90_us": reached["p90"],
    }


def _unless_few(ones: Sequence[MeasuredCase]) -> dict[str, Any]:
    if len(ones) < HIDDEN_BELOW:
        return {"cases": len(ones), "hidden": True, "p50_us": None}
    return {"cases": len(ones), "hidden": False, "p50_us": percentiles([one.observation for one in ones])["p50"]}


def _groups(ones: Iterable[MeasuredCase], key: Callable[[MeasuredCase], str]) -> list[tuple[str, list[MeasuredCase]]]:
    groups: dict[str, list[MeasuredCase]] = {}
    for one in ones:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items())


def _once(ones: Sequence[MeasuredCase]) -> list[MeasuredCase]:
    return list({one.case.case_id: one for one in ones}.values())


def _share(part: int, whole: int) -> float:
    return decimal(Fraction(part, whole), SHARE_PLACES)
