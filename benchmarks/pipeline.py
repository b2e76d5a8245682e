"""Events per second from the input topic to the output topic: ours beside the same statements in a straight line.

One consumer process and one relay process each, on the same events and tables, judged by the same count at the end.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import work
from cli.stack import Stack

EVENTS = 60_000
RATE_BAR, RATIO_BAR = 18_000.0, 0.6


def measure(stack: Stack, module: str, *, events: int, consumers: int = 1) -> float:
    """Return events per second of one run; raises AssertionError where the outcome is wrong."""
    with work.place(stack, module) as where:
        work.fill(where, events)
        programs = [[f"benchmarks.{module}", "consumer"]] * consumers + [[f"benchmarks.{module}", "relay"]]
        with work.running(where, programs) as processes:
            found = work.rate(where, events, processes)
        work.judge(where, events)
    return found


def main(*, as_json: bool, events: int = EVENTS) -> bool:
    """Measure and print; returns whether the bars hold."""
    with tempfile.TemporaryDirectory(prefix="xd-bench-") as folder, Stack.start(Path(folder)) as stack:
        reference = measure(stack, "reference", events=events)
        ours = measure(stack, "ours", events=events)
    ratio = ours / reference
    holds = ours >= RATE_BAR and ratio >= RATIO_BAR
    figures = {"events_per_second": ours, "reference": reference, "ratio": ratio, "bars": {"events_per_second": RATE_BAR, "ratio": RATIO_BAR}, "holds": holds}  # fmt: skip
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        print(f"pipeline             {ours:9.0f} events/s   straight line {reference:9.0f}   ratio {ratio:.2f}")
        print(
            f"  bars               {RATE_BAR:9.0f}                                      {RATIO_BAR:.2f}   {'hold' if holds else 'do not hold'}"
        )
    return holds
