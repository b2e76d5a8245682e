"""Events per second from the input topic to the output topic, compared with a minimal baseline and with rivals.

One consumer process and one relay process each, on the same events and tables, checked by the same count at the end.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import work
from benchmarks.figures import Figure
from chassis.messaging import kafka
from cli.stack import Stack

EVENTS, EVENTS_FULL = 60_000, 200_000
# What a rival is given, as a share of the events: enough for half a minute of the fast ones, a minute of the slow ones.
RIVALS = {"rival_orm": 0.05, "rival_faststream": 0.05, "rival_batches": 0.4, "rival_faust": 0.05}
TIMES = {"rival_orm": 15.0, "rival_faststream": 15.0, "rival_batches": 3.0, "rival_faust": 15.0}
STEADY_SHARE, STEADY_SECONDS, STEADY_SECONDS_FULL = 0.8, 10.0, 60.0


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Find the rate, alone, by two, beside rivals; how memory grows, and whether lag stays flat at 80 %."""
    events = EVENTS_FULL if full else EVENTS
    reference, _ = rate(stack, "reference", events=events)
    ours, growth = rate(stack, "ours", events=events)
    two, _ = rate(stack, "ours", events=events, consumers=2)
    rivals = {name: rate(stack, name, events=max(int(events * share), 3_000))[0] for name, share in RIVALS.items()}
    yield Figure(
        "pipeline.rate",
        ours,
        "events/s",
        at_least=18_000,
        beside={"reference": reference, **rivals},
        ceiling="rows_by_500",
    )
    yield Figure("pipeline.to_straight_line", ours / reference, "×", at_least=0.6)
    for name, least in TIMES.items():
        yield Figure(f"pipeline.to_{name}", ours / rivals[name], "×", at_least=least)
    yield Figure("pipeline.two_consumers", two / ours, "×", at_least=1.2)
    yield Figure("pipeline.memory_growth", growth * 100, "%", at_most=5)
    yield Figure(
        "pipeline.lag_growth_at_80_percent",
        steady(stack, ours * STEADY_SHARE, STEADY_SECONDS_FULL if full else STEADY_SECONDS),
        "s",
        at_most=0.1,
    )


def rate(
    stack: Stack, module: str, *, events: int, consumers: int = 1, partitions: int = work.PARTITIONS
) -> tuple[float, float]:
    """Return events per second of one run and the consumer's memory growth; AssertionError if the outcome is wrong."""
    keyed, name = module.startswith("rival"), module.replace("_", "-")
    if partitions != work.PARTITIONS:
        name = f"{name}-{partitions}"  # a group of its own: one that remembers a smaller topic pauses to rejoin
    with work.place(stack, name, keyed=keyed, partitions=partitions) as where:
        work.fill(where, events)
        programs = [[f"benchmarks.{module}", "consumer"]] * consumers + [[f"benchmarks.{module}", "relay"]]
        with work.running(where, programs) as processes:
            work.wait_for(where, events // 3, processes)
            before = resident_kb(processes[0].pid)
            found = work.rate(where, events, processes)
            growth = resident_kb(processes[0].pid) / before - 1
        work.check(where, events)
    return found, growth


def steady(stack: Stack, per_second: float, seconds: float) -> float:
    """Feed at a constant pace; returns the lag of the last quarter minus that of the second quarter, in seconds."""
    events = int(per_second * seconds)
    lags: list[float] = []
    with work.place(stack, "steady") as where:
        records = list(work.records(events))
        with work.running(where, [["benchmarks.ours", "consumer"], ["benchmarks.ours", "relay"]]) as processes:
            send = work.sender(where)
            send(records[:1000])
            work.wait_for(where, 1000, processes)
            admin, begun = kafka.admin(where.bootstrap), time.monotonic()
            sent = 1000
            while sent < events:
                due = min(events, 1000 + int((time.monotonic() - begun) * per_second))
                if due < events and due - sent < 200:
                    time.sleep(0.01)
                    continue
                send(records[sent:due])
                sent = due
                lags.append((sent - work.come_out(admin, where)) / per_second)
            work.rate(where, events, processes)
        work.check(where, events)
    quarter = len(lags) // 4
    return statistics.mean(lags[-quarter:]) - statistics.mean(lags[quarter : 2 * quarter])


def resident_kb(pid: int) -> int:
    """Return the memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"process {pid} shows no VmRSS")
