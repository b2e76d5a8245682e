"""Velocity of many cases with the open ones in it: Kaplan-Meier in whole numbers, because floats flip at S = 0.5.

The band is a matter of logarithms and comes in floats; its bounds are rounded to nine places before they are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, floor, log, sqrt

Z = 1.959963984540054  # the 97.5th percentile of the normal distribution: a band of 95 %
PLACES = 9
NEAR = 1e-9  # farther away a float of a million factors is on the right side
ONE = 1 << 256  # heights of the curve in fixed point: the error of a million steps is no digit of any answer
PERCENTILES = {"p50": Fraction(50, 100), "p90": Fraction(10, 100), "p95": Fraction(5, 100)}


@dataclass(frozen=True, slots=True)
class Observation:
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


@dataclass(frozen=True, slots=True)
class SurvivalStep:
    """The curve at a duration at which a case was implemented; at S = 0 the band has no value."""

    duration_us: int
    survival: float
    lower: float | None
    upper: float | None


def event_times(cases: Iterable[Observation]) -> Iterator[tuple[int, int, int]]:
    """Yield (t, at risk, implemented) at each duration at which a case was implemented, rising.

    A case censored at t was still at risk at t.
    """
    ordered = sorted(cases, key=lambda one: one.duration_us)
    at_risk, place = len(ordered), 0
    while place < len(ordered):
        t, ended, left = ordered[place].duration_us, 0, 0
        while place < len(ordered) and ordered[place].duration_us == t:
            ended += ordered[place].implemented
            left += 1
            place += 1
        if ended:
            yield t, at_risk, ended
        at_risk -= left


def percentiles(cases: Iterable[Observation]) -> dict[str, int | None]:
    """Return p50, p90 and p95: the smallest t with S(t) at or below 0.50, 0.10 and 0.05, or None where not reached.

    A float says where the curve is clearly above or below; near a share the exact fraction decides.
    """
    found: dict[str, int | None] = dict.fromkeys(PERCENTILES)
    missing = {name: (float(share), share) for name, share in PERCENTILES.items()}
    passed: list[tuple[int, int]] = []
    about = 1.0
    for t, at_risk, ended in event_times(cases):
        about *= (at_risk - ended) / at_risk
        if passed and passed[-1][0] == at_risk:
            passed[-1] = (at_risk - ended, passed[-1][1])  # nobody was censored in between: the two shorten
        else:
            passed.append((at_risk - ended, at_risk))
        for name, (near, share) in list(missing.items()):
            if about < near - NEAR or (about <= near + NEAR and _exact(passed) <= share):
                found[name] = t
                del missing[name]
        if not missing:
            break
    return found


def _exact(factors: Sequence[tuple[int, int]]) -> Fraction:
    """Return the product; by halves, so that the numbers grow late."""
    if len(factors) == 1:
        return Fraction(*factors[0])
    half = len(factors) // 2
    return _exact(factors[:half]) * _exact(factors[half:])


def steps(cases: Iterable[Observation]) -> list[SurvivalStep]:
    """Return the curve with its band: Greenwood's variance on the log-log scale."""
    found: list[SurvivalStep] = []
    variance, hazard, height = 0.0, 0.0, ONE
    for t, at_risk, ended in event_times(cases):
        height = _shrunk(height, at_risk, ended)
        if at_risk == ended:
            found.append(SurvivalStep(t, 0.0, None, None))
            break
        variance += ended / (at_risk * (at_risk - ended))
        hazard += log((at_risk - ended) / at_risk)
        width = Z * sqrt(variance) / hazard
        lower, upper = (round(exp(-exp(log(-hazard) + sign * width)), PLACES) for sign in (-1, 1))
        found.append(SurvivalStep(t, _places(height), lower, upper))
    return found


def bands(curve: Sequence[SurvivalStep]) -> dict[str, tuple[int | None, int | None]]:
    """Return the band of p50, p90 and p95: where the lower and where the upper bound of the curve reaches the share."""
    return {
        name: (
            next((s.duration_us for s in curve if s.lower is not None and s.lower <= share), None),
            next((s.duration_us for s in curve if s.upper is not None and s.upper <= share), None),
        )
        for name, share in PERCENTILES.items()
    }


def restricted_mean(cases: Iterable[Observation], horizon_us: int) -> Fraction:
    """Return the area under the curve from 0 to the horizon: how long a case lasts on average, the horizon at most."""
    area, height, reached = 0, ONE, 0
    for t, at_risk, ended in event_times(cases):
        upto = max(reached, min(t, horizon_us))
        area += height * (upto - reached)
        height, reached = _shrunk(height, at_risk, ended), upto
    return Fraction(area + height * max(0, horizon_us - reached), ONE)


def _shrunk(height: int, at_risk: int, ended: int) -> int:
    """Return the next height in units of 1/ONE; rounded up, so that what is exactly a half is rounded as a half."""
    return -(-height * (at_risk - ended) // at_risk)


def _places(height: int) -> float:
    """Return a height as a decimal of nine places, a half rounded up."""
    unit: int = 10**PLACES
    return (2 * height * unit + ONE) // (2 * ONE) / unit


def median(durations: Iterable[int]) -> int | None:
    """Return the plain median, of two in the middle their mean, half a microsecond rounded up; None of nothing."""
    ordered = sorted(durations)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half] + 1) // 2


def round_half_up(value: Fraction) -> int:
    """Return the nearest whole number, the higher of two that are as near."""
    return floor(value + Fraction(1, 2))


def decimal(value: Fraction, places: int) -> float:
    """Return a fraction as a decimal of so many places."""
    unit: int = 10**places
    return round_half_up(value * unit) / unit


def velocity(cases: Iterable[tuple[str, int, int | None]]) -> Velocity:
    """Return the figure of many cases, each given as (state, elapsed, decision) in microseconds."""
    lasting: list[Observation] = []
    opened = cleared = 0
    for state, elapsed_us, decision_us in cases:
        opened += state == "open"
        cleared += state == "cleared"
        lasting.append(Observation(elapsed_us if decision_us is None else decision_us, decision_us is not None))
    found = percentiles(lasting)
    return Velocity(
        n=len(lasting),
        implemented=sum(one.implemented for one in lasting),
        open=opened,
        cleared=cleared,
        p50_us=found["p50"],
        p90_us=found["p90"],
        p95_us=found["p95"],
    )
