"""The curve of very many cases from two sorted lists: those implemented and those censored, in whole microseconds. Pure.

Between two censored cases the product of Kaplan-Meier shortens to one fraction and Greenwood's sum to one difference, so the
walk goes from censored case to censored case. It answers what `velocity.curve` answers; near a share whole numbers decide.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import ceil, exp, inf, log, sqrt
from typing import NamedTuple

from velocity.curve import PERCENTILES, PLACES, SurvivalStep, Z

NEAR = 1e-6  # of a place in the list: a float of a million factors is nearer
Band = tuple[int | None, int | None]


class CurveSegment(NamedTuple):
    """What lies between two censored cases: `ends` implemented from place `first` on, `at_risk` before the first of them."""

    first: int
    ends: int
    at_risk: int
    survival: float
    variance: float

    def at(self, ended: int) -> float:
        """Return the curve after so many of the segment."""
        return self.survival * (self.at_risk - ended) / self.at_risk

    def bound(self, ended: int, sign: int) -> float:
        """Return the lower (-1) or upper (1) bound of the band after so many of the segment; some are left at risk."""
        left = self.at_risk - ended
        hazard = log(self.survival * left / self.at_risk)
        if not hazard:
            return 1.0
        width = Z * sqrt(self.variance + 1 / left - 1 / self.at_risk) / hazard
        return round(exp(-exp(log(-hazard) + sign * width)), PLACES)


@dataclass(frozen=True, slots=True)
class SortedCurve:
    """The curve over implemented and censored durations, each sorted."""

    ended: Sequence[int]
    censored: Sequence[int]

    def segments(self) -> Iterator[CurveSegment]:
        """Yield the segments in which a case was implemented; one that ended when another was censored came before it."""
        n, place = len(self.ended) + len(self.censored), 0
        survival, variance = 1.0, 0.0
        for gone, until in enumerate([*self.censored, inf]):
            after = bisect_right(self.ended, until, place)
            if after == place:
                continue
            at_risk, left = n - place - gone, n - after - gone
            yield CurveSegment(place, after - place, at_risk, survival, variance)
            if not left:
                return
            survival *= left / at_risk
            variance += 1 / left - 1 / at_risk
            place = after

    def percentiles(self, names: Sequence[str] = tuple(PERCENTILES)) -> dict[str, int | None]:
        """Return p50, p90 and p95, or those of them, or None where not reached."""
        found: dict[str, int | None] = dict.fromkeys(names)
        passed: list[tuple[int, int]] = []
        missing = {name: PERCENTILES[name] for name in names}
        for segment in self.segments():
            while missing:
                name, share = next(iter(missing.items()))  # falling: who is above one is above the next
                ended = _reached(segment, share, passed)
                if ended is None:
                    break
                found[name] = self.ended[segment.first + ended - 1]
                del missing[name]
            if not missing:
                break
            passed.append((segment.at_risk - segment.ends, segment.at_risk))
        return found

    def bands(self) -> dict[str, Band]:
        """Return where the lower and the upper bound of the curve reach each share."""
        lower, upper = (self._bounds(sign) for sign in (-1, 1))
        return {name: (lower.get(name), upper.get(name)) for name in PERCENTILES}

    def _bounds(self, sign: int) -> dict[str, int]:
        wanted = [
            (float(share), name) for name, share in PERCENTILES.items()
        ]  # falling: who is above one is above the next
        found: dict[str, int] = {}
        for segment in self.segments():
            most = self._banded(segment)
            if not most or (sign > 0 and segment.at(most) > wanted[0][0]):
                continue
            bound = segment.bound(most, sign)
            while wanted and bound <= wanted[0][0]:
                share, name = wanted.pop(0)
                ended = _first(most, partial(_bounded, segment, sign, share))
                found[name] = self.ended[segment.first + ended - 1]
            if not wanted:
                break
        return found

    def reached_within(self, us: int) -> float | None:
        """Return the share of cases that the curve has implemented by then; None of nothing."""
        if not self.ended and not self.censored:
            return None
        survival = 1.0
        for segment in self.segments():
            ended = min(bisect_right(self.ended, us, segment.first) - segment.first, segment.ends)
            if ended:
                survival = segment.at(ended)
            if ended < segment.ends:
                break
        return round(1 - survival, PLACES)

    def points(self, most: int) -> list[SurvivalStep]:
        """Return the curve with its band, at most so many steps of it, evenly over the cases; the last step always."""
        found: list[SurvivalStep] = []
        apart = max(1, ceil(len(self.ended) / most))
        next_place = apart - 1
        for segment in self.segments():
            end, banded = segment.first + segment.ends, self._banded(segment)
            while next_place < end or end == len(self.ended):
                place = min(next_place, end - 1)
                us = self.ended[place]
                ended = bisect_right(self.ended, us, segment.first, end) - segment.first
                lower, upper = (segment.bound(ended, -1), segment.bound(ended, 1)) if ended <= banded else (None, None)
                found.append(SurvivalStep(us, round(segment.at(ended), PLACES), lower, upper))
                next_place = max(next_place + apart, segment.first + ended)
                if segment.first + ended == len(self.ended):
                    return found
        return found

    def _banded(self, segment: CurveSegment) -> int:
        """Return up to how many of a segment the band has a value: where the curve falls to nothing it has none."""
        if segment.ends < segment.at_risk:
            return segment.ends
        last = self.ended[segment.first + segment.ends - 1]
        return bisect_left(self.ended, last, segment.first) - segment.first


def _reached(segment: CurveSegment, share: Fraction, passed: Sequence[tuple[int, int]]) -> int | None:
    """Return after how many of a segment the curve is at or below a share; None where it stays above."""
    place = segment.at_risk * (1 - float(share) / segment.survival)
    near = round(place)
    ended = ceil(place)
    if abs(place - near) < NEAR:
        ended = near if _exactly(segment, near, share, passed) else near + 1
    return max(1, ended) if ended <= segment.ends else None


def _exactly(segment: CurveSegment, ended: int, share: Fraction, passed: Sequence[tuple[int, int]]) -> bool:
    """Say in whole numbers whether the curve is at or below a share after so many."""
    below = _product([segment.at_risk - ended, *(left for left, _ in passed)]) * share.denominator
    return below <= _product([segment.at_risk, *(at_risk for _, at_risk in passed)]) * share.numerator


def _product(factors: Sequence[int]) -> int:
    """Multiply by halves, so that the numbers grow late."""
    if len(factors) == 1:
        return factors[0]
    half = len(factors) // 2
    return _product(factors[:half]) * _product(factors[half:])


def _bounded(segment: CurveSegment, sign: int, share: float, ended: int) -> bool:
    return segment.bound(ended, sign) <= share


def _first(most: int, holds: Callable[[int], bool]) -> int:
    """Return the first of 1…most for which it holds, knowing that it holds from there on."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
