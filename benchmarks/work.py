"""The same work for everybody: events in, one table, one event out for each; and the checker who counts at the end.

A fact says that stock of an item at a site changed. The work: validate it, do it once (inbox), load the tally of that
stock, count it, save it, store one fact for the outside (outbox), commit, publish. Tables and events are the same for
ours, for the reference and for every rival.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Column, Integer, MetaData, Numeric, Table, create_engine
from sqlalchemy.dialects.postgresql import UUID as UuidColumn

from chassis.ids import derived_id, time_ordered_id
from chassis.messaging import kafka
from chassis.persistence import partitions
from chassis.persistence.database import Context, Database
from chassis.persistence.tables import aggregate_version, chassis_tables
from chassis.runtime import log
from chassis.runtime.clock import WorldClock
from cli.stack import Stack, postgres, spawn
from schemas.base import Event
from schemas.envelope import encode, wrap
from schemas.inventory import ItemChanged, StockChanged

PARTITIONS = 4
STOCKS = 20_000
WARM_SHARE = 0.1  # of the output; what comes before it is start-up and warm-up
PATIENCE_SECONDS = 120.0
TOPIC_BYTES = 512 * 1024 * 1024  # of each partition, as a cluster drops what everybody has read: hours fill no disk
NOBODY = UUID(int=0)

metadata = MetaData()
chassis = chassis_tables(metadata)
tallies = Table(
    "tallies",
    metadata,
    Column("stock_id", UuidColumn, primary_key=True),
    Column("received", Integer, nullable=False),
    Column("on_hand", Numeric, nullable=False),
    aggregate_version(),
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Count and last level of one stock."""

    stock_id: UUID
    received: int = 0
    on_hand: Decimal = Decimal(0)


def counted(tally: Tally, event: StockChanged) -> tuple[Tally, ItemChanged]:
    """Count one fact and say so: the decision that everybody makes."""
    after = replace(tally, received=tally.received + 1, on_hand=event.on_hand)
    said = ItemChanged(
        occurred_at=event.occurred_at,
        item_id=event.stock_id,
        code=event.item,
        description=f"counted {after.received}",
        unit="each",
    )
    return after, said


def event(stock: int, number: int) -> StockChanged:
    """Return one fact of a stock."""
    return StockChanged(
        occurred_at=datetime.now(UTC),
        stock_id=derived_id("stock", stock),
        item=f"ITEM-{stock % 997:05d}",
        site=f"SITE-{stock % 31:02d}",
        entry_id=derived_id("entry", stock, number),
        kind="receipt",
        quantity=Decimal("12.5"),
        on_hand=Decimal(number + 1),
    )


def encoded(fact: Event) -> bytes:
    """Return a fact as it travels."""
    return encode(
        wrap(
            fact,
            id=time_ordered_id(),
            source="/crossdock/bench/inventory",
            recorded_at=datetime.now(UTC),
            correlation_id=NOBODY,
            causation_id=NOBODY,
            cause_kind="act",
        )
    )


INPUT, OUTPUT = StockChanged.event_topic.name, ItemChanged.event_topic.name


@dataclass(frozen=True)
class Place:
    """Where one run works: a database and two topics of its own."""

    world: str
    database_url: str
    bootstrap: str
    folder: Path
    partitions: int = PARTITIONS
    more: Mapping[str, str] = field(default_factory=dict)  # what one figure's programs are told beyond this

    @property
    def input(self) -> str:
        return f"{self.world}.{INPUT}"

    @property
    def output(self) -> str:
        return f"{self.world}.{OUTPUT}"

    def env(self) -> dict[str, str]:
        """Return the environment of a program that does the work."""
        return (
            os.environ
            | {
                "WORLD": self.world,
                "WORLD_CLOCK": "wall",
                "DATABASE_URL": self.database_url,
                "KAFKA_BOOTSTRAP": self.bootstrap,
                "AUTH_ISSUER": "bench",
                "AUTH_AUDIENCE": "bench",
                "AUTH_JWKS": '{"keys": []}',
                "CURSOR_SECRET": "bench",
                "BENCH_INPUT": self.input,
                "BENCH_OUTPUT": self.output,
                "BENCH_FOLDER": str(self.folder),
            }
            | dict(self.more)
        )


