"""What the specification answers about a log: one document, in whole microseconds (`docs/decision-velocity.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from velocity.clock import HANDOFF_KINDS, Case, instant
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
from velocity.measure import Measure, measure
from velocity.merging import merged
from velocity.reading import DAY_US, Calendar, Log, as_of, calendars_known, known
from velocity.working import Working, working

SPECIFICATION = "1.0"
HIDDEN_BELOW = 5  # a cell of fewer cases may be one person
SHARE_PLACES = 6
MONDAY_US = 4 * DAY_US  # 5 January 1970
WEEK_US = 7 * DAY_US


@dataclass(frozen=True, slots=True)
class Measured:
    """One case that contributes, measured."""

    case: Case
    measure: Measure
    working: Working

    @property
    def lasting(self) -> Observation:
        found = self.measure
        return Observation(
            found.elapsed_us if found.decision_us is None else found.decision_us, found.decision_us is not None
        )


def answers(log: Log, cases: Callable[[int], dict[UUID, Case]] | None = None) -> dict[str, Any]:
    """Return every answer about a log; `cases` may bring what another fold made of it as of a time."""
    fold = cases or (lambda until: known(log, until))
    until = as_of(log)
    everything = fold(until)
    found = _measured(everything, calendars_known(log, until), until)
    recurrences = {one.case_id for one in log.told if one.recurrence > 0 and one.fact.recorded_us <= until}
    return {
        "specification": SPECIFICATION,
        "as_of": written(until),
        **_figure(found, log),
        "handoffs": sum(one.measure.handoffs for one in found),
        "reopened": sum(one.measure.reopened > 0 for one in found),
        "recurrences": sum(one.case.case_id in recurrences for one in found),
        "findings": _findings(found, everything, log),
        "measures": [_shown(one) for one in found],
        **_cells(found),
        "weeks": _weeks(found, until, lambda end: _measured(fold(end), {}, end)),
    }


def written(us: int) -> str:
    """Return an instant as RFC 3339 writes it in UTC."""
    return instant(us).isoformat().replace("+00:00", "Z")


def _measured(cases: dict[UUID, Case], calendars: dict[str, Calendar], until: int) -> list[Measured]:
    found = []
    for case in merged(cases).values():
        told = measure(case, until_us=until)
        if told is not None:
            found.append(Measured(case, told, working(case, told, calendars)))
    return sorted(found, key=lambda one: (one.measure.identified_us, one.case.case_id))


def _figure(found: Sequence[Measured], log: Log) -> dict[str, Any]:
    lasting = [one.lasting for one in found]
    curve = steps(lasting)
    horizon = log.options.horizon_us
    if horizon is None:
        horizon = max((one.duration_us for one in lasting), default=None)
    told = [one.measure for one in found]
    figure = velocity((m.state, m.elapsed_us, m.decision_us) for m in told)
    waited = [
        Observation(m.elapsed_us if m.acknowledged_us is None else m.acknowledged_us, m.acknowledged_us is not None)
        for m in told
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
        "restricted_mean_us": None if horizon is None else round_half_up(restricted_mean(lasting, horizon)),
        "naive_p50_us": median(one.duration_us for one in lasting if one.implemented),
        "acknowledge_p50_us": percentiles(waited)["p50"],
    }


def _shown(one: Measured) -> dict[str, Any]:
    found = one.measure
    return {
        "case_id": str(one.case.case_id),
        "kind": one.case.cause_kind,
        "severity": one.case.severity,
        "state": found.state,
        "identified_at": written(found.identified_us),
        "elapsed_us": found.elapsed_us,
        "decision_us": found.decision_us,
        "coordination_us": found.coordination_us,
        "excluded_us": found.excluded_us,
        "phases": {p.phase: p.duration_us for p in found.phases},
        "open_phase": next((p.phase for p in found.phases if p.open), None),
        "inversions": list(found.inversions),
        "critical_function": found.critical_function,
        "reopened": found.reopened,
        "handoffs": found.handoffs,
        "facts": len(one.case.facts),
        "acknowledged_us": found.acknowledged_us,
        "working_us": one.working.working_us,
        "paused": dict(one.working.paused),
    }


def _findings(found: Sequence[Measured], everything: dict[UUID, Case], log: Log) -> dict[str, int]:
    return {
        "acknowledged_before_opening": sum(
            one.measure.acknowledged_us is not None and one.measure.acknowledged_us < 0 for one in found
        ),
        "inversions": sum(len(one.measure.inversions) for one in found),
        "never_opened": sum(
            not any(f.kind == "case.opened" for f in case.facts.values()) for case in everything.values()
        ),
        "pauses_without_end": sum(one.working.endless for one in found),
        "reopened_late": sum(
            f.kind == "case.reopened" and f.since_us is not None and f.occurred_us - f.since_us > log.options.window_us
            for one in found
            for f in one.case.facts.values()
        ),
        "unknown_calendar": sum(one.working.unknown_calendar for one in found),
    }


def _cells(found: Sequence[Measured]) -> dict[str, Any]:
    ended = [one for one in found if one.measure.critical_function is not None]
    by_pair: dict[tuple[str, str], list[Measured]] = {}
    for one in found:
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
            {"from": giver, "to": taker, "handoffs": len(ones), **_unless_few(_once(ones))}
            for (giver, taker), ones in sorted(by_pair.items())
        ],
        "kinds": [{"kind": name, **_cell(ones)} for name, ones in _groups(found, lambda one: one.case.cause_kind)],
        "severities": [
            {"severity": name, **_cell(ones)} for name, ones in _groups(found, lambda one: one.case.severity)
        ],
    }


def _weeks(found: Sequence[Measured], until: int, measured_at: Callable[[int], list[Measured]]) -> list[dict[str, Any]]:
    """Return the trend by week of identification: as it is known now, and as it was known when the week ended."""
    weeks = []
    for name, ones in _groups(found, week_of):
        end = min(_week_end(ones[0]), until)
        then = [one for one in measured_at(end) if week_of(one) == name]
        weeks.append({"week": name, **_cell(ones), "then": {"as_of": written(end), **_cell(then)}})
    return weeks


def week_of(one: Measured) -> str:
    """Return the ISO week, in UTC, in which a case was identified; its year may differ from the day's."""
    year, week, _ = instant(one.measure.identified_us).isocalendar()
    return f"{year}-W{week:02d}"


def _week_end(one: Measured) -> int:
    us = one.measure.identified_us
    return us - (us - MONDAY_US) % WEEK_US + WEEK_US


def _cell(ones: Sequence[Measured]) -> dict[str, Any]:
    lasting = [one.lasting for one in ones]
    reached = percentiles(lasting)
    return {
        "cases": len(ones),
        "implemented": sum(one.implemented for one in lasting),
        "p50_us": reached["p50"],
        "p90_us": reached["p90"],
    }


def _unless_few(ones: Sequence[Measured]) -> dict[str, Any]:
    if len(ones) < HIDDEN_BELOW:
        return {"cases": len(ones), "hidden": True, "p50_us": None}
    return {"cases": len(ones), "hidden": False, "p50_us": percentiles([one.lasting for one in ones])["p50"]}


def _groups(ones: Iterable[Measured], key: Callable[[Measured], str]) -> list[tuple[str, list[Measured]]]:
    groups: dict[str, list[Measured]] = {}
    for one in ones:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items())


def _once(ones: Sequence[Measured]) -> list[Measured]:
    return list({one.case.case_id: one for one in ones}.values())


def _share(part: int, whole: int) -> float:
    return decimal(Fraction(part, whole), SHARE_PLACES)
