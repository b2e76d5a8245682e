"""What the measurements say of themselves: bars, medians, and what is noise."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, compared, line, loaded, median, plain, written


def run(name: str = "relay", value: float = 100.0, **more: float) -> dict[str, object]:
    """A run of the history with one figure."""
    (figure,) = median([[Figure(name, value, "events/s", **more)]])
    return {"figures": [written(figure, {})]}


@pytest.mark.parametrize(
    ("bars", "holds"),
    [
        ({}, None),
        ({"at_least": 10.0}, True),
        ({"at_least": 11.0}, False),
        ({"at_most": 10.0}, True),
        ({"at_most": 9.0}, False),
    ],
)
def test_a_bar_holds_at_its_very_value_and_not_beyond(bars: dict[str, float], holds: bool | None) -> None:
    """A figure without a bar neither holds nor fails."""
    assert Figure("one", 10.0, "ms", **bars).holds is holds


def test_the_median_of_three_runs_counts_and_the_runs_are_kept() -> None:
    """One disturbed run changes nothing."""
    (found,) = median([[Figure("one", value, "ms", beside={"usual": value * 2})] for value in (3.0, 90.0, 1.0)])
    assert (found.value, found.runs, found.beside) == (3.0, (3.0, 90.0, 1.0), {"usual": 6.0})


def test_a_figure_is_written_with_its_ratios_and_bar() -> None:
    """What `--json` promises: calibration, straight line and rivals apart."""
    figure = Figure("one", 50.0, "events/s", at_least=60, beside={"reference": 100.0, "usual": 5.0}, ceiling="raw")
    told = written(figure, {"raw": 200.0})
    assert (told["ratio_to_calibration"], told["ratio_to_reference"], told["ratios_to_rivals"]) == (
        0.25,
        0.5,
        {"usual": 10.0},
    )
    assert told["holds"] is False
    assert "DOES NOT HOLD" in line(figure, {"raw": 200.0})


def test_an_interrupted_run_gives_back_what_it_kept() -> None:
    """`--resume` goes on from the file."""
    figure = Figure("one", 1.5, "ms", at_most=2, beside={"usual": 3.0}, runs=(1.0, 2.0))
    assert loaded(plain(figure)) == figure


@pytest.mark.parametrize(
    ("before", "now", "more", "word"),
    [
        (100.0, 85.0, {}, "noise"),
        (100.0, 70.0, {}, "WORSE"),
        (100.0, 130.0, {}, "better"),
        (100.0, 130.0, {"at_most": 500.0}, "WORSE"),
        (100.0, 70.0, {"at_most": 500.0}, "better"),
    ],
)
def test_a_comparison_says_what_is_noise(before: float, now: float, more: dict[str, float], word: str) -> None:
    """More of a rate is better, more of a wait is worse."""
    (said,) = compared(run(value=before, **more), run(value=now, **more))
    assert said.endswith(word)


def test_runs_that_differ_among_themselves_widen_the_noise() -> None:
    """What one evening's runs differ by is no news the next morning."""
    wide = {"figures": [written(*median([[Figure("relay", value, "events/s")] for value in (60.0, 100.0, 140.0)]), {})]}
    (said,) = compared(wide, run(value=70.0))
    assert said.endswith("noise")
