"""Latency of an event under light load, and of an act while the same service consumes at full rate."""

from __future__ import annotations

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from benchmarks import ours, work
from benchmarks.figures import Figure
from chassis.messaging import kafka
from chassis.persistence.database import Database
from cli.stack import Stack

EVENTS, EVENTS_FULL, WARM_UP, EACH_SECONDS = 600, 3_000, 250, 0.01
BESIDE = ("reference", "rival_orm")
FEED, FEED_FULL, ACT_EACH_SECONDS, ACTS_MIN = 120_000, 400_000, 0.02, 100
RAMP_SHARE = 0.1  # of the feed, at both ends: acts are timed between them only
TAKE_MAX = 500


def measure_light(stack: Stack, full: bool) -> Iterator[Figure]:
    """Produce one event each 10 ms on the input topic, consume it on the output topic."""
    events = EVENTS_FULL if full else EVENTS
    ms = light(stack, "ours", events=events)
    others = {name: light(stack, name, events=EVENTS) for name in BESIDE}
    for name, share, bar in (("p50", 0.5, 5), ("p99", 0.99, 15)):
        beside = {other: work.percentile(found, share) for other, found in others.items()}
        yield Figure(f"light.input_to_output_{name}", work.percentile(ms, share), "ms", at_most=bar, beside=beside)


def light(stack: Stack, module: str, *, events: int) -> list[float]:
    """Return how long each event took, in milliseconds."""
    with (
        work.place(stack, f"light-{module.replace('_', '-')}", keyed=module.startswith("rival")) as where,
        work.running(where, [[f"benchmarks.{module}", "consumer"], [f"benchmarks.{module}", "relay"]]) as processes,
    ):
        work.fill(where, 1)
        work.wait_for(where, 1, processes)
        return course(where, events)


def course(
    where: work.Place,
    events: int,
    *,
    each_seconds: float = EACH_SECONDS,
    first: int = work.STOCKS,
    on_start: Callable[[], None] = lambda: None,
) -> list[float]:
    """Produce one event at a time from one thread, consume in another; each is of a stock of its own, from `first` on.

    `WARM_UP` events precede them and are not measured: a new consumer receives nothing for half a second.
    `begun` is called when they are out.
    """
    together = WARM_UP + events
    sent: dict[str, float] = {}
    taken: list[float] = []

    def produce() -> None:
        producer = kafka.producer(where.bootstrap, "bench.light")
        started = time.perf_counter()
        for number in range(together):
            if number == WARM_UP:
                on_start()
            fact = work.event(first + number, 0)
            left = started + number * each_seconds - time.perf_counter()
            time.sleep(max(0.0, left))  # layers: allow wait — the pace is part of what is measured
            sent[fact.subject] = time.perf_counter()
            producer.produce(
                where.input,
                value=work.encoded(fact),
                key=fact.subject.encode(),
                headers={kafka.TYPE_HEADER: fact.event_name},
            )
            producer.poll(0)
        producer.flush()

    with work.following(where, "bench.light") as consumer:
        thread = threading.Thread(target=produce)
        thread.start()
        deadline = time.monotonic() + together * each_seconds + work.PATIENCE_SECONDS
        while len(taken) < together and time.monotonic() < deadline:
            message = consumer.poll(1.0)
            if message is not None and message.error() is None:
                began = sent.get(json.loads(message.value() or b"")["subject"])
                if began is not None:
                    taken.append((time.perf_counter() - began) * 1000)
        thread.join()
    if len(taken) < together:
        raise RuntimeError(f"{len(taken)} of {together} events came out; see {where.folder}")
    return taken[WARM_UP:]


def measure_busy(stack: Stack, full: bool) -> Iterator[Figure]:
    """Act each 20 ms on the database of a service that consumes at full rate; check everything at the end."""
    feed = FEED_FULL if full else FEED
    with work.place(stack, "busy") as where:
        work.fill(where, feed)
        with (
            work.database(where) as database,
            work.following(where, "bench.busy") as consumer,
            work.running(where, [["benchmarks.ours", "consumer"], ["benchmarks.ours", "relay"]]) as processes,
        ):
            acts = Acts()
            seen, per_second = _follow(consumer, feed, acts, database)
            work.wait_for(where, feed + len(acts.committed), processes)
            seen |= _rest(consumer, set(acts.committed) - set(seen))
        work.check(where, feed + len(acts.committed))
    took = [seconds * 1000 for seconds, _ in acts.committed.values()]
    waited = [(seen[key] - at) * 1000 for key, (_, at) in acts.committed.items()]
    if len(took) < ACTS_MIN:
        raise RuntimeError(f"{len(took)} acts are too few for a percentile: {feed} events were gone before")
    yield Figure("busy.consumed_meanwhile", per_second, "events/s", ceiling="rows_by_500")
    yield Figure("busy.transaction_p50", statistics.median(took), "ms")
    yield Figure("busy.transaction_p99", work.percentile(took, 0.99), "ms", at_most=40)
    yield Figure("busy.commit_to_output_p50", statistics.median(waited), "ms")
    yield Figure("busy.commit_to_output_p99", work.percentile(waited, 0.99), "ms", at_most=80)


@dataclass
class Acts:
    """Acts of a person, one after the other, each on a stock of its own, until they are told to stop."""

    stopped: threading.Event = field(default_factory=threading.Event)
    committed: dict[bytes, tuple[float, float]] = field(default_factory=dict)  # key → how long it took, and when it was

    def go_on(self, database: Database) -> None:
        """Act each 20 ms."""
        while not self.stopped.wait(ACT_EACH_SECONDS):
            fact = work.event(work.STOCKS + len(self.committed), 0)
            begun = time.perf_counter()
            database.run(ours.counting(fact), work.act)
            ended = time.perf_counter()
            self.committed[fact.subject.encode()] = (ended - begun, ended)


def _follow(consumer: kafka.Consumer, feed: int, acts: Acts, database: Database) -> tuple[dict[bytes, float], float]:
    """Act between the first and the last tenth of the feed; returns when each key was last seen, and the rate."""
    seen, count = dict[bytes, float](), 0
    ramp, begun, thread = int(feed * RAMP_SHARE), None, threading.Thread(target=acts.go_on, args=(database,))
    deadline = time.monotonic() + work.PATIENCE_SECONDS
    while count < feed - ramp:
        first = consumer.poll(1.0)
        messages = [] if first is None else [first, *consumer.consume(TAKE_MAX, timeout=0)]
        now = time.perf_counter()
        seen |= {message.key() or b"": now for message in messages}
        count += len(messages)
        if begun is None and count >= ramp:
            begun = (now, count)
            thread.start()
        if time.monotonic() > deadline:
            acts.stopped.set()
            raise RuntimeError(f"{count} of {feed} events came out in {work.PATIENCE_SECONDS:.0f} s")
    acts.stopped.set()
    thread.join()
    assert begun is not None
    return seen, (count - begun[1]) / (time.perf_counter() - begun[0])


def _rest(consumer: kafka.Consumer, missing: set[bytes]) -> dict[bytes, float]:
    """Follow until the last acts were seen too."""
    seen, deadline = dict[bytes, float](), time.monotonic() + work.PATIENCE_SECONDS
    while missing - set(seen) and time.monotonic() < deadline:
        message = consumer.poll(0.1)
        if message is not None and message.key() in missing:
            seen[message.key() or b""] = time.perf_counter()
    return seen
