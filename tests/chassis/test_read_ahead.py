"""Behind a full batch the next one is read meanwhile; what was taken away since it was read is nobody's to answer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from chassis import kafka, topics
from chassis.consumer import Consumer, Read
from schemas.envelope import encode
from schemas.topics import BY_NAME
from tests.chassis.test_consumer import changed, message, trail
from tests.support.service import House, wait_until
from tests.support.stack import Infrastructure

A, BATCH, READS_MAX = UUID(int=1), 5, 100


class Watched(Consumer):
    """Tells how many records each reading brought, and in which thread."""

    def __init__(self, house: House, world: str, bootstrap: str) -> None:
        told = {"world": world, "kafka_bootstrap": bootstrap, "batch_events_max": BATCH}
        super().__init__(house.database, house.parts.reactions, house.settings.model_copy(update=told))
        self.read: queue.Queue[tuple[int, str]] = queue.Queue(maxsize=READS_MAX)

    def _read(self, consumer: kafka.Consumer) -> list[Read]:
        found = super()._read(consumer)
        if found:
            self.read.put((len(found), threading.current_thread().name))
        return found


@pytest.fixture
def watched(toy_house: House, infra: Infrastructure) -> Iterator[Watched]:
    world = infra.world()
    names = [BY_NAME["inventory.item"], BY_NAME["inventory.site"]]
    topics.apply(infra.kafka_bootstrap, topics.wanted(world, names, partitions=1, replication=1))
    yield Watched(toy_house, world, infra.kafka_bootstrap)
    topics.drop(infra.kafka_bootstrap, world)


def tell(house: House, consumer: Watched, marks: str) -> None:
    producer = kafka.producer(consumer._settings.kafka_bootstrap, "test")
    for mark in marks:
        envelope = house.envelope(changed(A, mark))
        producer.produce(consumer._settings.topic("inventory.item"), key=envelope.subject, value=encode(envelope))
    assert producer.flush(30) == 0


def test_the_next_batch_is_read_while_the_database_works_on_a_full_one(toy_house: House, watched: Watched) -> None:
    tell(toy_house, watched, "abcdefghij")
    with toy_house.database.engine.connect() as holder:
        holder.exec_driver_sql("LOCK TABLE counters IN ACCESS EXCLUSIVE MODE")
        running = threading.Thread(target=watched.run)
        running.start()
        try:
            assert watched.read.get(timeout=30) == (BATCH, running.name)
            assert watched.read.get(timeout=30)[0] == BATCH, "the first one is still waiting for its table"
        finally:
            holder.rollback()
    wait_until(lambda: trail(toy_house, A) == "abcdefghij")
    watched.stopped.set()
    running.join(30)
    assert not running.is_alive()


def test_what_was_revoked_since_it_was_read_is_left_to_who_has_it_now(toy_house: House, infra: Infrastructure) -> None:
    consumer, lone = toy_house.consumer, kafka.lone_consumer(infra.kafka_bootstrap, "test")
    batch = [
        Read((topic, 0), 9, consumer._pairs(message("inventory.item.changed.v1", encode(toy_house.envelope(changed(A, mark))))))
        for topic, mark in (("ours", "a"), ("theirs", "b"))
    ]  # fmt: skip
    consumer.positions["ours", 0] = 9
    consumer._take(lone, batch)
    lone.close()
    assert trail(toy_house, A) == "a"
    assert consumer.positions == {("ours", 0): 10}
