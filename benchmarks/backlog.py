"""The relay alone: a backlog of committed rows goes out, in order, each acknowledged by all and marked."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg

from benchmarks import work
from chassis.ids import derived_id, time_ordered_id
from cli.stack import Stack

ROWS, RATE_BAR = 200_000, 30_000.0


def measure(stack: Stack, module: str, *, rows: int = ROWS) -> float:
    """Return events per second; raises AssertionError where a row is left or came out of order."""
    with work.place(stack, f"backlog-{module}") as where:
        with psycopg.connect(where.database_url) as connection:
            _fill(connection, rows, topic=work.OUTPUT if module == "ours" else where.output)
        with work.running(where, [[f"benchmarks.{module}", "relay"]]) as processes:
            found = work.rate(where, rows, processes)
        with psycopg.connect(where.database_url) as connection:
            left = connection.execute("SELECT count(*) FROM outbox WHERE published_at IS NULL").fetchone()
        assert left == (0,), f"{left} rows are left unmarked after the relay's drain"
        work.judge_output(where, rows)
    return found


def _fill(connection: psycopg.Connection[tuple[object, ...]], rows: int, *, topic: str) -> None:
    stocks = [derived_id("stock", n) for n in range(work.STOCKS)]
    now = datetime.now(UTC)
    with connection.cursor().copy("COPY outbox (event_id, topic, key, type, payload, stored_at) FROM STDIN") as copy:
        for number in range(rows):
            stock, heard = stocks[number % work.STOCKS], number // work.STOCKS
            _, said = work.counted(work.Tally(stock, heard), work.event(number % work.STOCKS, heard))
            copy.write_row((time_ordered_id(), topic, said.subject, said.event_name, work.encoded(said).decode(), now))  # fmt: skip
