"""Velocity of many cases with the open ones in it: Kaplan-Meier in whole numbers, because floats flip at S = 0.5."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

PERCENTILES = {"p50": Fraction(50, 100), "p90": Fraction(10, 100), "p95": Fraction(5, 100)}


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long one case lasted; a case that is open or was cleared lasted at least so long (censored)."""

    duration_us: int
    implemented: bool


@dataclass(frozen=True, slots=True)
class Velocity:
    """The figure of many cases; a percentile is None where the curve does not reach it."""

    n: int
    implemented: int
    open: int
    cleared: int
    p50_us: int | None
    p90_us: int | None
    p95_us: int | None

    @property
    def not_reached(self) -> tuple[str, ...]:
        return tuple(name for name in PERCENTILES if getattr(self, f"{name}_us") is None)


def survival(cases: Iterable[Lasting]) -> Iterator[tuple[int, int, int]]:
    """Yield (t, numerator, denominator) of S(t) at each duration at which a case was implemented, rising.

    A case censored at t was still at risk at t. The fraction is exact and not reduced: reducing costs more than
    the comparison that follows.
    """
    ordered = sorted(cases, key=lambda one: one.duration_us)
    at_risk, above, below, place = len(ordered), 1, 1, 0
    while place < len(ordered):
        t, ended, left = ordered[place].duration_us, 0, 0
        while place < len(ordered) and ordered[place].duration_us == t:
            ended += ordered[place].implemented
            left += 1
            place += 1
        if ended:
            above, below = above * (at_risk - ended), below * at_risk
            yield t, above, below
        at_risk -= left


def percentiles(cases: Sequence[Lasting]) -> dict[str, int | None]:
    """Return p50, p90 and p95: the smallest t with S(t) at or below 0.50, 0.10 and 0.05, or None where not reached."""
    found: dict[str, int | None] = dict.fromkeys(PERCENTILES)
    missing = dict(PERCENTILES)
    for t, above, below in survival(cases):
        for name, share in list(missing.items()):
            if above * share.denominator <= below * share.numerator:
                found[name] = t
                del missing[name]
        if not missing:
            break
    return found


def velocity(cases: Iterable[tuple[str, int, int | None]]) -> Velocity:
    """Return the figure of many cases, each given as (state, elapsed, decision) in microseconds."""
    lasting: list[Lasting] = []
    opened = cleared = 0
    for state, elapsed_us, decision_us in cases:
        opened += state == "open"
        cleared += state == "cleared"
        lasting.append(Lasting(elapsed_us if decision_us is None else decision_us, decision_us is not None))
    found = percentiles(lasting)
    return Velocity(
        n=len(lasting), implemented=sum(one.implemented for one in lasting), open=opened, cleared=cleared,
        p50_us=found["p50"], p90_us=found["p90"], p95_us=found["p95"],
    )  # fmt: skip
