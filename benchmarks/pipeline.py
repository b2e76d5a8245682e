"""Events per second from the input topic to the output topic: ours beside the same statements in a straight line and the usual way.

One consumer process and one relay process each, on the same events and tables, judged by the same count at the end.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks import backlog, calibration, latency, work
from cli.stack import Stack

EVENTS = 60_000
RATE_BAR, RATIO_BAR, RIVAL_BAR = 18_000.0, 0.6, 15.0


def measure(stack: Stack, module: str, *, events: int, consumers: int = 1) -> float:
    """Return events per second of one run; raises AssertionError where the outcome is wrong."""
    with work.place(stack, module.replace("_", "-")) as where:
        work.fill(where, events)
        programs = [[f"benchmarks.{module}", "consumer"]] * consumers + [[f"benchmarks.{module}", "relay"]]
        with work.running(where, programs) as processes:
            found = work.rate(where, events, processes)
        work.judge(where, events)
    return found


def main(*, as_json: bool, events: int = EVENTS) -> bool:
    """Measure and print; returns whether the bars hold."""
    with tempfile.TemporaryDirectory(prefix="xd-bench-") as folder, Stack.start(Path(folder)) as stack:
        machine = calibration.measure(stack)
        reference = measure(stack, "reference", events=events)
        ours = measure(stack, "ours", events=events)
        usual = measure(stack, "rival_orm", events=max(events // 20, 1000))
        relay = {name: backlog.measure(stack, name) for name in ("ours", "reference")}
        light = {name: latency.measure(stack, name) for name in ("ours", "rival_orm")}
    holds = {
        "events_per_second": ours >= RATE_BAR, "ratio_to_reference": ours / reference >= RATIO_BAR,
        "times_the_usual_way": ours / usual >= RIVAL_BAR, "relay": relay["ours"] >= backlog.RATE_BAR,
        "light_ms": light["ours"]["p50"] <= latency.P50_BAR_MS and light["ours"]["p99"] <= latency.P99_BAR_MS,
    }  # fmt: skip
    if as_json:
        figures = {"calibration_per_second": machine, "ours": ours, "reference": reference, "rival_orm": usual, "relay": relay, "light_ms": light, "holds": holds}  # fmt: skip
        print(json.dumps(figures, indent=2))
        return all(holds.values())
    for name, value in machine.items():
        print(f"{name:<24}{value:12,.0f} /s")
    print(f"{'pipeline':<24}{ours:12,.0f} events/s   bar {RATE_BAR:,.0f}   {_word(holds['events_per_second'])}")
    print(f"{'  a straight line':<24}{reference:12,.0f}            ratio {ours / reference:.2f}, bar {RATIO_BAR}   {_word(holds['ratio_to_reference'])}")  # fmt: skip
    print(f"{'  the usual way (ORM)':<24}{usual:12,.0f}            times {ours / usual:.1f}, bar {RIVAL_BAR:.0f}   {_word(holds['times_the_usual_way'])}")  # fmt: skip
    print(
        f"{'relay, a backlog':<24}{relay['ours']:12,.0f} events/s   bar {backlog.RATE_BAR:,.0f}   {_word(holds['relay'])}"
    )
    print(
        f"{'  a straight line':<24}{relay['reference']:12,.0f}            ratio {relay['ours'] / relay['reference']:.2f}"
    )
    for name, found in light.items():
        print(f"{'light load, ' + name:<24}{found['p50']:9.2f} ms p50{found['p99']:9.2f} ms p99")
    print(
        f"{'  bars':<24}{latency.P50_BAR_MS:9.2f} ms p50{latency.P99_BAR_MS:9.2f} ms p99   {_word(holds['light_ms'])}"
    )
    return all(holds.values())


def _word(holds: bool) -> str:
    return "holds" if holds else "does not hold"