def with_days(database_url: str, *, past: int) -> None:
    """Make the days of inbox and outbox, from so many days ago to tomorrow: not everybody here makes them by itself."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for ago in range(-1, past + 1):
            for table in partitions.TABLES:
                partitions.make(connection, table, (datetime.now(UTC) - timedelta(days=ago)).date())


@contextmanager
def place(
    stack: Stack, name: str, *, retention_bytes: int = -1, keyed: bool = False, partitions: int = PARTITIONS
) -> Iterator[Place]:
    """Make a database and topics that keep so many bytes per partition (all: -1); drop them at the end.

    `keyed` gives the outbox the key by which an ORM marks its rows; ours finds them in the index of what is pending.
    """
    admin_url = stack.infrastructure.postgres_admin_url
    bootstrap = stack.infrastructure.kafka_bootstrap
    database = postgres.database_name(name, "bench")
    url = postgres.create_database(admin_url, database, password="bench")
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    metadata.create_all(engine)
    engine.dispose()
    with_days(url, past=1)
    if keyed:
        with psycopg.connect(url) as connection:
            connection.execute("ALTER TABLE outbox ADD PRIMARY KEY (position, stored_at)")
    admin = kafka.admin(bootstrap)
    topics = [f"{name}.{INPUT}", f"{name}.{OUTPUT}"]
    for made in admin.create_topics(
        [
            kafka.NewTopic(
                t, num_partitions=partitions, replication_factor=1, config={"retention.bytes": str(retention_bytes)}
            )
            for t in topics
        ]
    ).values():
        made.result()
    for topic in topics:
        led(admin, topic, partitions)
    folder = stack.home.root / f"bench-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield Place(name, url, bootstrap, folder, partitions)
    finally:
        for gone in admin.delete_topics(topics).values():
            gone.result()
        postgres.drop_database(admin_url, database)


Record = tuple[bytes, bytes, str]  # value, key, type


def records(events: int, *, seed: int = 7) -> Iterator[Record]:
    """Yield facts of many stocks, in the order of each stock."""
    chance, received = random.Random(seed), [0] * STOCKS
    for _ in range(events):
        stock = chance.randrange(STOCKS)
        fact = event(stock, received[stock])
        received[stock] += 1
        yield encoded(fact), fact.subject.encode(), fact.event_name


def sender(where: Place) -> Callable[[Iterable[Record]], None]:
    """Return what produces records and waits for their acknowledgement."""
    producer = kafka.producer(where.bootstrap, "bench.fill")

    def send(records: Iterable[Record]) -> None:
        for value, key, name in records:
            while True:
                try:
                    producer.produce(where.input, value=value, key=key, headers={kafka.TYPE_HEADER: name})
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.flush()

    return send


def fill(where: Place, events: int) -> None:
    """Produce the input."""
    sender(where)(records(events))


def come_out(admin: kafka.AdminClient, where: Place) -> int:
    """Return how many records the output topic holds."""
    return sum(kafka.ends(admin, places(where.output, where.partitions)).values())


def places(topic: str, partitions: int, offset: int = kafka.OFFSET_END) -> list[kafka.TopicPartition]:
    """Return the partitions of a topic."""
    return [kafka.TopicPartition(topic, number, offset) for number in range(partitions)]


@contextmanager
def database(where: Place, *, connections: int = 2) -> Iterator[Database]:
    """Open a run's database as a service's process opens its own; only warnings are told here."""
    log.configure("inventory", "bench", where.world, "warning")
    opened = Database(
        where.database_url,
        service="inventory",
        world=where.world,
        tables=chassis,
        clock=WorldClock.parse("wall"),
        connections_max=connections,
    )
    try:
        yield opened
    finally:
        opened.dispose()


def act(now: datetime) -> Context:
    """Return why an act of the measuring process happens."""
    act_id = time_ordered_id()
    return Context(act_id, act_id, "act", now)


@contextmanager
def following(where: Place, client: str) -> Iterator[kafka.Consumer]:
    """Follow the output topic from its end on."""
    consumer = kafka.lone_consumer(where.bootstrap, client)
    marks = kafka.ends(kafka.admin(where.bootstrap), places(where.output, where.partitions))
    consumer.assign([kafka.TopicPartition(topic, p, end) for (topic, p), end in marks.items()])
    consumer.poll(0.2)
    try:
        yield consumer
    finally:
        consumer.close()


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of the values lies."""
    return statistics.quantiles(values, n=1000, method="inclusive")[round(share * 1000) - 1]


