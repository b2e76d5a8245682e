"""Light load: one event each 10 ms, from its production on the input topic to its consumption on the output topic."""

from __future__ import annotations

import json
import statistics
import threading
import time

from benchmarks import work
from chassis import kafka
from cli.stack import Stack

EVENTS, WARM_UP, EACH_SECONDS = 600, 100, 0.01
P50_BAR_MS, P99_BAR_MS = 5.0, 15.0


def measure(stack: Stack, module: str) -> dict[str, float]:
    """Return p50 and p99 in milliseconds."""
    with (
        work.place(stack, f"light-{module.replace('_', '-')}") as where,
        work.running(where, [[f"benchmarks.{module}", "consumer"], [f"benchmarks.{module}", "relay"]]) as processes,
    ):
        work.fill(where, 1)
        work.reached(where, 1, processes)
        taken = _course(where)[WARM_UP:]
    points = statistics.quantiles(taken, n=100, method="inclusive")
    return {"p50": points[49], "p99": points[98]}


def _course(where: work.Place) -> list[float]:
    """Produce one event at a time from one thread, consume in another; each stock is one event."""
    sent: dict[str, float] = {}
    taken: list[float] = []
    consumer = kafka.lone_consumer(where.bootstrap, "bench.light")
    consumer.assign([kafka.TopicPartition(where.output, p, kafka.OFFSET_END) for p in range(work.PARTITIONS)])
    consumer.poll(1.0)

    def produce() -> None:
        producer = kafka.producer(where.bootstrap, "bench.light")
        begun = time.perf_counter()
        for number in range(EVENTS):
            fact = work.event(work.STOCKS + number, 0)
            left = begun + number * EACH_SECONDS - time.perf_counter()
            time.sleep(max(0.0, left))  # house: allow wait — the pace is part of what is measured
            sent[fact.subject] = time.perf_counter()
            producer.produce(where.input, value=work.encoded(fact), key=fact.subject.encode(), headers={kafka.TYPE_HEADER: fact.event_name})  # fmt: skip
            producer.poll(0)
        producer.flush()

    thread = threading.Thread(target=produce)
    thread.start()
    deadline = time.monotonic() + work.PATIENCE_SECONDS
    while len(taken) < EVENTS and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            subject = json.loads(message.value() or b"")["subject"]
            taken.append((time.perf_counter() - sent[subject]) * 1000)
    thread.join()
    consumer.close()
    if len(taken) < EVENTS:
        raise RuntimeError(f"{len(taken)} of {EVENTS} events came out; see {where.folder}")
    return taken
