"""How the pipeline's rate moves with partitions and with processes; with what is past: `history`."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import pipeline, work
from benchmarks.figures import Figure
from cli.stack import Stack

EVENTS, EVENTS_FULL = 40_000, 200_000
PARTITIONS, PROCESSES = (16, 64), (2, 4)


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Measure one process with few partitions, then with more of them, then more processes; each beside the first."""
    events = EVENTS_FULL if full else EVENTS
    first, _ = pipeline.rate(stack, "ours", events=events)
    few = {f"one process, {work.PARTITIONS} partitions": first}
    for partitions in PARTITIONS:
        found, _ = pipeline.rate(stack, "ours", events=events, partitions=partitions)
        yield Figure(f"growth.{partitions}_partitions", found, "events/s", beside=few)
    for processes in PROCESSES:
        found, _ = pipeline.rate(stack, "ours", events=events, consumers=processes)
        yield Figure(f"growth.{processes}_processes", found, "events/s", beside=few)
