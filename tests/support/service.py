"""One service on a real PostgreSQL, with its HTTP routes, reactions and timers, and without a broker.

Events enter through the chassis' own consumer and leave through its own outbox; none of our code is mocked.
"""

from __future__ import annotations

import atexit
import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from uuid import UUID

from fastapi.testclient import TestClient
from sqlalchemy import MetaData, create_engine

from chassis.ids import derived_id, time_ordered_id
from chassis.messaging.consumer import Consumer
from chassis.messaging.records import Record
from chassis.persistence import migrations
from chassis.persistence.database import Context, Database, Tx
from chassis.runtime import log, process
from chassis.runtime.process import Parts
from chassis.runtime.settings import ServiceSettings
from chassis.scheduling.scheduler import Scheduler
from cli.stack.issuer import ISSUER, Issuer
from schemas.base import Event
from schemas.envelope import Envelope, decode, encode, wrap
from tests.support.stack import Infrastructure

_TABLES = (  # a parent's partitions are emptied with it
    "SELECT relname AS tablename FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
)
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PATIENCE_SECONDS = 60.0  # limit of a wait on a busy machine


@cache
def issuer() -> Issuer:
    """Return the test session's issuer."""
    made = Issuer(Path(mkdtemp(prefix="xd-issuer-")))
    made.ensure()
    atexit.register(forget_issuer)
    return made


def forget_issuer() -> None:
    """Remove the session's issuer with its keys, where one was made; pytest's workers end without `atexit`."""
    if issuer.cache_info().currsize:
        shutil.rmtree(issuer().jwks_file.parent)
        issuer.cache_clear()


def token(role: str, **claims: Any) -> str:
    """Return a token of a role in the test world; a machine's role is `machine`."""
    return issuer().token(role, world="test", **claims)


