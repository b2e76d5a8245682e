"""Growth of memory, latency and connections during hours at half load: `python -m benchmarks.soak --minutes 120`.

One consumer process and its relay, as in the pipeline. This process feeds them at a constant pace, follows and checks
the output, and samples both processes every few seconds. An event takes 1.3 kB on the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks import pipeline, work
from benchmarks.figures import Figure, line
from chassis.messaging import kafka
from cli.stack import Home, Stack, spawn

MINUTES, LOOK_SECONDS = 120.0, 10.0
FIND_EVENTS, SHARE = 60_000, 0.5
SAMPLED = 50  # one event of so many is timed
TICK_SECONDS, PATIENCE_SECONDS = 0.02, 60.0
LOG_BYTES_MAX = 256 * 1024 * 1024  # a line per fact fills a disk in hours: the log begins anew, as where it is rotated
GROWTH_MAX, SLOWER_MAX = 5.0, 15.0  # per cent, of the last quarter over the second
BARS = "▁▂▃▄▅▆▇█"


@dataclass
class Received:
    """What the follower knows of the output: each stock's last number, and the times of the sampled events."""

    last: dict[str, int] = field(default_factory=dict)
    sent_at: dict[tuple[str, int], float] = field(default_factory=dict)
    taken_ms: list[float] = field(default_factory=list)
    events: int = 0
    failed: BaseException | None = None

    def hear(self, message: kafka.Message) -> None:
        """Checker one record and time it; raises AssertionError where a stock's numbers are not 1, 2, 3 …"""
        said = json.loads(message.value() or b"")["data"]
        stock, number = said["item_id"], int(said["description"].split()[1])
        before = self.last.get(stock, 0)
        assert number == before + 1, f"{stock}: {number} after {before}"
        self.last[stock] = number
        self.events += 1
        if (sent := self.sent_at.pop((stock, number), None)) is not None:
            self.taken_ms.append((time.perf_counter() - sent) * 1000)


@dataclass(frozen=True)
class Sample:
    """One look at everything."""

    second: float
    events: int
    p50_ms: float
    p99_ms: float
    consumer_kb: int
    relay_kb: int
    open_files: int
    connections: int


class Soak:
    """A place under a constant pace."""

    def __init__(self, where: work.Place, processes: Sequence[spawn.Popen], per_second: float) -> None:
        self._where, self._processes, self._per_second = where, processes, per_second
        self._stopped, self.received = threading.Event(), Received()
        self.sent = 0

    def run(self, minutes: float) -> Iterator[Sample]:
        """Feed and look, for so many minutes; at the end everything is received and counted."""
        with work.following(self._where, "bench.soak") as consumer:
            follower = threading.Thread(target=self._follow, args=(consumer,))
            follower.start()
            try:
                yield from self._feed(minutes * 60)
                until = time.monotonic() + PATIENCE_SECONDS
                while self.received.events < self.sent and self.received.failed is None and time.monotonic() < until:
                    time.sleep(TICK_SECONDS)
            finally:
                self._stopped.set()
                follower.join()
        if self.received.failed is not None:
            raise self.received.failed
        with psycopg.connect(self._where.database_url) as connection:
            row = connection.execute("SELECT sum(received) FROM tallies").fetchone()
        assert (self.received.events, row and row[0]) == (self.sent, self.sent), (
            f"{self.received.events} of {self.sent} received"
        )

    def _feed(self, seconds: float) -> Iterator[Sample]:
        records = work.records(int(self._per_second * seconds))
        send, begun, looked_at = work.sender(self._where), time.monotonic(), time.monotonic()
        while (passed := time.monotonic() - begun) < seconds and self.received.failed is None:
            due = min(int(passed * self._per_second), int(self._per_second * seconds)) - self.sent
            batch = [record for _, record in zip(range(due), records, strict=False)]
            self._note(batch)
            send(batch)
            self.sent += len(batch)
            if time.monotonic() - looked_at >= LOOK_SECONDS:
                looked_at = time.monotonic()
                yield self._sample(passed)
            time.sleep(TICK_SECONDS)  # the pace

    def _note(self, batch: Sequence[work.Record]) -> None:
        for value, _, _ in batch[::SAMPLED]:
            said = json.loads(value)["data"]  # a stock's n-th fact brings it to n on hand
            self.received.sent_at[said["stock_id"], int(said["on_hand"])] = time.perf_counter()

    def _follow(self, consumer: kafka.Consumer) -> None:
        try:
            while not self._stopped.is_set():
                for message in consumer.consume(500, timeout=0.05):
                    if message.error() is None:
                        self.received.hear(message)
        except BaseException as why:  # noqa: BLE001  raised by `run`
            self.received.failed = why

    def _sample(self, second: float) -> Sample:
        taken, self.received.taken_ms = self.received.taken_ms, []
        if len(taken) < 2 or any(process.poll() is not None for process in self._processes):
            raise RuntimeError(f"nothing comes out any more; see {self._where.folder}")
        with psycopg.connect(self._where.database_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
        for log in self._where.folder.glob("*.log"):
            if log.stat().st_size > LOG_BYTES_MAX:
                os.truncate(log, 0)
        consumer, relay = (process.pid for process in self._processes)
        files = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in (consumer, relay))
        return Sample(
            second,
            self.received.events,
            work.percentile(taken, 0.5),
            work.percentile(taken, 0.99),
            pipeline.resident_kb(consumer),
            pipeline.resident_kb(relay),
            files,
            row[0] if row else 0,
        )


