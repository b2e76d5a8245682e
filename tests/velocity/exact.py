"""The curve in exact fractions, step by step: what the faster ways of `velocity/curve.py` are held to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from velocity import Observation
from velocity.curve import event_times


def survival(cases: Iterable[Observation]) -> Iterator[tuple[int, Fraction]]:
    """Yield (t, S(t)) at each duration at which a case was implemented, rising; exact."""
    share = Fraction(1)
    for t, at_risk, ended in event_times(cases):
        share *= Fraction(at_risk - ended, at_risk)
        yield t, share