@dataclass
class ServiceUnderTest:
    """A service under test, in a driven world whose clock the test moves."""

    parts: Parts
    database: Database
    settings: ServiceSettings
    client: TestClient
    consumer: Consumer
    scheduler: Scheduler
    _offset: int = field(default=0)
    _seen: int = field(default=0)

    @contextmanager
    def tx(self, *, cause: UUID | None = None) -> Iterator[Tx]:
        """Open a unit of work, caused by an act, and commit it at the end."""
        act_id = cause or time_ordered_id()
        with self.database.begin(lambda now: Context(act_id, act_id, "act", now)) as tx:
            yield tx

    def do(self, work: Callable[[Tx], Any]) -> Any:
        """Run one operation in a transaction of its own."""
        with self.tx() as tx:
            return work(tx)

    def now(self) -> datetime:
        """Return the world's time."""
        with self.database.engine.connect() as connection:
            return self.database.world_now(connection)

    def set_clock(self, now: datetime) -> None:
        """Move the world's clock without firing anything."""
        with self.tx() as tx:
            tx.cursor().execute(
                "INSERT INTO world_clock (one, now) VALUES (true, %s) ON CONFLICT (one) DO UPDATE SET now = EXCLUDED.now",
                [now],
            )

    def advance(self, to: datetime) -> int:
        """Move the world's clock and fire what is due; returns how many timers fired."""
        self.set_clock(to)
        fired = 0
        while step := self.scheduler.fire_due():
            fired += step
        return fired

    def consume(self, *events: Event | Envelope) -> list[Envelope]:
        """Pass facts to the consumer as one batch and return their envelopes; an Envelope passed again is a redelivery."""
        envelopes = [e if isinstance(e, Envelope) else self.envelope(e) for e in events]
        pairs = []
        for envelope in envelopes:
            self._offset += 1
            record = Record(
                envelope.data.event_topic.name,
                0,
                self._offset,
                envelope.subject,
                envelope.type,
                encode(envelope),
                envelope,
            )
            pairs += [(record, reaction) for reaction in self.parts.reactions.by_event.get(envelope.type, [])]
        self.consumer.answer(pairs)
        return envelopes

    def envelope(self, event: Event) -> Envelope:
        """Wrap a fact as another service would publish it at the world's present time."""
        cause = derived_id("test", event.event_name, event.subject)
        return wrap(
            event,
            id=time_ordered_id(),
            source="/crossdock/test/elsewhere",
            recorded_at=self.now(),
            correlation_id=cause,
            causation_id=cause,
            cause_kind="signal",
        )

    def emitted(self) -> list[Envelope]:
        """Return the facts that this service emitted since the last call, in order."""
        with self.database.reading() as read:
            rows = (
                read.cursor()
                .execute("SELECT position, payload FROM outbox WHERE position > %s ORDER BY position", [self._seen])
                .fetchall()
            )
        if rows:
            self._seen = rows[-1]["position"]
        return [decode(row["payload"].encode()) for row in rows]

    def names(self) -> list[str]:
        """Return the short names of the facts emitted since the last call: `case.opened`, …"""
        return [e.type.split(".", 1)[1].rsplit(".", 1)[0] for e in self.emitted()]

    def rows(self, sql: str, parameters: Any = None) -> list[dict[str, Any]]:
        """Return the rows of an SQL query on the service's database."""
        with self.database.reading() as read:
            return list(read.cursor().execute(sql, parameters).fetchall())

    def get(
        self, path: str, *, role: str = "planning-lead", claims: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        """Send a GET request as a role and return the response."""
        return self.client.get(path, headers=self._head(role, claims), **options)

    def post(
        self,
        path: str,
        body: Any = None,
        *,
        role: str = "planning-lead",
        claims: dict[str, Any] | None = None,
        key: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Send a POST request as a role and return the response."""
        head = self._head(role, claims) | ({"Idempotency-Key": key} if key else {}) | (headers or {})
        return self.client.post(
            path, content=json.dumps(body or {}, default=str), headers=head | {"Content-Type": "application/json"}
        )

    @staticmethod
    def _head(role: str, claims: dict[str, Any] | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {token(role, **(claims or {}))}"}


@contextmanager
def open_service(
    parts: Parts,
    database_url: str,
    *,
    clock: str = "driven",
    at: datetime = START,
    metadata: MetaData | None = None,
    kafka: str = "127.0.0.1:1",
    world: str = "test",
) -> Iterator[ServiceUnderTest]:
    """Open a service on a fresh database, migrated to its head (or made from `metadata`), with its clock at `at`."""
    settings = ServiceSettings(
        world=world,
        world_clock=clock,
        database_url=database_url,
        kafka_bootstrap=kafka,
        auth_issuer=ISSUER,
        auth_audience="crossdock.test",
        auth_jwks=str(issuer().jwks_file),
        cursor_secret="only for tests",
    )
    log.configure(parts.name, "test", "test", "critical")
    if metadata is None:
        migrations.migrate(parts.name, database_url, "head")
    else:
        engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
        metadata.create_all(engine)
        engine.dispose()
    running = process.Running(parts, settings, ("api", "consumer"))
    assert running.consumer is not None
    assert running.scheduler is not None
    client = TestClient(running.door(), base_url="http://127.0.0.1", raise_server_exceptions=False)
    opened = ServiceUnderTest(parts, running.database, settings, client, running.consumer, running.scheduler)
    try:
        if clock == "driven":
            opened.set_clock(at)
        yield opened
    finally:
        client.close()
        running.database.dispose()


@contextmanager
def open_shared_service(infra: Infrastructure, parts: Parts) -> Iterator[ServiceUnderTest]:
    """Open a service on a database that several tests share: creating and migrating one takes longer than most tests."""
    url = infra.database(parts.name)
    with open_service(parts, url) as opened:
        yield opened
    infra.drop_database(url)


def emptied_service(shared: ServiceUnderTest) -> ServiceUnderTest:
    """Return a shared service as if it were new: empty tables, its clock at the start."""
    tables = [row["tablename"] for row in shared.rows(_TABLES)]
    with shared.database.engine.begin() as connection:
        connection.exec_driver_sql(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")
    fresh = replace(shared, _offset=0, _seen=0)
    fresh.set_clock(START)
    return fresh


def wait_until(question: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS, every: float = 0.02) -> Any:
    """Poll until the answer is true; raises AssertionError with the last answer at the time limit."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"never true within {seconds:.0f} s; the last answer was {answer!r}")
        time.sleep(every)