def figures(looks: Sequence[Sample]) -> Iterator[Figure]:
    """Compare the last quarter with the second: what is warm by then must not grow."""
    quarter = len(looks) // 4

    def grown(name: str) -> float:
        then, now = (
            statistics.median(getattr(look, name) for look in part)
            for part in (looks[quarter : 2 * quarter], looks[-quarter:])
        )
        return float(now / then - 1) * 100

    for name, bar in (
        ("consumer_kb", GROWTH_MAX),
        ("relay_kb", GROWTH_MAX),
        ("p50_ms", SLOWER_MAX),
        ("p99_ms", SLOWER_MAX),
        ("connections", 0.0),
        ("open_files", 0.0),
    ):
        yield Figure(f"soak.{name}_growth", grown(name), "%", at_most=bar)


def plot(looks: Sequence[Sample], name: str, columns: int = 72) -> str:
    """Return one row of bars, from zero to the highest, over the whole time."""
    values = [float(getattr(look, name)) for look in looks]
    step = max(1, len(values) // columns)
    means = [statistics.mean(values[at : at + step]) for at in range(0, len(values), step)]
    highest = max(means) or 1.0
    bars = "".join(BARS[min(7, int(mean / highest * 7.999))] for mean in means)
    return f"{name:<12} {bars} {values[0]:,.1f} → {values[-1]:,.1f}, highest {max(values):,.1f}"


def main() -> int:
    """Soak, write what was seen into the checkout's data folder, draw it; exit code 1 when something grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=float, help="events per second; else half of what this machine does now")
    parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    given = parser.parse_args()
    folder = Home.find().root / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"soak-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}.jsonl"
    looks: list[Sample] = []
    with tempfile.TemporaryDirectory(prefix="xd-bench-") as place, Stack.start(Path(place)) as stack:
        rate = given.rate or pipeline.rate(stack, "ours", events=FIND_EVENTS)[0] * SHARE
        print(
            f"== soak: {rate:,.0f} events/s for {given.minutes:g} minutes; looks go to {file}",
            file=sys.stderr,
            flush=True,
        )
        programs = [["benchmarks.ours", "consumer"], ["benchmarks.ours", "relay"]]
        with (
            work.place(stack, "soak", retention_bytes=work.TOPIC_BYTES) as where,
            work.running(where, programs) as processes,
        ):
            for look in Soak(where, processes, rate).run(given.minutes):
                looks.append(look)
                with file.open("a", encoding="utf-8") as kept:
                    kept.write(json.dumps(look.__dict__) + "\n")
                print(
                    f"   {look.second / 60:5.1f} min, {look.events:,} events, {look.p50_ms:.1f} / {look.p99_ms:.1f} ms",
                    file=sys.stderr,
                    flush=True,
                )
    found = list(figures(looks))
    if given.json:
        print(
            json.dumps(
                {
                    "rate": rate,
                    "minutes": given.minutes,
                    "looks": [x.__dict__ for x in looks],
                    "figures": {f.name: f.value for f in found},
                },
                indent=2,
            )
        )
    else:
        for name in ("p50_ms", "p99_ms", "consumer_kb", "relay_kb", "open_files", "connections"):
            print(plot(looks, name))
        for figure in found:
            print(line(figure, {}))
    return 0 if all(figure.holds is not False for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
