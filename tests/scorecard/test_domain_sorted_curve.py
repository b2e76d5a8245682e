"""The walk over sorted lists answers what the curve of the specification answers."""

from __future__ import annotations

import random

import pytest

from services.scorecard.domain.sorted_curve import SortedCurve
from tests.velocity.exact import survival
from velocity import Observation, bands, percentiles, steps


def curve(cases: list[Observation]) -> SortedCurve:
    return SortedCurve(
        sorted(one.duration_us for one in cases if one.implemented),
        sorted(one.duration_us for one in cases if not one.implemented),
    )


def some(chance: random.Random) -> list[Observation]:
    """Return a log with ties, with many or few censored, or none."""
    longest, share = chance.choice([3, 40, 10**12]), chance.choice([0.0, 0.0, 0.1, 0.5, 0.95])
    return [
        Observation(chance.randint(1, longest), chance.random() >= share)
        for _ in range(chance.choice([1, 2, 5, 20, 200, 2000]))
    ]


@pytest.mark.parametrize("seed", range(400))
def test_it_says_what_the_curve_of_the_specification_says(seed: int) -> None:
    """Exact at S = 0.5, ties and censored ones included; the band to the step."""
    cases = some(random.Random(seed))
    found = curve(cases)
    assert found.percentiles() == percentiles(cases)
    assert found.bands() == bands(steps(cases))
    for us in (0, cases[0].duration_us, 10**13):
        below = [s for t, s in survival(cases) if t <= us] if len(cases) < 500 else None
        if below is not None:
            assert found.reached_within(us) == pytest.approx(1 - float(below[-1] if below else 1), abs=2e-9)


@pytest.mark.parametrize("seed", range(200))
def test_its_points_are_steps_of_the_curve_of_the_specification(seed: int) -> None:
    cases = some(random.Random(seed))
    whole = {step.duration_us: step for step in steps(cases)}
    for most in (10**6, 7):
        found = curve(cases).points(most)
        assert [step.duration_us for step in found][-1:] == list(whole)[-1:]
        for step in found:
            exact = whole[step.duration_us]
            assert step.survival == pytest.approx(exact.survival, abs=2e-9)
            assert (step.lower, step.upper) == pytest.approx((exact.lower, exact.upper), abs=2e-9)
        assert len(found) == len(whole) if most > 7 else len(found) <= 8


def test_of_nothing_there_is_no_figure() -> None:
    assert SortedCurve([], []).percentiles() == {"p50": None, "p90": None, "p95": None}
    assert SortedCurve([], []).reached_within(5) is None
    assert SortedCurve([], []).points(5) == []


def test_open_cases_alone_reach_nothing() -> None:
    assert set(SortedCurve([], [1, 2]).percentiles().values()) == {None}
    assert SortedCurve([], [1, 2]).reached_within(5) == 0
