"""What a measurement finds: a figure with its unit, its bar and what others did with the same work in the same run."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

NOISE = 0.20  # identical runs on a shared machine differ by this much; less is no news


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `beside` holds the same figure of the straight line (`reference`) and of rivals."""

    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    beside: dict[str, float] = field(default_factory=dict)
    ceiling: str | None = None  # the calibration that this figure is read beside
    runs: tuple[float, ...] = ()

    @property
    def holds(self) -> bool | None:
        """Say whether the bar holds; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    def ratio(self, other: float) -> float:
        """Return this figure over another one."""
        return self.value / other if other else 0.0


def median(runs: Sequence[Iterable[Figure]]) -> list[Figure]:
    """Return each figure's median over runs, with what every run said."""
    by_name: dict[str, list[Figure]] = {}
    for run in runs:
        for figure in run:
            by_name.setdefault(figure.name, []).append(figure)
    found = []
    for same in by_name.values():
        values = tuple(figure.value for figure in same)
        others = {name: statistics.median(f.beside[name] for f in same if name in f.beside) for name in same[0].beside}
        found.append(replace(same[0], value=statistics.median(values), beside=others, runs=values))
    return found


def written(figure: Figure, machine: dict[str, float]) -> dict[str, Any]:
    """Return a figure as the JSON that `--json` and the history hold."""
    beside = dict(figure.beside)
    reference = beside.pop("reference", None)
    ceiling = machine.get(figure.ceiling or "")
    return {
        "name": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "runs": list(figure.runs),
        "ratio_to_calibration": figure.ratio(ceiling) if ceiling else None,
        "ratio_to_reference": figure.ratio(reference) if reference else None,
        "ratios_to_rivals": {name: figure.ratio(value) for name, value in beside.items()},
        "bar": {"at_least": figure.at_least, "at_most": figure.at_most},
        "holds": figure.holds,
    }


def line(figure: Figure, machine: dict[str, float]) -> str:
    """Return a figure as a line of the table."""
    shown = written(figure, machine)
    words = [f"{figure.name:<44}{_number(figure.value):>12} {figure.unit:<9}"]
    if figure.holds is not None:
        sign, bar = ("≥", figure.at_least) if figure.at_least is not None else ("≤", figure.at_most)
        words.append(f"bar {sign} {_number(bar or 0)}  {'holds' if figure.holds else 'DOES NOT HOLD'}")
    if shown["ratio_to_reference"]:
        words.append(f"{shown['ratio_to_reference']:.2f} × straight line")
    words += [f"{ratio:.2g} × {name}" for name, ratio in shown["ratios_to_rivals"].items()]
    if shown["ratio_to_calibration"]:
        words.append(f"{shown['ratio_to_calibration']:.3f} × {figure.ceiling}")
    if len(figure.runs) > 1:
        words.append(f"runs {_number(min(figure.runs))} to {_number(max(figure.runs))}")
    return "   ".join(words)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def machine_facts() -> dict[str, Any]:
    """Return what else the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "cores": os.cpu_count(),
        "memory_mb": memory,
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def stored(folder: Path, number: int) -> dict[str, Any]:
    """Return a run of the history: 1 is the last one; raises LookupError."""
    files = sorted(folder.glob("*.json"))
    if len(files) < number:
        raise LookupError(f"{folder} holds {len(files)} runs: `make bench` makes one")
    loaded: dict[str, Any] = json.loads(files[-number].read_text(encoding="utf-8"))
    return loaded


def compared(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Say of each figure in both runs whether it moved by more than noise."""
    old = {figure["name"]: figure for figure in before["figures"]}
    lines = []
    for figure in now["figures"]:
        was = old.get(figure["name"])
        if was is None or not was["value"]:
            continue
        change = figure["value"] / was["value"] - 1
        spread = max(
            max(f["runs"]) / min(f["runs"]) - 1 if f["runs"] and min(f["runs"]) > 0 else 0.0 for f in (was, figure)
        )
        limit = max(NOISE, spread)
        better = (change > 0) == (figure["bar"]["at_most"] is None)
        word = "noise" if abs(change) <= limit else "better" if better else "WORSE"
        lines.append(
            f"{figure['name']:<44}{_number(was['value']):>12} → {_number(figure['value']):>12} {figure['unit']:<9}"
            f"{change:+7.0%}   {word}"
        )
    return lines


def loaded(figure: dict[str, Any]) -> Figure:
    """Return a figure that a run was interrupted after."""
    return Figure(**{**figure, "runs": tuple(figure["runs"])})


def plain(figure: Figure) -> dict[str, Any]:
    """Return a figure as it is kept between the parts of one run."""
    return asdict(figure)
