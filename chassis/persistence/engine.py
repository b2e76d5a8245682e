"""DatabaseEngine: the connection pool of one service's database, its tables and its world's clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection, Engine, create_engine

from chassis.persistence.driver import driver_of
from chassis.persistence.partitions import Days
from chassis.persistence.tables import ChassisTables
from chassis.runtime.clock import WorldClock

CONNECTION_SECONDS_MAX, LOCK_SECONDS_MAX = 5, 8  # how long work waits for a connection of the pool, for a row


class DatabaseEngine:
    """One service's database without its transactions: engine, chassis tables, partitions and the world's clock."""

    def __init__(
        self, url: str, *, service: str, world: str, tables: ChassisTables, clock: WorldClock, currency: str = "EUR",
        connections_max: int = 12,
    ) -> None:  # fmt: skip
        self.service, self.world, self.tables, self.clock = service, world, tables, clock
        self.currency = currency  # the world's reporting currency
        self.source = f"/crossdock/{world}/{service}"
        self.timers_changed: Callable[[], None] = lambda: (
            None
        )  # called after a commit that armed a timer due within a second
        self.url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.driver_url = url.replace("postgresql+psycopg://", "postgresql://", 1)
        self.days = Days(self.driver_url)
        self.engine: Engine = create_engine(
            self.url, pool_size=connections_max, max_overflow=0, pool_timeout=CONNECTION_SECONDS_MAX, pool_pre_ping=False,
            pool_use_lifo=True,  # the connection used last knows the statements; the others rest
            connect_args={"options": f"-c timezone=UTC -c lock_timeout={LOCK_SECONDS_MAX}s", "application_name": f"{world}.{service}"},
        )  # fmt: skip
        # A question is one snapshot per statement either way; without BEGIN and ROLLBACK it is half the round trips.
        self.autocommit_engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def world_now(self, connection: Connection) -> datetime:
        """Return the world's time; in a driven world it is a row of this database (FLOW 6.2)."""
        if self.clock.kind != "driven":
            return self.clock.now(None)
        driver = driver_of(connection)
        with driver.pipeline():
            asked = driver.execute("SELECT now FROM world_clock")
        row = asked.fetchone()
        return self.clock.now(row[0] if row else None)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
