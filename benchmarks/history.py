"""Rates and latencies beside millions of old rows, and while a partition of them is dropped under load."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg

from benchmarks import backlog, latency, work
from benchmarks.figures import Figure
from chassis.runtime import housekeeping
from cli.stack import Stack

ROWS_FEW, CASES_FEW = 10_000, 1_000
ROWS, CASES = 500_000, 50_000
ROWS_FULL, CASES_FULL = 10_000_000, 1_000_000
DAYS = 6  # younger than what is kept, so that nothing is dropped before it is told to
# Of each turn: either database has two.
EVENTS, EVENTS_FULL, BACKLOG, BACKLOG_FULL, COURSE, COURSE_FULL = 20_000, 100_000, 50_000, 200_000, 300, 1_500
PRESSED_EACH_SECONDS, FLAT = 0.004, 1.15
PROGRAMS = [["benchmarks.ours", "consumer"], ["benchmarks.ours", "relay"]]


class Past:
    """A database beside old rows: what went through it since, and what was found."""

    def __init__(self, stack: Stack, where: work.Place) -> None:
        self.stack, self.where = stack, where
        self.counted = self.published = 0  # events: by the consumer, on the output topic
        self.rates, self.waits, self.drains = list[float](), list[float](), list[float]()
        self._stocks = work.STOCKS  # those beyond are new

    def _new_stocks(self) -> int:
        self._stocks += work.STOCKS
        return self._stocks

    def _went_through(self, events: int) -> None:
        self.counted, self.published = self.counted + events, self.published + events

    @contextmanager
    def rush(self, events: int) -> Iterator[float]:
        """Let consumer and relay process a full input topic, then leave them idle; yields events per second."""
        settle(self.stack, self.where)
        work.fill(self.where, events)
        with work.running(self.where, PROGRAMS) as processes:
            found = work.rate(self.where, events, processes, before=self.published)
            self._went_through(events)
            settle(self.stack, self.where)
            yield found

    def course(
        self, events: int, *, each_seconds: float = latency.EACH_SECONDS, on_start: Callable[[], None] = lambda: None
    ) -> list[float]:
        """Return how long each of some events waited, in milliseconds."""
        waited = latency.course(
            self.where, events, each_seconds=each_seconds, first=self._new_stocks(), on_start=on_start
        )
        self._went_through(latency.WARM_UP + events)
        return waited

    def drain(self, rows: int) -> float:
        """Return at how many events per second a backlog leaves."""
        settle(self.stack, self.where)
        found = backlog.drain(self.where, "ours", rows, before=self.published, first=self._new_stocks())
        self.published += rows
        return found


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Measure beside ten thousand old rows and beside many, in turns: few, many, many, few.

    A machine that gets slower meanwhile is then no difference between the two.
    """
    events, course, pending = (EVENTS_FULL, COURSE_FULL, BACKLOG_FULL) if full else (EVENTS, COURSE, BACKLOG)
    with work.place(stack, "past-few") as place_few, work.place(stack, "past-many") as place_many:
        few, many = Past(stack, place_few), Past(stack, place_many)
        fill(place_few, ROWS_FEW, CASES_FEW)
        fill(place_many, ROWS_FULL if full else ROWS, CASES_FULL if full else CASES)
        turns = (few, many, many, few)
        for past in turns:
            with past.rush(events) as rate:
                past.rates.append(rate)
                past.waits += past.course(course)
        with many.rush(EVENTS):
            moved, dropped = _drop_a_day(many, 2 * course)
        for past in turns:
            past.drains.append(past.drain(pending))
        for past in (few, many):
            work.check(past.where, past.counted, published=past.published)
    yield Figure("history.pipeline_slower", sum(few.rates) / sum(many.rates), "×", at_most=FLAT)
    yield Figure("history.relay_slower", sum(few.drains) / sum(many.drains), "×", at_most=FLAT)
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        longer = work.percentile(many.waits, share) / work.percentile(few.waits, share)
        yield Figure(f"history.light_{name}_longer", longer, "×", at_most=FLAT)
    yield Figure("history.drop_a_day_moves_p99", moved, "ms", at_most=20)
    yield Figure("history.dropped_days", dropped, "days")


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
            "INSERT INTO tallies (stock_id, received, on_hand, version)"
            f" SELECT gen_random_uuid(), 0, 0, 1 FROM generate_series(1, {cases}) n".encode()
        )


def settle(stack: Stack, where: work.Place) -> None:
    """Vacuum, analyze and flush after the bulk load, so that it does not disturb the measurement."""
    with psycopg.connect(where.database_url, autocommit=True) as connection:
        connection.execute("VACUUM (ANALYZE) inbox, outbox, tallies")
    with psycopg.connect(stack.infrastructure.postgres_admin_url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _drop_a_day(past: Past, course: int) -> tuple[float, int]:
    """Tidy, under load, as if it were the day on which the oldest published facts are past their time.

    Returns by how many milliseconds p99 moved, and how many days went.
    """
    then = datetime.now(UTC) + housekeeping.Retention().facts - timedelta(days=DAYS - 1)
    gone: dict[str, int] = {}

    def tidy() -> None:
        with psycopg.connect(past.where.database_url, autocommit=True) as connection:
            gone.update(housekeeping.tidy(connection, then))

    thread = threading.Thread(target=tidy)
    calm = past.course(course, each_seconds=PRESSED_EACH_SECONDS)
    pressed = past.course(course, each_seconds=PRESSED_EACH_SECONDS, on_start=thread.start)
    thread.join()
    if not gone:
        raise RuntimeError("housekeeping dropped nothing: there was no day past its time")
    return work.percentile(pressed, 0.99) - work.percentile(calm, 0.99), sum(gone.values())