@contextmanager
def running(where: Place, programs: Sequence[Sequence[str]]) -> Iterator[list[spawn.Popen]]:
    """Run programs (module and arguments each) until the block ends; their words go to files."""
    processes: list[spawn.Popen] = []
    try:
        for number, (module, *arguments) in enumerate(programs):
            command = [sys.executable, "-m", module, *arguments]
            env = where.env() | {"INSTANCE": str(number)}
            processes.append(spawn.spawn(command, log=where.folder / f"{module}-{number}.log", env=env))
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            spawn.stop(process)


def rate(where: Place, events: int, processes: Sequence[spawn.Popen], *, before: int = 0) -> float:
    """Wait until everything is on the output topic; returns events per second after the warm-up."""
    admin = kafka.admin(where.bootstrap)
    warm, begun = events * WARM_SHARE, None
    moved_at, last = time.monotonic(), 0
    while (there := come_out(admin, where) - before) < events:
        now = time.monotonic()
        if begun is None and there >= warm:
            begun = (now, there)
        if there > last:
            moved_at, last = now, there
        if now - moved_at > PATIENCE_SECONDS or any(p.poll() is not None for p in processes):
            raise RuntimeError(f"{there} of {events} events came out; see {where.folder}")
        time.sleep(0.02)
    assert begun is not None
    return (there - begun[1]) / (time.monotonic() - begun[0])


def led(admin: kafka.AdminClient, topic: str, partitions: int) -> None:
    """Wait until a topic that was just made answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            kafka.ends(admin, places(topic, partitions))
            return
        except kafka.KafkaException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def wait_for(where: Place, events: int, processes: Sequence[spawn.Popen]) -> None:
    """Wait until so many events are on the output topic."""
    admin, deadline = kafka.admin(where.bootstrap), time.monotonic() + PATIENCE_SECONDS
    while come_out(admin, where) < events:
        if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
            raise RuntimeError(f"nothing came out; see {where.folder}")
        time.sleep(0.02)


def check(where: Place, events: int, *, published: int | None = None) -> None:
    """See that each fact was counted once and told once, in the order of its stock; raises AssertionError.

    `told` is how many facts the output tells of where more went there than were counted.
    """
    with psycopg.connect(where.database_url) as connection:
        row = connection.execute("SELECT sum(received), count(*) FROM tallies").fetchone()
        assert row is not None
        assert row[0] == events, f"counted {row[0]} of {events}"
    check_output(where, events if published is None else published)


def check_output(where: Place, events: int) -> None:
    """See that the output tells of each fact once, in the order of its stock; raises AssertionError."""
    received, seen = dict[str, int](), 0
    for said in output(where):
        number, before = int(said["description"].split()[1]), received.get(said["item_id"], 0)
        assert number == before + 1, f"{said['item_id']}: {number} after {before}"
        received[said["item_id"]] = number
        seen += 1
    assert seen == events, f"{seen} of {events} events are on the output"


def output(where: Place) -> Iterator[dict[str, Any]]:
    """Yield what the output topic tells, as far as it goes now."""
    left = come_out(kafka.admin(where.bootstrap), where)
    consumer = kafka.lone_consumer(where.bootstrap, "bench.checker")
    consumer.assign(places(where.output, where.partitions, kafka.OFFSET_BEGINNING))
    while left > 0:
        messages = consumer.consume(5000, timeout=5.0)
        assert messages, f"{left} records of {where.output} do not come"
        left -= len(messages)
        for message in messages:
            yield json.loads(message.value() or b"")["data"]
    consumer.close()
