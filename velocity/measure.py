"""Decision velocity of one case (METRICS 3.1): a pure fold of its facts into points, phases and a verdict.

`docs/decision-velocity.md` explains it in words; the scorecard's `queries/recompute.py` computes the same in SQL and
shares no code with this file. A point is a clock point t1…t7; its place on the case's clock leaves out the time between
the end of a response (implemented or cleared) and its reopening.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from velocity.case import HANDOFF_KINDS, TASK_KINDS, Case, ClockFact, Order

State = Literal["open", "implemented", "cleared", "closed"]
Phase = Literal["blind", "task", "acknowledge", "decide", "commit", "execute", "verify"]
PHASES: tuple[Phase, ...] = ("blind", "task", "acknowledge", "decide", "commit", "execute", "verify")
POINTS = 7
NEVER: Order = (-(2**63), UUID(int=0))


@dataclass(frozen=True, slots=True)
class PhaseDuration:
    """One phase of a case in microseconds; an open one runs until the as-of time."""

    phase: Phase
    duration_us: int
    open: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """The measurement of one case as of `until_us`; durations are whole microseconds."""

    state: State
    identified_us: int
    until_us: int
    elapsed_us: int
    decision_us: int | None
    coordination_us: int | None
    excluded_us: int
    phases: tuple[PhaseDuration, ...]
    inversions: tuple[Phase, ...]
    critical_function: str | None
    reopened: int
    handoffs: int
    acknowledged_us: int | None  # negative where it was acknowledged before it was opened: counted, not clamped


@dataclass(frozen=True, slots=True)
class _Task:
    function: str
    committed_us: int | None
    done_us: int | None


@dataclass(frozen=True, slots=True)
class _Run:
    """The run of the response after the last reopening: when it was coordinated, implemented, and how it ended."""

    committed_us: int | None
    implemented_us: int | None
    cleared_us: int | None
    verified_us: int | None
    critical_function: str | None

    @property
    def state(self) -> State:
        if self.cleared_us is not None:
            return "cleared"
        if self.verified_us is not None:
            return "closed"
        return "open" if self.implemented_us is None else "implemented"


class Clock:
    """The clock of one case: it starts at identification and stops between the end of a response and its reopening."""

    def __init__(self, started_us: int, breaks: Iterable[tuple[int, int]]) -> None:
        self.started_us = started_us
        self._breaks: list[tuple[int, int]] = []
        reached = started_us
        for stopped, again in sorted(breaks):
            start = max(stopped, reached)
            if again > start:
                self._breaks.append((start, again))
                reached = again

    @property
    def breaks(self) -> tuple[tuple[int, int], ...]:
        """The stretches that are left out, apart and in order."""
        return tuple(self._breaks)

    @property
    def excluded_us(self) -> int:
        return sum(again - stopped for stopped, again in self._breaks)

    def at(self, us: int) -> int:
        """Return what the clock shows at an instant; negative before the case was identified."""
        left_out = sum(min(again, us) - stopped for stopped, again in self._breaks if stopped < us)
        return us - self.started_us - left_out


def opening_of(case: Case) -> ClockFact | None:
    """Return the opening of a case: the first in order."""
    return min((f for f in case.facts.values() if f.kind == "case.opened"), key=lambda f: f.order, default=None)


def clock_of(case: Case, started_us: int) -> Clock:
    """Return the clock of a case that was identified at an instant."""
    return Clock(
        started_us,
        (
            (f.since_us, f.occurred_us)
            for f in case.facts.values()
            if f.kind == "case.reopened" and f.since_us is not None
        ),
    )


def measure(case: Case, *, until_us: int) -> Measure | None:
    """Return what the clock says at an instant; None before the opening is known."""
    facts = list(case.facts.values())
    opening = opening_of(case)
    if opening is None:
        return None
    reopenings = [f for f in facts if f.kind == "case.reopened"]
    clock = clock_of(case, opening.occurred_us)
    run = _run(facts, max((f.order for f in reopenings), default=NEVER))
    stop = {"cleared": run.cleared_us, "closed": run.verified_us}.get(run.state)
    elapsed = clock.at(until_us if stop is None else stop)
    points = [
        None if us is None else clock.at(us)
        for us in (
            opening.occurred_us,
            _latest(f.occurred_us for f in facts if f.kind == "task.opened"),
            _first(facts, "case.acknowledged"),
            _first(facts, "case.decided"),
            run.committed_us,
            run.implemented_us,
            run.verified_us,
        )
    ]
    phases, inversions = _phases(points, elapsed, run.state, opening)
    return Measure(
        state=run.state,
        identified_us=opening.occurred_us,
        until_us=until_us,
        elapsed_us=elapsed,
        decision_us=points[5],
        coordination_us=points[4],
        excluded_us=clock.excluded_us,
        phases=phases,
        inversions=inversions,
        critical_function=run.critical_function,
        reopened=len(reopenings),
        handoffs=sum(f.kind in HANDOFF_KINDS for f in facts),
        acknowledged_us=points[2],
    )


def _run(facts: list[ClockFact], since: Order) -> _Run:
    tasks = _required_tasks(facts)
    told = [f.occurred_us for f in facts if f.kind == "case.implemented" and f.order > since]
    done = [task.done_us for task in tasks if task.done_us is not None]
    committed = [task.committed_us for task in tasks if task.committed_us is not None]
    implemented = None
    if told and len(done) == len(tasks):
        implemented = max(done) if done else min(told)
    cleared = _first(facts, "case.cleared", since)
    if cleared is not None and implemented is not None and implemented <= cleared:
        cleared = None  # the response stood already: the cause went away after it
    if cleared is not None:
        return _Run(_all(committed, tasks), None, cleared, None, None)
    last = [task.function for task in tasks if implemented is not None and task.done_us == implemented]
    return _Run(
        _all(committed, tasks), implemented, None, _first(facts, "case.verified", since), min(last, default=None)
    )


def _required_tasks(facts: list[ClockFact]) -> list[_Task]:
    by_task: dict[UUID, list[ClockFact]] = {}
    for fact in facts:
        if fact.task_id is not None and fact.required and fact.kind in TASK_KINDS:
            by_task.setdefault(fact.task_id, []).append(fact)
    return [_task(of_one) for of_one in by_task.values()]


def _task(facts: list[ClockFact]) -> _Task:
    """Fold one task; what was said before it was last reopened is void, a completion counts as a commitment."""
    since = max((f.order for f in facts if f.kind == "task.reopened"), default=NEVER)
    ends = [us for kind in ("task.completed", "task.waived") if (us := _first(facts, kind, since)) is not None]
    done = min(ends, default=None)
    committed = _first(facts, "task.committed", since)
    return _Task(min(f.function for f in facts), done if committed is None else committed, done)


def _first(facts: list[ClockFact], kind: str, since: Order = NEVER) -> int | None:
    return min((f.occurred_us for f in facts if f.kind == kind and f.order > since), default=None)


def _latest(instants: Iterable[int]) -> int | None:
    return max(instants, default=None)


def _all(instants: list[int], tasks: list[_Task]) -> int | None:
    return max(instants) if instants and len(instants) == len(tasks) else None


def _phases(
    points: list[int | None], elapsed: int, state: State, opening: ClockFact
) -> tuple[tuple[PhaseDuration, ...], tuple[Phase, ...]]:
    """Cut the clock into phases with s_k, the earliest of the points from k on, so that none is negative."""
    known = [k for k in range(POINTS) if points[k] is not None]
    last = known[-1]
    starts = [min(us for us in points[k:] if us is not None) for k in range(last + 1)]
    wrong = {k for k in known if (points[k] or 0) > starts[k]}
    phases: list[PhaseDuration] = []
    blind = opening.occurred_us - (opening.occurred_us if opening.since_us is None else opening.since_us)
    if blind >= 0:
        phases.append(PhaseDuration(phase="blind", duration_us=blind))
    else:
        wrong.add(0)  # the case was opened before its cause: a data-quality matter, counted and not clamped
    phases += [PhaseDuration(phase=PHASES[k + 1], duration_us=starts[k + 1] - starts[k]) for k in range(last)]
    if last < POINTS - 1:
        rest = elapsed - starts[last]
        if rest >= 0:
            running = state in ("open", "implemented")
            phases.append(PhaseDuration(phase=PHASES[last + 1], duration_us=rest, open=running))
        else:
            wrong.add(last + 1)
    return tuple(phases), tuple(PHASES[k] for k in sorted(wrong))
