"""Behind a full batch the next one is read meanwhile; what was taken away since it was read is nobody's to answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from chassis.messaging import kafka, topics
from chassis.messaging.consumer import Consumer, Read
from schemas.envelope import encode
from schemas.topics import BY_NAME
from tests.chassis.test_consumer import changed, message, trail
from tests.support.service import PATIENCE_SECONDS, ServiceUnderTest, wait_until
from tests.support.stack import Infrastructure

A, BATCH, READS_MAX = UUID(int=1), 5, 100


class Watched(Consumer):
    """Tells how many records each reading brought, and in which thread."""

    def __init__(self, service: ServiceUnderTest, world: str, bootstrap: str) -> None:
        told = {"world": world, "kafka_bootstrap": bootstrap, "batch_events_max": BATCH}
        super().__init__(service.database, service.parts.reactions, service.settings.model_copy(update=told))
        self.read: queue.Queue[tuple[int, str]] = queue.Queue(maxsize=READS_MAX)

    def _read(self, consumer: kafka.Consumer) -> list[Read]:
        found = super()._read(consumer)
        if found:
            self.read.put((len(found), threading.current_thread().name))
        return found


@pytest.fixture
def watched(toy_service: ServiceUnderTest, infra: Infrastructure) -> Iterator[Watched]:
    world = infra.world()
    names = [BY_NAME["inventory.item"], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, names, partitions=1, replication=1))
    yield Watched(toy_service, world, infra.kafka_bootstrap)
    topics.drop(infra.kafka_bootstrap, world)


def tell(service: ServiceUnderTest, consumer: Watched, marks: str) -> None:
    producer = kafka.producer(consumer._settings.kafka_bootstrap, "test")
    for mark in marks:
        envelope = service.envelope(changed(A, mark))
        producer.produce(consumer._settings.topic("inventory.item"), key=envelope.subject, value=encode(envelope))
    assert producer.flush(30) == 0


def test_the_next_batch_is_read_while_the_database_works_on_a_full_one(
    toy_service: ServiceUnderTest, watched: Watched
) -> None:
    tell(toy_service, watched, "abcdefghij")
    with toy_service.database.engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE counters IN ACCESS EXCLUSIVE MODE")
        running = threading.Thread(target=watched.run)
        running.start()
        try:
            assert watched.read.get(timeout=PATIENCE_SECONDS) == (BATCH, running.name)
            assert watched.read.get(timeout=PATIENCE_SECONDS)[0] == BATCH, (
                "the first one is still waiting for its table"
            )
        finally:
            holder.rollback()
    wait_until(lambda: trail(toy_service, A) == "abcdefghij")
    watched.stopped.set()
    running.join(PATIENCE_SECONDS)
    assert not running.is_alive()


class Asked(Watched):
    """Reads ahead until its partitions are asked back."""

    def __init__(self, service: ServiceUnderTest, world: str, bootstrap: str) -> None:
        super().__init__(service, world, bootstrap)
        self.asked_back = threading.Event()

    def _read(self, consumer: kafka.Consumer) -> list[Read]:
        found = super()._read(consumer)
        while not found and threading.current_thread().name.startswith("reader") and not self.asked_back.is_set():
            found = super()._read(consumer)
        return found

    def _on_revoke(self, consumer: kafka.Consumer, partitions: list[kafka.TopicPartition]) -> None:
        self.asked_back.set()
        super()._on_revoke(consumer, partitions)


def test_a_partition_asked_back_while_the_database_works_is_given_back_and_work_goes_on(
    toy_service: ServiceUnderTest, watched: Watched
) -> None:
    """A client that is asked for a commit beside its own rebalance never answers: only who reads may speak to it."""
    told = watched._settings
    asked = Asked(toy_service, told.world, told.kafka_bootstrap)
    tell(toy_service, asked, "abcde")
    other = kafka.group_consumer(told.kafka_bootstrap, asked._group, 1)
    running = threading.Thread(target=asked.run, daemon=True)
    with toy_service.database.engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE counters IN ACCESS EXCLUSIVE MODE")
        running.start()
        try:
            assert asked.read.get(timeout=PATIENCE_SECONDS)[0] == BATCH
            other.subscribe([told.topic(name) for name in asked._reactions.topics()])
            wait_until(lambda: other.poll(0.05) or asked.asked_back.is_set())
        finally:
            holder.rollback()
    try:
        tell(toy_service, asked, "f")
        wait_until(lambda: other.poll(0.05) or trail(toy_service, A) == "abcdef")
    finally:
        asked.stopped.set()
        running.join(PATIENCE_SECONDS)
        if still := running.is_alive():
            asked._at_work.release()  # so that a failure ends, too
        other.close()
    assert not still


def test_what_was_revoked_since_it_was_read_is_left_to_who_has_it_now(toy_service: ServiceUnderTest) -> None:
    consumer = toy_service.consumer
    batch = [
        Read(
            (topic, 0),
            9,
            consumer._pairs(message("inventory.item.changed.v1", encode(toy_service.envelope(changed(A, mark))))),
        )
        for topic, mark in (("ours", "a"), ("theirs", "b"))
    ]
    consumer.positions["ours", 0] = 9
    consumer._take(batch)
    assert trail(toy_service, A) == "a"
    assert consumer.positions == {("ours", 0): 10}
