"""The figure of many cases with what stands beside it: the naive median, hand-overs, acknowledgement, findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from velocity import Lasting, Velocity, middle, percentiles, velocity


@dataclass(frozen=True, slots=True)
class Timed:
    """One case as the figure needs it, in microseconds; acknowledged before it was opened is negative."""

    state: str
    elapsed_us: int
    decision_us: int | None
    acknowledged_us: int | None
    handoffs: int


@dataclass(frozen=True, slots=True)
class Figure:
    """Decision velocity; `naive_p50_us` leaves the open cases out, `findings` counts facts that contradict their order."""

    velocity: Velocity
    naive_p50_us: int | None
    acknowledge_p50_us: int | None
    handoffs: int
    findings: int


def figure(cases: Iterable[Timed]) -> Figure:
    """Return the figure of many cases; a case that nobody acknowledged has waited at least as long as it lasted."""
    ones = list(cases)
    waited = [
        Lasting(one.elapsed_us if one.acknowledged_us is None else one.acknowledged_us, one.acknowledged_us is not None)
        for one in ones
    ]
    return Figure(
        velocity=velocity((one.state, one.elapsed_us, one.decision_us) for one in ones),
        naive_p50_us=middle(one.decision_us for one in ones if one.decision_us is not None),
        acknowledge_p50_us=percentiles(waited)["p50"],
        handoffs=sum(one.handoffs for one in ones),
        findings=sum((one.acknowledged_us or 0) < 0 for one in ones),
    )
