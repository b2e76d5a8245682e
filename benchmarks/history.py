"""The same with much that is past: rates and waits beside millions of old rows, and a day of them dropped under load."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import psycopg

from benchmarks import backlog, latency, work
from benchmarks.figures import Figure
from chassis import housekeeping
from cli.stack import Stack

ROWS_FEW, CASES_FEW = 10_000, 1_000
ROWS, CASES = 500_000, 50_000
ROWS_FULL, CASES_FULL = 10_000_000, 1_000_000
DAYS = 6  # younger than what is kept, so that nothing is dropped before it is told to
EVENTS, EVENTS_FULL, BACKLOG, BACKLOG_FULL, COURSE, COURSE_FULL = 40_000, 200_000, 100_000, 400_000, 600, 3_000
PRESSED_EACH_SECONDS, FLAT = 0.004, 1.15
LIGHT_FIRST, CALM_FIRST, DROPPED_FIRST, BACKLOG_FIRST = (work.STOCKS * n for n in (2, 3, 4, 5))


class Found(NamedTuple):
    """What was found beside so many old rows."""

    rate: float
    relay: float
    light_p50: float
    light_p99: float
    moved_p99: float
    dropped: float


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Measure beside ten thousand old rows, beside many, and beside ten thousand again: what comes later is slower by itself."""
    first = beside(stack, ROWS_FEW, CASES_FEW, full)
    many = beside(stack, ROWS_FULL if full else ROWS, CASES_FULL if full else CASES, full)
    few = Found(*map(statistics.mean, zip(first, beside(stack, ROWS_FEW, CASES_FEW, full), strict=True)))
    yield Figure("history.pipeline_slower", few.rate / many.rate, "×", at_most=FLAT)
    yield Figure("history.relay_slower", few.relay / many.relay, "×", at_most=FLAT)
    yield Figure("history.light_p50_longer", many.light_p50 / few.light_p50, "×", at_most=FLAT)
    yield Figure("history.light_p99_longer", many.light_p99 / few.light_p99, "×", at_most=FLAT)
    yield Figure("history.drop_a_day_moves_p99", many.moved_p99, "ms", at_most=20)
    yield Figure("history.dropped_days", many.dropped, "days")


def beside(stack: Stack, rows: int, cases: int, full: bool) -> Found:
    """Measure pipeline, light load and relay beside old rows, then drop their oldest day under load; judged at the end."""
    events, course, pending = (EVENTS_FULL, COURSE_FULL, BACKLOG_FULL) if full else (EVENTS, COURSE, BACKLOG)
    programs = [["benchmarks.ours", "consumer"], ["benchmarks.ours", "relay"]]
    with work.place(stack, "past") as where:
        fill(where, rows, cases)
        settle(stack, where)
        work.fill(where, events)
        with work.running(where, programs) as processes:
            rate = work.rate(where, events, processes)
            settle(stack, where)
            light = latency.course(where, course, first=LIGHT_FIRST)
            calm = latency.course(where, course, each_seconds=PRESSED_EACH_SECONDS, first=CALM_FIRST)
            moved, dropped = _drop_a_day(where, course)
        pipeline_events = events + 3 * (latency.WARM_UP + course)
        work.judge(where, pipeline_events)
        settle(stack, where)
        relay = backlog.drain(where, "ours", pending, before=pipeline_events, first=BACKLOG_FIRST)
        work.judge_output(where, pipeline_events + pending)
    p50, p99 = work.percentile(light, 0.5), work.percentile(light, 0.99)
    return Found(rate, relay, p50, p99, work.percentile(moved, 0.99) - work.percentile(calm, 0.99), dropped)


def fill(where: work.Place, rows: int, cases: int) -> None:
    """Store what would be there after days of work: claims, published facts, and things that nothing happens to."""
    work.with_days(where.database_url, past=DAYS)
    shift = f"make_interval(secs => (n - {rows}) * {DAYS * 86_400 / rows})"
    with psycopg.connect(where.database_url) as connection:
        connection.execute("SET timezone = 'UTC'")
        connection.execute(
            "INSERT INTO inbox (event_id, reaction, made_on) SELECT id, 'count', uuid_extract_timestamp(id)::date"
            f" FROM (SELECT uuidv7({shift}) AS id FROM generate_series(1, {rows}) n) AS past".encode()
        )
        connection.execute(
            "INSERT INTO outbox (event_id, topic, key, type, payload, stored_at, published_at)"
            f" SELECT uuidv7({shift}), 't', n::text, 't', repeat('x', 450), now() + {shift}, now() + {shift}"
            f" FROM generate_series(1, {rows}) n".encode()
        )
        connection.execute(
            "INSERT INTO tallies (stock_id, heard, on_hand, version)"
            f" SELECT gen_random_uuid(), 0, 0, 1 FROM generate_series(1, {cases}) n".encode()
        )


def settle(stack: Stack, where: work.Place) -> None:
    """Tidy up after what was written at full speed, and let it reach the disk: what follows is measured without that."""
    with psycopg.connect(where.database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) inbox, outbox, tallies")
    with psycopg.connect(stack.infrastructure.postgres_admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _drop_a_day(where: work.Place, course: int) -> tuple[list[float], int]:
    """Tidy as if it were the day on which the oldest published facts are past their time; return the waits meanwhile."""
    then = datetime.now(UTC) + housekeeping.FACTS_KEPT - timedelta(days=DAYS - 1)
    gone: dict[str, int] = {}

    def tidy() -> None:
        with psycopg.connect(where.database_url, autocommit=True) as connection:
            gone.update(housekeeping.tidy(connection, then))

    thread = threading.Thread(target=tidy)
    taken = latency.course(where, course, each_seconds=PRESSED_EACH_SECONDS, first=DROPPED_FIRST, begun=thread.start)
    thread.join()
    if not gone:
        raise RuntimeError("housekeeping dropped nothing: there was no day past its time")
    return taken, sum(gone.values())
