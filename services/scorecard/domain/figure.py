"""The figure of many cases with what stands beside it: bands, the naive median, acknowledgement, findings. Pure."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from services.scorecard.domain.sorted_curve import Band, SortedCurve
from velocity import Velocity, median

ARRAY_HEAD = 20
HIDDEN_BELOW = 5  # a cell of fewer cases may be one person (specification)


@dataclass(frozen=True, slots=True)
class Counted:
    """Cases of one cell of which all were implemented, or none: their durations in no order."""

    cell: tuple[str, ...]
    ended: bool
    open: int
    cleared: int
    durations_us: Sequence[int]
    more: int = 0  # handoffs of a pair


@dataclass(frozen=True, slots=True)
class Cell:
    """Decision velocity of the cases of one cell with the bands of its percentiles."""

    cell: tuple[str, ...]
    velocity: Velocity
    bands: dict[str, Band]
    within_target: float | None
    total_us: int
    handoffs: int


@dataclass(frozen=True, slots=True)
class Figure:
    """Decision velocity; `naive_p50_us` leaves the open cases out, `findings` counts facts that contradict their order."""

    velocity: Velocity
    bands: dict[str, Band]
    within_target: float | None
    naive_p50_us: int | None
    acknowledge_p50_us: int | None
    handoffs: int
    findings: int


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase over many cases; those that stand in it, or were cleared in it, are censored."""

    phase: str
    finished: int
    standing: int
    p50_us: int | None
    p90_us: int | None
    total_us: int


def durations(sent: bytes | None) -> array[int]:
    """Return the whole numbers that PostgreSQL sent as bytes, eight each."""
    found = array("q", sent or b"")
    if sys.byteorder == "little":
        found.byteswap()
    return found


def sorted_durations(sent: bytes | None) -> array[int]:
    """Return the whole numbers of an array as `array_send` writes it: a head of five words, then a length before each."""
    words = array("I", (sent or b"")[ARRAY_HEAD:])
    halves = array("I", bytes(len(words) // 3 * 8))
    halves[0::2], halves[1::2] = words[1::3], words[2::3]
    return durations(halves.tobytes())


def cells(counted: Iterable[Counted], target_us: int) -> list[Cell]:
    """Return the figure of every cell."""
    together: dict[tuple[str, ...], list[Counted]] = {}
    for one in counted:
        together.setdefault(one.cell, []).append(one)
    return [_cell(name, ones, target_us) for name, ones in sorted(together.items())]


def figure(
    ended: Sequence[int],
    censored: Sequence[int],
    *,
    opened: int,
    cleared: int,
    target_us: int,
    told: Sequence[int],
    silent: Sequence[int],
    handoffs: int,
    findings: int,
) -> Figure:
    """Return the figure of many cases from sorted durations; who was not acknowledged waited as long as the case lasted."""
    curve = SortedCurve(ended, censored)
    return Figure(
        velocity=_velocity(curve, opened, cleared),
        bands=curve.bands(),
        within_target=curve.reached_within(target_us),
        handoffs=handoffs,
        findings=findings,
        naive_p50_us=median(ended),
        acknowledge_p50_us=SortedCurve(told, silent).percentiles(("p50",))["p50"],
    )


def phase(name: str, finished: Sequence[int], standing: Sequence[int]) -> Phase:
    """Return one phase over many cases from sorted durations."""
    reached = SortedCurve(finished, standing).percentiles(("p50", "p90"))
    return Phase(name, len(finished), len(standing), reached["p50"], reached["p90"], sum(finished) + sum(standing))


def _cell(name: tuple[str, ...], ones: Sequence[Counted], target_us: int) -> Cell:
    ended = [one.durations_us for one in ones if one.ended]
    censored = [one.durations_us for one in ones if not one.ended]
    curve = SortedCurve(sorted(chain(*ended)), sorted(chain(*censored)))
    return Cell(
        name,
        _velocity(curve, sum(one.open for one in ones), sum(one.cleared for one in ones)),
        curve.bands(),
        curve.reached_within(target_us),
        sum(curve.ended) + sum(curve.censored),
        sum(one.more for one in ones),
    )


def _velocity(curve: SortedCurve, opened: int, cleared: int) -> Velocity:
    reached = curve.percentiles()
    return Velocity(
        n=len(curve.ended) + len(curve.censored),
        implemented=len(curve.ended),
        open=opened,
        cleared=cleared,
        p50_us=reached["p50"],
        p90_us=reached["p90"],
        p95_us=reached["p95"],
    )
