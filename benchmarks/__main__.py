"""`python -m benchmarks [NAME…]`: figures of this machine, each beside what it is to be compared with.

The calibration of the machine comes first. A run is kept figure by figure in the checkout's data folder: an interrupted
one goes on with `--resume`, and `--compare` sets the last one beside an earlier one.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    api,
    backlog,
    calibration,
    growth,
    history,
    latency,
    loop,
    notification_delay,
    page,
    pipeline,
    sse,
    stream,
)
from benchmarks.figures import Figure, compared, line, loaded, machine_facts, median, plain, stored, written
from cli.stack import Home, Stack

Measure = Callable[[Stack, bool], Iterable[Figure]]
FIGURES: dict[str, tuple[str, Measure]] = {
    "pipeline": ("input topic → output topic, beside a straight line and the rivals", pipeline.measure),
    "growth": ("the same with more partitions, and by more processes", growth.measure),
    "light": ("one event each 10 ms", latency.measure_light),
    "busy": ("an interactive act while its service consumes at full rate", latency.measure_busy),
    "relay": ("a backlog, an idle relay, eight slow writers", backlog.measure),
    "api": ("requests with a transaction each, batches, three times too many", api.measure),
    "history": ("the same with much that is past, and dropping a day of it", history.measure),
    "loop": ("a delay's answer → both tasks", loop.measure),
    "stream": ("facts of cases → measures, beside a bare consumer", stream.measure),
    "known": ("the cases of the stream, known again after a kill", stream.measure_known_again),
    "told": ("a delay's answer → both tasks at a reader of the stream", notification_delay.measure),
    "page": ("the stream's page in Chromium: first rows, frames, a key", page.measure),
    "sse": ("the exception stream to a crowd, beside sse-starlette", sse.measure),
}
RIVALS = {"pipeline": "faststream", "sse": "sse_starlette", "page": "playwright"}
RUNS_FULL = 3
ONCE = ("known",)  # half of it is filling, and the figure is far from its bar


def main() -> int:
    """Measure the named figures, or all; exit code 0 when each was measured, with --strict 1 when a bar is missed.

    Many bars are absolute, and a slower machine misses them without any fault; the last lines name the missed ones.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="; ".join(f"{n}: {words}" for n, (words, _) in FIGURES.items())
    )
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a bar is missed")
    parser.add_argument("--full", action="store_true", help="long runs, three times, the median counts")
    parser.add_argument("--resume", action="store_true", help="go on with the last run, where it was interrupted")
    parser.add_argument(
        "--compare",
        nargs="?",
        type=int,
        const=2,
        metavar="N",
        help="measure nothing: the last run beside the N-th last",
    )
    given = parser.parse_args()
    if unknown := sorted(set(given.names) - set(FIGURES)):
        parser.error(f"no figure {unknown[0]!r}: there are {', '.join(FIGURES)}")
    folder = Home.find().root / "bench"
    if given.compare:
        return _compare(folder, given.compare)
    if any(name in (given.names or FIGURES) and importlib.util.find_spec(RIVALS[name]) is None for name in RIVALS):
        parser.error("the rivals are not installed: `make bench` does it, or deploy/local/setup.sh bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is told to stop takes its servers and files with it
    run = _Run.begin(folder, full=given.full, resume=given.resume)
    with tempfile.TemporaryDirectory(prefix="xd-bench-") as place, Stack.start(Path(place)) as stack:
        run.calibrate(stack)
        for name in given.names or FIGURES:
            run.measure(stack, name)
    run.show(as_json=given.json)
    with_bar = [figure for figure in run.figures if figure.holds is not None]
    missed = [figure.name for figure in with_bar if not figure.holds]
    _say(
        f"{len(with_bar) - len(missed)} of {len(with_bar)} bars hold on this machine"
        + "".join(f"; missed: {name}" for name in missed)
    )
    return int(bool(missed) and given.strict)


def _runs(name: str, full: bool) -> int:
    return RUNS_FULL if full and name not in ONCE else 1


class _Run:
    """One run, written after each part."""

    def __init__(self, file: Path, run: dict[str, Any]) -> None:
        self._file, self._run = file, run

    @classmethod
    def begin(cls, folder: Path, *, full: bool, resume: bool) -> _Run:
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.glob("*.json"))
        if resume and files:
            kept = json.loads(files[-1].read_text(encoding="utf-8"))
            if kept["full"] == full and any(len(kept["parts"].get(name, [])) < _runs(name, full) for name in FIGURES):
                return cls(files[-1], kept)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        kept = {"began": stamp, "full": full, "machine": machine_facts(), "calibration": {}, "parts": {}, "figures": []}
        return cls(folder / f"{stamp}.json", kept)

    def calibrate(self, stack: Stack) -> None:
        """Measure the machine, once per run."""
        if not self._run["calibration"]:
            _say("calibration: what this machine can do at best")
            self._run["calibration"] = calibration.measure(stack)
            self._keep()

    def measure(self, stack: Stack, name: str) -> None:
        """Measure one part as often as the run asks, unless it was measured before."""
        done = self._run["parts"].setdefault(name, [])
        words, measure = FIGURES[name]
        runs = _runs(name, self._run["full"])
        for number in range(len(done), runs):
            began = time.monotonic()
            _say(f"{name}: {words}" + (f", run {number + 1} of {runs}" if runs > 1 else ""))
            done.append([plain(figure) for figure in measure(stack, self._run["full"])])
            self._keep()
            _say(f"{name}: {time.monotonic() - began:.0f} s")

    @property
    def figures(self) -> list[Figure]:
        """Return the median of each figure over its runs."""
        return [f for runs in self._run["parts"].values() for f in median([[loaded(x) for x in run] for run in runs])]

    def show(self, *, as_json: bool) -> None:
        """Print the machine and the figures."""
        machine = self._run["calibration"]
        if as_json:
            print(json.dumps({**self._run, "parts": None}, indent=2))
            return
        for name, value in machine.items():
            print(f"{name:<44}{value:12,.0f} /s        this machine at best")
        for figure in self.figures:
            print(line(figure, machine))

    def _keep(self) -> None:
        self._run["figures"] = [written(figure, self._run["calibration"]) for figure in self.figures]
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._run, indent=1), encoding="utf-8")
        part.replace(self._file)


def _compare(folder: Path, number: int) -> int:
    try:
        before, now = stored(folder, number), stored(folder, 1)
    except LookupError as nothing:
        print(nothing, file=sys.stderr)
        return 2
    print(f"{before['began']} → {now['began']}")
    if before["machine"] != now["machine"]:
        print(f"the machines differ: {before['machine']} → {now['machine']}")
    for words in compared(before, now):
        print(words)
    return 0


def _say(words: str) -> None:
    print(f"== {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
