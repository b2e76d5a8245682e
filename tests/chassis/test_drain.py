"""SIGTERM: a process at work ends within ten seconds with 0, loses nothing, and gives whole answers or none.

SIGSTOP: a process that stood still goes on where it was.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from chassis.ids import time_ordered_id
from chassis.messaging import kafka, topics
from chassis.runtime.clock import machine_now
from chassis.runtime.process import DRAIN_SECONDS_MAX
from schemas.envelope import encode, wrap
from schemas.inventory import ItemChanged
from schemas.topics import BY_NAME
from tests.chassis import toy
from tests.support.pressure import Answer, Clients
from tests.support.running import Running, start, tables
from tests.support.service import token, wait_until
from tests.support.stack import Infrastructure

# Every life ends within the time that a drain may take, which is measured.
pytestmark = pytest.mark.timing

CLIENTS = 24
SLACK_SECONDS = 1.0  # from the signal to the exit there is an interpreter to be taken down
ROLES = ("api", "consumer", "relay")


@dataclass
class Life:
    """The toy service with three roles in one process; what one life leaves the next one does."""

    infra: Infrastructure
    url: str
    world: str
    folder: Path
    process: Running | None = None

    def begin(self, **more: str) -> Running:
        told = more | {
            "DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP": self.infra.kafka_bootstrap,
            "LOG_LEVEL": "info",
            "WORLD": self.world,
            "AUTH_AUDIENCE": "crossdock.test",
        }
        self.process = start("tests.chassis.toy", *ROLES, folder=self.folder, told=told)
        wait_until(self.process.ready)
        return self.process

    def end(self) -> float:
        """Send SIGTERM and wait for the exit; returns how long it took."""
        assert self.process is not None
        begun = time.monotonic()
        os.kill(self.process.child.pid, signal.SIGTERM)
        try:
            code = self.process.child.wait(DRAIN_SECONDS_MAX + SLACK_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it does not end: {self.process.log.read_text()[-3000:]}")
        assert code == 0, self.process.log.read_text()[-3000:]
        return time.monotonic() - begun

    def ask(self, question: str) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute(question).fetchone()  # type: ignore[arg-type]  # a literal of this file
        return int(row[0]) if row else 0

    def pending(self) -> int:
        return self.ask("SELECT count(*) FROM outbox WHERE published_at IS NULL")

    def counted(self) -> dict[UUID, str]:
        with psycopg.connect(self.url) as connection:
            return dict(connection.execute("SELECT item_id, trail FROM counters").fetchall())

    def published(self) -> int:
        """Count the facts on the topic, doubles and all."""
        places = [kafka.TopicPartition(f"{self.world}.inventory.item", n) for n in range(3)]
        return sum(kafka.ends(kafka.admin(self.infra.kafka_bootstrap), places).values())

    def tell(self, subject: UUID, mark: str) -> None:
        """Put a fact on the topic, as another service does."""
        now = machine_now()
        event = ItemChanged(occurred_at=now, item_id=subject, code="x", description=mark, unit="each")
        fact = wrap(
            event,
            id=time_ordered_id(),
            source="/crossdock/test/elsewhere",
            recorded_at=now,
            correlation_id=subject,
            causation_id=subject,
            cause_kind="signal",
        )
        producer = kafka.producer(self.infra.kafka_bootstrap, "test")
        producer.produce(f"{self.world}.inventory.item", key=fact.subject, value=encode(fact))
        assert producer.flush(30) == 0

    def act(self, subject: UUID, key: str) -> httpx.Response:
        assert self.process is not None
        head = {"Authorization": f"Bearer {token('sre')}", "Idempotency-Key": key}
        return httpx.post(f"http://127.0.0.1:{self.process.port}/counters/{subject}", headers=head, timeout=30)


@pytest.fixture
def life(infra: Infrastructure, fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Life]:
    world = infra.world()
    names = [BY_NAME["inventory.item"], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, names, partitions=3, replication=1))
    url = fresh_database("toy")
    tables(url, toy.metadata)
    lives = Life(infra, url, world, tmp_path)
    try:
        yield lives
    finally:
        if lives.process is not None and lives.process.child.poll() is None:
            lives.process.child.kill()
            lives.process.child.wait()
        topics.drop(infra.kafka_bootstrap, world)


async def _until_it_ends(life: Life, at_work: Callable[[], bool]) -> tuple[list[Answer], float]:
    """Bring load until nobody answers any more; the end is asked for in the middle of it."""
    assert life.process is not None
    clients = Clients(life.process.port, lambda subject: f"/counters/{subject}", token("sre"))
    ending = asyncio.create_task(asyncio.to_thread(lambda: (wait_until(at_work), life.end())[1]))

    async def client() -> None:
        while not ending.done():
            await clients.act()
            if clients.answers[-1].status == 0:
                return

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return clients.taken(), await ending


def test_a_process_at_work_ends_in_time_and_loses_nothing(life: Life) -> None:
    life.begin()
    answers, seconds = asyncio.run(
        _until_it_ends(life, lambda: life.ask("SELECT count(*) FROM counters") > 400 and life.pending() > 0)
    )
    assert seconds <= DRAIN_SECONDS_MAX
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {201, 503, 0}, statuses
    accepted = {answer.subject for answer in answers if answer.status == 201}
    assert len(accepted) > 400
    assert accepted == set(life.counted()), "an act without an answer was not done, and the other way round"
    assert life.ask("SELECT count(*) FROM outbox WHERE topic = 'inventory.item'") == len(accepted)
    assert life.pending() == 0, "what is committed leaves before the process does"
    life.begin()
    wait_until(lambda: set(life.counted().values()) == {"htold"})
    assert life.ask("SELECT count(*) FROM inbox") == 2 * len(accepted)
    life.end()
    assert life.published() == len(accepted)


def test_a_consumer_and_an_act_that_wait_for_a_row_do_not_hold_the_end_up(life: Life) -> None:
    """A row is locked by somebody else for longer than a drain may last: neither half happens, and both happen later."""
    life.begin()
    subject, key = uuid4(), "once"
    assert life.act(subject, "first").status_code == 201
    wait_until(lambda: life.counted()[subject] == "htold")
    told: list[object] = []

    def act() -> None:
        try:
            told.append(life.act(subject, key).status_code)
        except httpx.TransportError as broken:
            told.append(broken)

    with psycopg.connect(life.url) as holder:
        holder.execute("SELECT 1 FROM counters WHERE item_id = %s FOR UPDATE", [subject])
        thread = threading.Thread(target=act)
        thread.start()
        wait_until(lambda: life.ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0)
        life.end()
        thread.join()
    assert told[0] == 503 or isinstance(told[0], httpx.TransportError), told
    assert life.counted()[subject] == "htold"
    life.begin()
    assert life.act(subject, key).status_code == 201
    wait_until(lambda: life.counted()[subject] == "htoldhtold")
    life.end()


def test_a_broker_that_stands_still_does_not_hold_the_end_up_and_what_waits_is_published_later(life: Life) -> None:
    life.begin()
    subject, broker = uuid4(), life.infra.kafka_pid()
    os.kill(broker, signal.SIGSTOP)
    try:
        assert life.act(subject, "first").status_code == 201
        wait_until(lambda: life.pending() == 1)
        life.end()
    finally:
        os.kill(broker, signal.SIGCONT)
    assert life.pending() == 1
    life.begin()
    wait_until(lambda: life.counted()[subject] == "htold")
    wait_until(lambda: life.pending() == 0)  # the consumer may hear a fact before the relay has marked it
    life.end()


def test_a_process_that_stood_still_in_a_reaction_for_long_has_not_hung(life: Life) -> None:
    process = life.begin(REACTION_LIMIT_SECONDS="2")
    subject = uuid4()
    with psycopg.connect(life.url, autocommit=True) as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", [toy.GATE])
        life.tell(subject, toy.WAITS)
        wait_until(lambda: life.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == 1)
        os.kill(process.child.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        wait_until(lambda: time.monotonic() - stopped > 3)
    os.kill(process.child.pid, signal.SIGCONT)
    wait_until(lambda: subject in life.counted())
    assert life.ask("SELECT count(*) FROM attempt_marks") + life.ask("SELECT count(*) FROM dead_letters") == 0
    life.end()
