"""Database: opens transactions; the only commit in the system."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime
from typing import TypeVar

import psycopg

from chassis.persistence.context import Context as Context
from chassis.persistence.engine import DatabaseEngine
from chassis.persistence.failures import (
    ConcurrentChange as ConcurrentChange,
    FlushedItem as FlushedItem,
    is_transient as is_transient,
    must_run_again as must_run_again,
)
from chassis.persistence.read_tx import ReadTx as ReadTx
from chassis.persistence.unit_of_work import Tx as Tx, Unlocked as Unlocked
from chassis.runtime import crash_points, log, metrics

T = TypeVar("T")
RERUNS_MAX = 3


class Database(DatabaseEngine):
    """One service's database."""

    def open_reading(self) -> ReadTx:
        """Open a transaction that only asks; whoever opens it closes it."""
        return ReadTx(self.autocommit_engine.connect(), self)

    def reading(self) -> AbstractContextManager[ReadTx]:
        """Open a transaction that only asks, for as long as the block lasts."""
        return closing(self.open_reading())

    @contextmanager
    def begin(self, context: Callable[[datetime], Context]) -> Iterator[Tx]:
        """Open a unit of work and commit it at the end; roll back when anything raises.

        `context` is given the world's time. Raises ConcurrentChange when it must be run again.
        """
        with self.engine.connect() as connection:
            connection.begin()  # work at driver level begins no transaction by itself
            try:
                tx = Tx(connection, self, context(self.world_now(connection)))
                yield tx
                has_events = tx.has_events
                tx.flush()
                if has_events:
                    crash_points.hit(crash_points.AFTER_FLUSH)
                    crash_points.commits(tx.cursor)
                connection.commit()
            except BaseException as error:
                if not connection.invalidated and not connection.closed:
                    connection.rollback()
                if isinstance(error, psycopg.errors.CheckViolation):
                    self.days.forget()  # perhaps a row's day was dropped meanwhile: made again at the next try
                raise
        tx.committed()

    def run(self, work: Callable[[Tx], T], context: Callable[[datetime], Context]) -> T:
        """Do the work in a transaction of its own; run it again, at most three times, when somebody else was first."""
        for left in range(RERUNS_MAX, -1, -1):
            try:
                with self.begin(context) as tx:
                    result = work(tx)
                return result  # noqa: RET504  after the commit
            except Exception as error:
                if not (left and must_run_again(error)):
                    raise
                metrics.transactions_rerun_total.labels(self.service).inc()
                log.get().info("transaction.rerun", because=type(error).__name__)
        raise AssertionError("unreachable: the last run returns or raises")
