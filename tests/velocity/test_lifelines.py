"""Curve, band and restricted mean equal those of lifelines on 500 random logs; `make_lifelines_table.py` made the table."""

from __future__ import annotations

import gzip
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.velocity.exact import survival
from velocity import Observation, bands, percentiles, restricted_mean, steps

TABLE = Path(__file__).with_name("lifelines_500.json.gz")
NEAR = 1e-9
SHARES = {"p50": Fraction(1, 2), "p90": Fraction(1, 10), "p95": Fraction(1, 20)}


@pytest.fixture(scope="module")
def table() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(gzip.decompress(TABLE.read_bytes()))
    assert len(found) == 500
    return found


def lasting(one: dict[str, Any]) -> list[Observation]:
    return [Observation(t, bool(ended)) for t, ended in one["cases"]]


def test_curve_and_band_are_those_of_lifelines(table: list[dict[str, Any]]) -> None:
    """Where S is 0 the band has no value; lifelines fills it with 1."""
    compared = 0
    for one in table:
        found = steps(lasting(one))
        assert [step.duration_us for step in found] == [t for t, *_ in one["curve"]]
        for step, (_, height, lower, upper) in zip(found, one["curve"], strict=True):
            assert abs(step.survival - height) <= NEAR
            if step.lower is None or step.upper is None:
                assert step.survival == 0
                continue
            assert abs(step.lower - lower) <= NEAR
            assert abs(step.upper - upper) <= NEAR
            compared += 1
    assert compared > 3000


def test_the_restricted_mean_is_that_of_lifelines(table: list[dict[str, Any]]) -> None:
    """The mean up to the horizon, with open cases counted."""
    for one in table:
        mean = float(restricted_mean(lasting(one), one["horizon"]))
        assert abs(mean - one["restricted_mean"]) <= NEAR * max(1.0, mean)


def test_percentiles_are_those_of_lifelines_but_where_its_floats_flip(table: list[dict[str, Any]]) -> None:
    """METRICS 3.1: where the exact curve stands at the share, the exact one is right."""
    ties = flipped = 0
    for one in table:
        found = percentiles(lasting(one))
        for (name, share), theirs in zip(SHARES.items(), one["percentiles"], strict=True):
            exact = next((t for t, height in survival(lasting(one)) if height <= share), None)
            assert found[name] == exact
            if any(height == share for _, height in survival(lasting(one))):
                ties += 1
                flipped += theirs != exact
            else:
                assert found[name] == theirs
    assert ties > 20
    assert flipped > 0  # else nothing here shows why the curve is exact


def test_the_band_of_a_percentile_is_read_from_the_curve(table: list[dict[str, Any]]) -> None:
    """The lower bound of the curve reaches a share no later than the curve, the upper one no earlier."""
    for one in table:
        found, band = percentiles(lasting(one)), bands(steps(lasting(one)))
        for name, (first, last) in band.items():
            if found[name] is not None and first is not None:
                assert first <= found[name]
            if last is not None:
                assert found[name] is not None
                assert last >= found[name]


@pytest.mark.parametrize("n", [2, 6, 10, 98, 1000, 20_000])
def test_ties_at_one_half_fall_right_however_many_cases(n: int) -> None:
    """METRICS 3.1: floats flip at S = 0.5."""
    assert percentiles([Observation(k + 1, True) for k in range(n)])["p50"] == n // 2
    assert percentiles([Observation(0, False), *(Observation(k + 1, True) for k in range(n))])["p50"] == n // 2
