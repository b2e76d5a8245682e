"""What this machine can do at best: every other figure is read beside these."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks import work
from chassis.ids import time_ordered_id
from chassis.messaging import kafka
from cli.stack import Stack

RECORDS, ROWS, SYNCS = 200_000, 50_000, 200
BODY = b"x" * 450


def seconds(do: Callable[[], object]) -> float:
    """Return how long something takes."""
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def measure(stack: Stack) -> dict[str, float]:
    """Return rates per second of bare produce and consume, outbox rows by COPY and by 500 and 1 per commit, fsync."""
    with work.place(stack, "calibration") as where:
        found = {
            "produce_acks_all": RECORDS / seconds(lambda: _produce(where)),
            "consume": RECORDS / seconds(lambda: _consume(where)),
            "fsync": SYNCS / seconds(lambda: _sync(where.folder)),
        }
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            for name, size in (("rows_by_500", 500), ("rows_by_1", 1)):
                rows = ROWS if size > 1 else ROWS // 25
                found[name] = rows / seconds(functools.partial(_insert, connection, rows, size))
            found["rows_by_copy"] = ROWS / seconds(lambda: _copy(connection))
    return found


def _produce(where: work.Place) -> None:
    producer = kafka.producer(where.bootstrap, "bench.calibration")
    for number in range(RECORDS):
        while True:
            try:
                producer.produce(where.input, value=BODY, partition=number % work.PARTITIONS)
                break
            except BufferError:
                producer.poll(0.01)
    producer.flush()


def _consume(where: work.Place) -> None:
    consumer = kafka.lone_consumer(where.bootstrap, "bench.calibration")
    consumer.assign(work.places(where.input, where.partitions, kafka.OFFSET_BEGINNING))
    left = RECORDS
    while left > 0:
        left -= len(consumer.consume(5000, timeout=5.0))
    consumer.close()


def _sync(folder: Path) -> None:
    with (folder / "sync").open("wb") as file:
        for _ in range(SYNCS):
            file.write(BODY)
            file.flush()
            os.fsync(file.fileno())


def _insert(connection: psycopg.Connection[tuple[object, ...]], rows: int, size: int) -> None:
    now = datetime.now(UTC)
    for _ in range(rows // size):
        connection.execute(
            "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at, published_at)"
            " SELECT u, 't', 'k', 'y', %s, %s, %s FROM unnest(%b::uuid[]) AS u",
            [BODY.decode(), now, now, [time_ordered_id() for _ in range(size)]],
        )


def _copy(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    now = datetime.now(UTC)
    columns = "event_id, topic, key, type, payload, stored_at, published_at"
    with connection.cursor().copy(f"COPY outbox ({columns}) FROM STDIN".encode()) as copy:
        for _ in range(ROWS):
            copy.write_row((time_ordered_id(), "t", "k", "y", BODY.decode(), now, now))
