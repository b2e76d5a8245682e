"""The relay alone: a backlog goes out, an idle relay is woken, and eight writers hold transactions open at random.

Everything is checked: each row acknowledged by all and marked, once, in the order of its subject.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg

from benchmarks import ours, work
from benchmarks.figures import Figure
from chassis.ids import derived_id, time_ordered_id
from chassis.messaging import kafka
from chassis.persistence.database import Database, Tx
from cli.stack import Stack

ROWS, ROWS_FULL = 200_000, 500_000
ACTS, ACTS_FULL, WARM_UP, ACT_EACH_SECONDS = 200, 1_000, 20, 0.02
WRITERS, HELD_SECONDS_MAX, WRITING_SECONDS, WRITING_SECONDS_FULL, SUBJECTS = 8, 0.5, 10.0, 60.0, 64
SETTLE_SECONDS = 15.0  # a row that did not leave by then was skipped


def measure(stack: Stack, full: bool) -> Iterator[Figure]:
    """Find the rate of a backlog, the time to acknowledgement when idle, and what eight slow writers lose."""
    rows = ROWS_FULL if full else ROWS
    reference = drained(stack, "reference", rows=rows)
    yield Figure(
        "relay.backlog",
        drained(stack, "ours", rows=rows),
        "events/s",
        at_least=30_000,
        beside={"reference": reference},
        ceiling="produce_acks_all",
    )
    waited = idle_ms(stack, ACTS_FULL if full else ACTS)
    yield Figure("relay.commit_to_acknowledgement_p50", work.percentile(waited, 0.5), "ms", at_most=4)
    yield Figure("relay.commit_to_acknowledgement_p99", work.percentile(waited, 0.99), "ms", at_most=15)
    written, skipped, out_of_order = held_open(stack, WRITING_SECONDS_FULL if full else WRITING_SECONDS)
    yield Figure("relay.rows_of_slow_writers", written, "rows")
    yield Figure("relay.rows_skipped", skipped, "rows", at_most=0)
    yield Figure("relay.rows_out_of_order", out_of_order, "rows", at_most=0)


def drained(stack: Stack, module: str, *, rows: int) -> float:
    """Return events per second; raises AssertionError where a row is left or came out of order."""
    with work.place(stack, f"backlog-{module}") as where:
        found = drain(where, module, rows)
        work.check_output(where, rows)
    return found


def drain(where: work.Place, module: str, rows: int, *, before: int = 0, first: int = 0) -> float:
    """Store a backlog about stocks from `first` on and let it go, beside what the output topic held before."""
    with psycopg.connect(where.database_url) as connection:
        _fill(connection, rows, topic=work.OUTPUT if module == "ours" else where.output, first=first)
    with work.running(where, [[f"benchmarks.{module}", "relay"]]) as processes:
        found = work.rate(where, rows, processes, before=before)
    with psycopg.connect(where.database_url) as connection:
        left = connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()
    assert left == (0,), f"{left} rows are left unmarked after the relay's drain"
    return found


def _fill(connection: psycopg.Connection[tuple[object, ...]], rows: int, *, topic: str, first: int) -> None:
    stocks = [derived_id("stock", first + n) for n in range(work.STOCKS)]
    now = datetime.now(UTC)
    with connection.cursor().copy("COPY outbox (event_id, topic, key, type, payload, stored_at) FROM STDIN") as copy:
        for number in range(rows):
            stock, received = stocks[number % work.STOCKS], number // work.STOCKS
            fact = work.event(first + number % work.STOCKS, received)
            _, said = work.counted(work.Tally(stock, received), fact)
            copy.write_row((time_ordered_id(), topic, said.subject, said.event_name, work.encoded(said).decode(), now))


def idle_ms(stack: Stack, acts: int) -> list[float]:
    """Return the time from the return of a commit to the acknowledgement of its fact, by the relay's mark."""
    committed: dict[str, datetime] = {}
    with work.place(stack, "idle") as where:
        with work.running(where, [["benchmarks.ours", "relay"]]) as processes, work.database(where) as database:
            for number in range(WARM_UP + acts):
                fact = work.event(number, 0)
                database.run(ours.counting(fact), work.act)
                committed[fact.subject] = datetime.now(UTC)
                if number < WARM_UP:
                    work.wait_for(where, number + 1, processes)  # the first one waits for the process to start
                time.sleep(ACT_EACH_SECONDS)  # layers: allow wait — the relay is to be idle before the next act
            work.wait_for(where, WARM_UP + acts, processes)
        work.check(where, WARM_UP + acts)
        with psycopg.connect(where.database_url) as connection:
            marks: dict[str, datetime] = dict(connection.execute("SELECT key, published_at FROM outbox").fetchall())
    waited = [(marks[key] - at).total_seconds() * 1000 for key, at in committed.items()]
    return waited[WARM_UP:]


def held_open(stack: Stack, seconds: float) -> tuple[int, int, int]:
    """Let eight writers store rows and hold their transactions open; return how many rows, skipped and out of order."""
    with work.place(stack, "held") as where:
        with (
            work.running(where, [["benchmarks.ours", "relay"]]),
            work.database(where, connections=WRITERS) as database,
        ):
            written = _write(database, seconds)
            admin, deadline = kafka.admin(where.bootstrap), time.monotonic() + SETTLE_SECONDS
            while work.come_out(admin, where) < written and time.monotonic() < deadline:
                time.sleep(0.05)
        seen, out_of_order = _published(where)
    return written, written - seen, out_of_order


def _write(database: Database, seconds: float) -> int:
    counts, deadline = [0] * WRITERS, time.monotonic() + seconds

    def write(writer: int) -> None:
        chance = random.Random(writer)

        def hold(tx: Tx) -> None:
            stock = work.STOCKS + chance.randrange(SUBJECTS)
            ours.when_stock_changed_count_it(tx, work.event(stock, 0))
            tx.flush()  # the row has its place in the outbox now, and its commit comes whenever
            time.sleep(chance.uniform(0, HELD_SECONDS_MAX))  # layers: allow wait — it is what is tried

        while time.monotonic() < deadline:
            database.run(hold, work.act)
            counts[writer] += 1

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _published(where: work.Place) -> tuple[int, int]:
    """Return how many different facts the output tells, and how many before one that should precede them."""
    last, seen, out_of_order = dict[str, int](), set[tuple[str, int]](), 0
    for said in work.output(where):
        number = int(said["description"].split()[1])
        out_of_order += number < last.get(said["item_id"], 0)
        last[said["item_id"]] = number
        seen.add((said["item_id"], number))
    return len(seen), out_of_order
